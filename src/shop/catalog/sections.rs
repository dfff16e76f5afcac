//! Entry points into the catalog, each with a picture.

use crate::catalog::Image;
use crate::catalog::version::{Category, PublishedCatalog, Version, newest_copied};
use crate::error::Result;
use futures_util::future::try_join_all;

/// A category that a shopper starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Name in the category's URL.
    pub handle: String,
    /// Title in plain text.
    pub title: String,
    /// Number of products in it and below.
    pub products: usize,
    /// Picture of its first product that has one.
    pub image: Option<Image>,
}

/// Returns up to `most` sections, largest first. Reads one card document for each.
///
/// # Errors
/// Fails if the published catalog can't be read.
pub async fn list_sections(catalog: &impl PublishedCatalog, most: usize) -> Result<Vec<Section>> {
    let sections = newest_copied(catalog, async |version: &Version| {
        let categories = version.sections().into_iter().take(most);
        try_join_all(categories.map(|category| section_of(catalog, category)))
            .await
            .map(Some)
    })
    .await?;
    Ok(sections.unwrap_or_default())
}

async fn section_of(catalog: &impl PublishedCatalog, category: &Category) -> Result<Section> {
    let image = match category.cards.first() {
        Some(key) => catalog
            .cards(key)
            .await?
            .iter()
            .find_map(|card| card.image.clone()),
        None => None,
    };
    Ok(Section {
        handle: category.handle.clone(),
        title: category.title.clone(),
        products: category.products,
        image,
    })
}
