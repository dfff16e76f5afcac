//! The published copy of the catalog in KV: immutable documents under their digest, an index per version, and one pointer.
//!
//! An isolate keeps the current index for [`POINTER_SECS`]; documents can't change, so what is read is right for its version.

use crate::error::{Error, Result};
use crate::shop::catalog::{Index, Product};
use crate::shop::ports::{CatalogCopy, PublishedCatalog};
use durable::Timestamp;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use worker::{KvError, KvStore};

/// Seconds that an isolate keeps the pointer before it looks again.
pub const POINTER_SECS: u32 = 30;

/// Most product documents that an isolate keeps; at some 5 KB each a small part of its 128 MB.
const MAX_KEPT_PRODUCTS: usize = 1000;

const POINTER_KEY: &str = "catalog/current";

thread_local! {
    static PRODUCTS: RefCell<HashMap<String, Rc<Product>>> = RefCell::default();
    static CURRENT: RefCell<Option<(Timestamp, Rc<Index>)>> = const { RefCell::new(None) };
}

/// [`PublishedCatalog`] and [`CatalogCopy`] on KV.
#[derive(Debug)]
pub struct CatalogKv {
    /// Where the documents are.
    pub kv: KvStore,
    /// The time of this request.
    pub now: Timestamp,
}

impl PublishedCatalog for CatalogKv {
    async fn index(&self) -> Result<Rc<Index>> {
        if let Some(index) = self.kept() {
            return Ok(index);
        }
        let version = self.kv.get(POINTER_KEY).text().await.map_err(kv_error)?;
        let index = match version {
            None => Rc::new(Index::default()),
            Some(version) => self
                .index_of(&version)
                .await?
                .ok_or_else(|| Error::internal(format!("no index of version {version}")))?,
        };
        CURRENT.replace(Some((self.now, Rc::clone(&index))));
        Ok(index)
    }

    async fn index_of(&self, version: &str) -> Result<Option<Rc<Index>>> {
        if let Some(index) = self.kept().filter(|index| index.version == version) {
            return Ok(Some(index));
        }
        Ok(self.read(&index_key(version)).await?.map(Rc::new))
    }

    async fn product(&self, document: &str) -> Result<Rc<Product>> {
        if let Some(product) = PRODUCTS.with_borrow(|products| products.get(document).cloned()) {
            return Ok(product);
        }
        let product: Rc<Product> = self
            .read(&product_key(document))
            .await?
            .map(Rc::new)
            .ok_or_else(|| Error::internal(format!("no product document {document}")))?;
        PRODUCTS.with_borrow_mut(|products| {
            if products.len() >= MAX_KEPT_PRODUCTS {
                products.clear();
            }
            products.insert(document.to_owned(), Rc::clone(&product));
        });
        Ok(product)
    }
}

impl CatalogCopy for CatalogKv {
    async fn put_product(&self, document: &str, json: &str) -> Result<()> {
        self.put(&product_key(document), json).await
    }

    async fn put_index(&self, index: &Index) -> Result<()> {
        let json = serde_json::to_string(index).map_err(Error::internal)?;
        self.put(&index_key(&index.version), &json).await
    }

    async fn point_to(&self, version: &str) -> Result<()> {
        self.put(POINTER_KEY, version).await?;
        CURRENT.take();
        Ok(())
    }
}

impl CatalogKv {
    /// The index this isolate has, while it is young; an empty one is looked for again, so that a first publish shows at once.
    fn kept(&self) -> Option<Rc<Index>> {
        CURRENT.with_borrow(|current| {
            current
                .as_ref()
                .filter(|(read_at, index)| {
                    self.now < read_at.plus_secs(POINTER_SECS) && !index.products.is_empty()
                })
                .map(|(_, index)| Rc::clone(index))
        })
    }

    async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let Some(bytes) = self.kv.get(key).bytes().await.map_err(kv_error)? else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| Error::internal(format!("document {key}: {error}")))
    }

    async fn put(&self, key: &str, value: &str) -> Result<()> {
        self.kv
            .put(key, value)
            .map_err(kv_error)?
            .execute()
            .await
            .map_err(kv_error)
    }
}

fn index_key(version: &str) -> String {
    format!("catalog/index/{version}")
}

fn product_key(document: &str) -> String {
    format!("catalog/product/{document}")
}

fn kv_error(error: KvError) -> Error {
    Error::internal(format!("kv: {error}"))
}
