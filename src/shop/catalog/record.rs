//! Store of the merchant's products.

use crate::catalog::{Product, ProductName};
use crate::error::Result;
use crate::values::ids::{ProductId, Sku};
use crate::values::written::Written;
use durable::Timestamp;
use std::collections::BTreeMap;

/// Number of products read at once: a request has limited memory and calls.
#[derive(Clone, Copy, Debug)]
pub struct PageSize {
    /// Maximum number of products.
    pub products: u32,
    /// Maximum number of their variants; each 4 KB of description counts as another.
    pub variants: usize,
}

/// Store of the products that the merchant edits. During a publish, every change is refused with
/// 409 `publish_in_progress`, so that a version reflects the record at one moment.
pub trait CatalogRecord {
    /// Inserts or replaces products, all or none, and increases the version of each. `Lost` means
    /// that one is not at the version given; new products have none.
    async fn save_products(&self, products: &[Product], now: Timestamp) -> Result<Written>;
    /// Deletes a product. `Lost` means that it is not at version `if_version`.
    async fn delete_product(&self, id: &ProductId, if_version: u64) -> Result<Written>;
    /// Returns the products with these ids, in any order.
    async fn products(&self, ids: &[ProductId]) -> Result<Vec<Product>>;
    /// Returns the products with these handles, in any order.
    async fn products_by_handle(&self, handles: &[String]) -> Result<Vec<Product>>;
    /// Returns the columns of imported files that the record stores without knowing them.
    async fn source_columns(&self) -> Result<Vec<String>>;
    /// Returns the products after `position` in the merchant's order, each with its position: as
    /// many as fit, but at least one.
    async fn products_after(&self, position: i64, size: PageSize) -> Result<Vec<(i64, Product)>>;
    /// Returns the ids of the products that have these SKUs.
    async fn owners_of_skus(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, ProductId>>;
    /// Returns up to `limit` products, in the merchant's order, whose pictures, variants or
    /// description refer to `picture`.
    async fn products_naming(&self, picture: &str, limit: usize) -> Result<Vec<ProductName>>;
    /// Claims names for lines of an import. Returns those already claimed by an earlier line, with
    /// that line.
    async fn claim_names(
        &self,
        import_id: &str,
        names: &[(String, u64)],
        now: Timestamp,
    ) -> Result<BTreeMap<String, u64>>;
}
