//! The merchant's record of products.

use crate::catalog::{Product, ProductName};
use crate::error::Result;
use crate::values::written::Written;
use durable::Timestamp;
use std::collections::BTreeMap;

/// The number of products read at once: a request has little memory, and few calls.
#[derive(Clone, Copy, Debug)]
pub struct PageSize {
    /// At most.
    pub products: u32,
    /// Their variants, at most; 4 KB of description count as one.
    pub variants: usize,
}

/// The record of the catalog: what the merchant edits. While a publish is under way every change is
/// refused with 409 `publish_in_progress`, so that a version is the record of one moment.
pub trait CatalogRecord {
    /// Inserts or replaces products, all or none; each counts up its version. Lost when one is at
    /// another version than it says, which is none for a new product.
    async fn save_products(&self, products: &[Product], now: Timestamp) -> Result<Written>;
    /// Removes a product; lost when it is at another version than `if_version`.
    async fn delete_product(&self, id: &str, if_version: u64) -> Result<Written>;
    /// The products with these ids, in no order.
    async fn products(&self, ids: &[String]) -> Result<Vec<Product>>;
    /// The products with these handles, in no order.
    async fn products_by_handle(&self, handles: &[String]) -> Result<Vec<Product>>;
    /// Columns of imported files that the record keeps without knowing them.
    async fn source_columns(&self) -> Result<Vec<String>>;
    /// Products behind `position` in the merchant's order, each with its own: as many as fit, and
    /// one at least.
    async fn products_after(&self, position: i64, size: PageSize) -> Result<Vec<(i64, Product)>>;
    /// The ids of the products that have these SKUs.
    async fn owners_of_skus(&self, skus: &[String]) -> Result<BTreeMap<String, String>>;
    /// Products whose pictures, variants or descriptions name `picture`, at most `limit`, in the
    /// merchant's order.
    async fn products_naming(&self, picture: &str, limit: usize) -> Result<Vec<ProductName>>;
    /// Claims names for lines of an import, and returns those that an earlier line has, with it.
    async fn claim_names(
        &self,
        import_id: &str,
        names: &[(String, u64)],
        now: Timestamp,
    ) -> Result<BTreeMap<String, u64>>;
}
