//! Catalog as seen by one request: a single version, even if another is published while the request
//! is being answered.

use crate::catalog::version::{PublishedCatalog, Version};
use crate::catalog::{Card, Product};
use crate::error::Result;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A published catalog that stays at the version it was first asked for.
#[derive(Debug)]
pub struct OneVersion<'a, C> {
    /// Store of the documents.
    pub catalog: C,
    /// The version, set when first read.
    pub shown: &'a OnceCell<Rc<Version>>,
}

impl<C: PublishedCatalog> PublishedCatalog for OneVersion<'_, C> {
    async fn current(&self) -> Result<Rc<Version>> {
        if let Some(shown) = self.shown.get() {
            return Ok(Rc::clone(shown));
        }
        let current = self.catalog.current().await?;
        Ok(Rc::clone(self.shown.get_or_init(|| current)))
    }

    async fn previous(&self) -> Result<Option<Rc<Version>>> {
        self.catalog.previous().await
    }

    async fn version(&self, seq: i64) -> Result<Option<Rc<Version>>> {
        self.catalog.version(seq).await
    }

    async fn directory(&self, key: &str) -> Result<Rc<BTreeMap<String, String>>> {
        self.catalog.directory(key).await
    }

    async fn cards(&self, key: &str) -> Result<Rc<Vec<Card>>> {
        self.catalog.cards(key).await
    }

    async fn product(&self, key: &str) -> Result<Rc<Product>> {
        self.catalog.product(key).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::version::not_copied;
    use futures_util::FutureExt;
    use std::cell::Cell;

    /// A catalog that publishes a new version each time it is asked for the current one.
    #[derive(Default)]
    struct Restless(Cell<i64>);

    impl PublishedCatalog for Restless {
        async fn current(&self) -> Result<Rc<Version>> {
            self.0.set(self.0.get() + 1);
            Ok(Rc::new(Version {
                seq: self.0.get(),
                ..Version::default()
            }))
        }

        async fn previous(&self) -> Result<Option<Rc<Version>>> {
            Ok(None)
        }

        async fn version(&self, _: i64) -> Result<Option<Rc<Version>>> {
            Ok(None)
        }

        async fn directory(&self, _: &str) -> Result<Rc<BTreeMap<String, String>>> {
            Err(not_copied())
        }

        async fn cards(&self, _: &str) -> Result<Rc<Vec<Card>>> {
            Err(not_copied())
        }

        async fn product(&self, _: &str) -> Result<Rc<Product>> {
            Err(not_copied())
        }
    }

    #[test]
    fn a_request_stays_at_its_version() {
        let shown = OnceCell::new();
        let seqs = [1, 2].map(|_| {
            let catalog = OneVersion {
                catalog: Restless::default(),
                shown: &shown,
            };
            catalog.catalog.0.set(41);
            let ask = || catalog.current().now_or_never().unwrap().unwrap().seq;
            [ask(), ask()]
        });
        assert_eq!(seqs, [[42, 42]; 2]);
    }
}
