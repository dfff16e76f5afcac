//! Pictures of products, by SKU.

use crate::catalog::Product;
use crate::catalog::version::{PublishedCatalog, find_product_of_sku};
use crate::values::ids::Sku;
use futures_util::future::join_all;
use std::collections::BTreeMap;

/// Returns the picture URLs of `skus`. SKUs that are no longer on sale or can't be read are left
/// out.
pub async fn list_pictures(
    catalog: &impl PublishedCatalog,
    skus: impl Iterator<Item = &Sku>,
) -> BTreeMap<Sku, String> {
    let pictures = skus.map(async |sku| {
        let product = find_product_of_sku(catalog, sku).await.ok()??;
        Some((sku.to_owned(), product.picture_of(sku)?.to_owned()))
    });
    join_all(pictures).await.into_iter().flatten().collect()
}

impl Product {
    /// URL of the picture of the variant with this SKU: its own, or else the product's first.
    #[must_use]
    pub fn picture_of(&self, sku: &Sku) -> Option<&str> {
        let own = self.variant(sku)?.image.as_deref();
        own.or_else(|| self.images.first().map(|image| image.url.as_str()))
    }
}
