//! Whole published catalog in parts, for sitemaps and product feeds.

use crate::catalog::version::{PublishedCatalog, Version, newest_copied};
use crate::catalog::{Card, Product};
use crate::error::Result;
use futures_util::future::try_join_all;
use futures_util::stream;
use futures_util::stream::{StreamExt, TryStreamExt};
use std::rc::Rc;

/// Number of documents read at the same time; the platform allows six open requests.
const READS_AT_ONCE: usize = 6;

/// Returns the cards of part `number`, counted from 1, in parts of `size`; empty past the last
/// part.
///
/// # Errors
/// Fails if the published catalog can't be read.
pub async fn list_cards(
    catalog: &impl PublishedCatalog,
    number: usize,
    size: usize,
) -> Result<Vec<Card>> {
    let cards = newest_copied(catalog, async |version: &Version| {
        cards_of(catalog, version, number, size).await.map(Some)
    });
    Ok(cards.await?.unwrap_or_default())
}

/// Returns the products of part `number`, counted from 1, in parts of `size`; empty past the last
/// part.
///
/// # Errors
/// Fails if the published catalog can't be read.
pub async fn list_products_part(
    catalog: &impl PublishedCatalog,
    number: usize,
    size: usize,
) -> Result<Vec<Rc<Product>>> {
    let products = newest_copied(catalog, async |version: &Version| {
        let cards = cards_of(catalog, version, number, size).await?;
        stream::iter(&cards)
            .map(|card| catalog.product(&card.document))
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await
            .map(Some)
    });
    Ok(products.await?.unwrap_or_default())
}

/// Returns the cards of one part, in the merchant's order.
async fn cards_of(
    catalog: &impl PublishedCatalog,
    version: &Version,
    number: usize,
    size: usize,
) -> Result<Vec<Card>> {
    let documents = version.cards.iter().map(|key| catalog.cards(key));
    let documents: Vec<Rc<Vec<Card>>> = try_join_all(documents).await?;
    let mut cards: Vec<&Card> = documents.iter().flat_map(|cards| cards.iter()).collect();
    cards.sort_by_key(|card| card.position);
    let before = number.saturating_sub(1).saturating_mul(size);
    Ok(cards.into_iter().skip(before).take(size).cloned().collect())
}
