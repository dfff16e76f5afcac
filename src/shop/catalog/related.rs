//! Related products: neighbors of a product in the merchant's order.

use crate::catalog::version::{PublishedCatalog, Version, newest_copied};
use crate::catalog::{Card, Product};
use crate::error::Result;
use std::cmp::Reverse;

/// Maximum number of card documents read for one product.
const MOST_DOCUMENTS: usize = 4;

/// Returns up to `most` products of the same category, then of its parent categories; within each
/// card document, those of the same vendor come first. Reads at most [`MOST_DOCUMENTS`], however
/// large the categories are.
///
/// # Errors
/// Fails if the published catalog can't be read.
pub async fn list_related_products(
    catalog: &impl PublishedCatalog,
    product: &Product,
    most: usize,
) -> Result<Vec<Card>> {
    let related = newest_copied(catalog, async |version: &Version| {
        let mut related: Vec<Card> = Vec::new();
        for key in nearest_documents(version, product) {
            let wanted = most.saturating_sub(related.len());
            if wanted == 0 {
                break;
            }
            let cards = catalog.cards(key).await?;
            let nearest = neighbours(&cards, product, &related);
            related.extend(nearest.into_iter().take(wanted).cloned());
        }
        Ok(Some(related))
    })
    .await?;
    Ok(related.unwrap_or_default())
}

/// Returns the card documents of a product's categories, its own category first.
fn nearest_documents<'v>(version: &'v Version, product: &Product) -> Vec<&'v String> {
    let mut keys: Vec<&String> = Vec::new();
    for handle in product.category_handles().iter().rev() {
        let category = version.category(handle).into_iter();
        for key in category.flat_map(|category| &category.cards) {
            if keys.len() < MOST_DOCUMENTS && !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys
}

/// Returns the cards that are neither the product itself nor already known.
fn neighbours<'c>(cards: &'c [Card], product: &Product, known: &[Card]) -> Vec<&'c Card> {
    let is_new = |card: &&Card| {
        card.handle != product.handle && known.iter().all(|known| known.handle != card.handle)
    };
    let mut new: Vec<&Card> = cards.iter().filter(is_new).collect();
    new.sort_by_key(|card| (Reverse(card.vendor == product.vendor), card.position));
    new
}
