//! The published copy of the catalog in KV: immutable documents under their keys, and one pointer.
//!
//! An isolate caches the pointer for at most [`POINTER_SECS`], and usually refreshes it earlier,
//! after it has sent a response; while KV can't be read, it keeps it longer. Documents of a version
//! never change, so the isolate caches as many as fit. KV may deliver a new pointer before a new
//! document; in that case the previous version stays.

use crate::bounded::Bounded;
use crate::store::platform::kv::Kv;
use durable::Timestamp;
use futures_util::stream;
use futures_util::stream::TryStreamExt;
use serde::de::DeserializeOwned;
use shop::catalog::version::{PublishedCatalog, Version, not_copied};
use shop::catalog::{Card, Product};
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::publishing::publish::record::{CatalogCopy, Pointer, version_key};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Seconds that an isolate caches the pointer.
pub const POINTER_SECS: u32 = 30;

/// Seconds after which it refreshes the pointer, once it has sent a response.
const REFRESH_SECS: u32 = 10;

/// Seconds until it tries again after a failed read.
const FAILED_SECS: u32 = 5;

/// Bytes of versions, directories and cards that an isolate caches, out of the 128 MB that it has
/// (`docs/isolate-limits.md`). Half of each budget must hold what one version needs, or a list of
/// all its products would read it again each time: for 10,000 products, 60 KB, 3 MB and 14 MB.
const VERSION_BYTES: usize = 4_000_000;
const DIRECTORY_BYTES: usize = 8_000_000;
const CARD_BYTES: usize = 32_000_000;

/// Size of a parsed document relative to its JSON, roughly.
const PARSED_FACTOR: usize = 2;

/// Maximum number of concurrent deletions.
const DELETIONS_AT_ONCE: usize = 6;

const POINTER_KEY: &str = "catalog/current";

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
    static VERSIONS: RefCell<Bounded<Rc<Version>>> = RefCell::default();
    static DIRECTORIES: RefCell<Bounded<Rc<BTreeMap<String, String>>>> = RefCell::default();
    static CARDS: RefCell<Bounded<Rc<Vec<Card>>>> = RefCell::default();
    static PRODUCTS: RefCell<Bounded<Rc<Product>>> = RefCell::default();
}

#[derive(Clone)]
struct Current {
    pointer: Pointer,
    version: Rc<Version>,
    fresh_until: Timestamp,
    refreshed_at: Timestamp,
}

/// [`PublishedCatalog`] and [`CatalogCopy`] on KV.
#[derive(Clone, Debug)]
pub struct CatalogKv {
    /// Namespace of the documents.
    pub kv: Kv,
    /// Time of this request.
    pub now: Timestamp,
    /// Maximum bytes of products that the isolate caches.
    pub product_bytes: usize,
}

/// Returns the number of the version that this isolate shows, if its pointer is fresh enough; reads
/// nothing.
#[must_use]
pub fn shown_version(now: Timestamp) -> Option<i64> {
    CURRENT.with_borrow(|current| {
        current
            .as_ref()
            .filter(|current| current.is_fresh(now))
            .map(|current| current.pointer.seq)
    })
}

/// Returns true when the pointer is due to be read again; true for one caller at a time.
#[must_use]
pub fn refresh_is_due(now: Timestamp) -> bool {
    CURRENT.with_borrow_mut(|current| match current {
        Some(current) if now >= current.refreshed_at.plus_secs(REFRESH_SECS) => {
            current.refreshed_at = now;
            true
        }
        _ => false,
    })
}

impl Current {
    fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until
    }
}

impl PublishedCatalog for CatalogKv {
    async fn current(&self) -> Result<Rc<Version>> {
        if let Some(current) = self.fresh() {
            return Ok(current.version);
        }
        let outcome = self.refresh().await;
        CURRENT.with_borrow_mut(|current| match (outcome, current) {
            (Err(_), Some(stale)) => {
                stale.fresh_until = self.now.plus_secs(FAILED_SECS);
                Ok(Rc::clone(&stale.version))
            }
            (outcome, _) => outcome,
        })
    }

    async fn previous(&self) -> Result<Option<Rc<Version>>> {
        let previous = CURRENT.with_borrow(|current| {
            current
                .as_ref()
                .and_then(|current| current.pointer.previous)
        });
        match previous {
            Some(seq) => self.version(seq).await,
            None => Ok(None),
        }
    }

    async fn version(&self, seq: i64) -> Result<Option<Rc<Version>>> {
        let key = version_key(seq);
        match self.document(&VERSIONS, &key, VERSION_BYTES).await {
            Ok(version) => Ok(Some(version)),
            Err(error) if error.code() == Code::CatalogNotCopied => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn directory(&self, key: &str) -> Result<Rc<BTreeMap<String, String>>> {
        self.document(&DIRECTORIES, key, DIRECTORY_BYTES).await
    }

    async fn cards(&self, key: &str) -> Result<Rc<Vec<Card>>> {
        self.document(&CARDS, key, CARD_BYTES).await
    }

    async fn product(&self, key: &str) -> Result<Rc<Product>> {
        self.document(&PRODUCTS, key, self.product_bytes).await
    }
}

impl CatalogCopy for CatalogKv {
    async fn put_document(&self, key: &str, json: &str) -> Result<()> {
        self.kv.put(&document_key(key), json).await
    }

    async fn pointer(&self) -> Result<Option<Pointer>> {
        let bytes = self.kv.read(POINTER_KEY).await?;
        Ok(bytes.and_then(|bytes| durable::json::read(&bytes).ok()))
    }

    async fn point_to(&self, pointer: Pointer) -> Result<()> {
        let json = serde_json::to_string(&pointer).map_err(Error::internal)?;
        self.kv.put(POINTER_KEY, &json).await?;
        CURRENT.take();
        Ok(())
    }

    async fn delete_documents(&self, keys: &[String]) -> Result<()> {
        stream::iter(keys.iter().map(Ok))
            .try_for_each_concurrent(DELETIONS_AT_ONCE, async |key| {
                self.kv.delete(&document_key(key)).await
            })
            .await
    }
}

impl CatalogKv {
    /// Reads the pointer, and the version that it names unless that is cached.
    ///
    /// # Errors
    /// 503 when KV has neither that version nor the one before.
    pub async fn refresh(&self) -> Result<Rc<Version>> {
        let Some(pointer) = self.pointer().await? else {
            CURRENT.take();
            return Ok(Rc::default());
        };
        let known = CURRENT.with_borrow(Clone::clone);
        let version = match (self.version(pointer.seq).await?, known, pointer.previous) {
            (Some(version), _, _) => version,
            (None, Some(known), _) => known.version,
            (None, None, Some(previous)) => self.version(previous).await?.ok_or_else(not_copied)?,
            (None, None, None) => return Err(not_copied()),
        };
        CURRENT.replace(Some(Current {
            pointer: Pointer {
                seq: version.seq,
                ..pointer
            },
            version: Rc::clone(&version),
            fresh_until: self.now.plus_secs(POINTER_SECS),
            refreshed_at: self.now,
        }));
        Ok(version)
    }

    fn fresh(&self) -> Option<Current> {
        CURRENT.with_borrow(|current| {
            current
                .as_ref()
                .filter(|current| current.is_fresh(self.now))
                .cloned()
        })
    }

    async fn document<T: DeserializeOwned>(
        &self,
        kept: &'static std::thread::LocalKey<RefCell<Bounded<Rc<T>>>>,
        key: &str,
        max_bytes: usize,
    ) -> Result<Rc<T>> {
        if let Some(known) = kept.with_borrow_mut(|kept| kept.get(key, max_bytes)) {
            return Ok(known);
        }
        let json = self.kv.read(&document_key(key)).await?;
        let json = json.ok_or_else(not_copied)?;
        let document: Rc<T> = durable::json::read(&json)
            .map(Rc::new)
            .map_err(|error| Error::internal(format!("document {key}: {error}")))?;
        let bytes = json.len().saturating_mul(PARSED_FACTOR);
        kept.with_borrow_mut(|kept| {
            kept.put(key.to_owned(), Rc::clone(&document), bytes, max_bytes);
        });
        Ok(document)
    }
}

fn document_key(key: &str) -> String {
    format!("catalog/{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A card as `npm run generate` makes it, with five currencies and some variants.
    const CARD: &str = r#"{"position":1,"handle":"everyday-juniper-backpacks-1","title":"Everyday Juniper Backpacks 1",
        "vendor":"Juniper","type":"Backpacks","tags":["outdoor","backpacks","juniper"],"category":["Outdoor","Backpacks"],
        "image":{"url":"https://images.example.com/everyday-juniper-backpacks-1.jpg","alt":"Everyday Juniper Backpacks 1"},
        "price_ranges":{"EUR":{"min":22300,"max":24300},"GBP":{"min":19000,"max":21000},"JPY":{"min":3600000,"max":3900000},
        "KWD":{"min":74000,"max":80000},"USD":{"min":24300,"max":26300,"compare_at":30000}},
        "skus":["G1-BLACK-ONE","G1-WHITE-ONE","G1-SAGE-ONE"],"untracked":false,"created_at":1795000000000,
        "prices_between":{},"price_places":[["EUR",[0,0,1]]],
        "updated_at":1795000000000,"document":"p24nrwglktakd5rx3adrklpmoy-1"}"#;

    #[test]
    fn the_cards_of_ten_thousand_products_are_kept_together() {
        let card: Card = durable::json::read(CARD).unwrap();
        let bytes = 100 * PARSED_FACTOR * serde_json::to_vec(&card).unwrap().len();
        let mut kept = Bounded::default();
        for is_known in [false, true, true] {
            for document in 0..100 {
                let key = document.to_string();
                assert_eq!(kept.get(&key, CARD_BYTES).is_some(), is_known, "{key}");
                if !is_known {
                    kept.put(key, (), bytes, CARD_BYTES);
                }
            }
        }
    }
}
