//! What else someone may like who looks at a product: its neighbours in the merchant's order.

use crate::error::Result;
use crate::shop::catalog::version::newest_copied;
use crate::shop::catalog::{Card, Product, Version, category_handle};
use crate::shop::ports::PublishedCatalog;
use std::cmp::Reverse;

/// Up to `most` products of the same category: those of the same maker first. Reads one document of cards, however large the
/// category is.
///
/// # Errors
/// When the published catalog can't be read.
pub async fn list_related_products(
    catalog: &impl PublishedCatalog,
    product: &Product,
    most: usize,
) -> Result<Vec<Card>> {
    let related = newest_copied(catalog, async |version: &Version| {
        let category = version.category(&category_handle(&product.category));
        let Some(key) = category.and_then(|category| category.cards.first()) else {
            return Ok(Some(Vec::new()));
        };
        let cards = catalog.cards(key).await?;
        let mut related: Vec<&Card> = cards
            .iter()
            .filter(|card| card.handle != product.handle)
            .collect();
        related.sort_by_key(|card| (Reverse(card.vendor == product.vendor), card.position));
        Ok(Some(related.into_iter().take(most).cloned().collect()))
    })
    .await?;
    Ok(related.unwrap_or_default())
}
