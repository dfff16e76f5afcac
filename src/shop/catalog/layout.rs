//! Documents of a version, before they have keys.

use crate::catalog::Card;
use crate::catalog::handles::category_handle;
use crate::catalog::version::{Category, Version, place};
use crate::error::{Error, Result};
use crate::values::ids::digest_of;
use durable::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// Maximum number of cards in one document, about 100 KB.
pub const CARDS_A_DOCUMENT: usize = 250;

/// Average number of names in a directory; such a directory is about 8 KB.
const NAMES_A_DIRECTORY: usize = 128;

/// Number of cards that the home page can show without reading a list.
const FEATURED: usize = 12;

/// A document without a key yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Digest of the content.
    pub digest: String,
    /// The content.
    pub json: String,
}

/// The documents of a version, without keys yet.
#[derive(Debug)]
pub struct Layout {
    products: usize,
    featured: Vec<Card>,
    cards: Vec<(Vec<String>, usize, Document)>,
    handles: Vec<Document>,
    skus: Vec<Document>,
}

impl Document {
    /// Builds the document of `value`.
    ///
    /// # Errors
    /// Fails if the value can't be serialized as JSON.
    pub fn of(value: &impl Serialize) -> Result<Self> {
        let json = serde_json::to_string(value).map_err(Error::internal)?;
        Ok(Self {
            digest: digest_of(json.as_bytes()),
            json,
        })
    }
}

impl Layout {
    /// Lays out a version of these products; the same cards always give the same documents.
    ///
    /// # Errors
    /// Fails if a card can't be serialized as JSON.
    pub fn of(mut cards: Vec<Card>) -> Result<Self> {
        cards.sort_by_key(|card| card.position);
        // Former handles come first, so that a handle leads to the product that has it today.
        let former = cards.iter().flat_map(|card| {
            card.former_handles
                .iter()
                .map(|handle| (handle.as_str(), card.document.as_str()))
        });
        let handles = directories(
            former.chain(
                cards
                    .iter()
                    .map(|card| (card.handle.as_str(), card.document.as_str())),
            ),
        )?;
        let skus = directories(cards.iter().flat_map(|card| {
            card.skus
                .iter()
                .map(|sku| (sku.as_str(), card.document.as_str()))
        }))?;
        cards.retain(|card| !card.unlisted);
        let products = cards.len();
        let featured = cards.iter().take(FEATURED).cloned().collect();
        let mut by_path: BTreeMap<Vec<String>, Vec<Card>> = BTreeMap::new();
        for card in cards {
            by_path.entry(card.category.clone()).or_default().push(card);
        }
        let mut documents = Vec::new();
        for (path, cards) in by_path {
            for chunk in cards.chunks(CARDS_A_DOCUMENT) {
                documents.push((path.clone(), chunk.len(), Document::of(&chunk)?));
            }
        }
        Ok(Self {
            products,
            featured,
            cards: documents,
            handles,
            skus,
        })
    }

    /// Returns all documents.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        let cards = self.cards.iter().map(|(_, _, document)| document);
        self.handles.iter().chain(&self.skus).chain(cards)
    }

    /// Builds the version once each document has its key.
    ///
    /// # Errors
    /// Fails if a document has no key, or a card can't be serialized as JSON.
    pub fn version(
        &self,
        seq: i64,
        published_at: Timestamp,
        keys: &BTreeMap<String, String>,
    ) -> Result<Version> {
        let key_of = |document: &Document| {
            keys.get(&document.digest)
                .cloned()
                .ok_or_else(|| Error::internal("a document of the version has no key"))
        };
        let mut categories: BTreeMap<Vec<String>, Category> = BTreeMap::new();
        let mut path_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut cards = Vec::new();
        for (path, products, document) in &self.cards {
            let key = key_of(document)?;
            for depth in 1..=path.len() {
                let above = path.get(..depth).unwrap_or_default();
                let handle = category_handle(above);
                let first = path_of
                    .entry(handle.clone())
                    .or_insert_with(|| above.to_vec());
                let category = categories
                    .entry(first.clone())
                    .or_insert_with(|| Category::empty(handle, above));
                category.products = category.products.saturating_add(*products);
                category.cards.push(key.clone());
            }
            cards.push(key);
        }
        let mut version = Version {
            products: self.products,
            featured: self.featured.clone(),
            categories: categories.into_values().collect(),
            cards,
            handles: self.handles.iter().map(key_of).collect::<Result<_>>()?,
            skus: self.skus.iter().map(key_of).collect::<Result<_>>()?,
            ..Version::default()
        };
        version.version = Document::of(&version)?.digest;
        version.seq = seq;
        version.published_at = published_at;
        Ok(version)
    }
}

/// Distributes names and their keys over directories by hash.
fn directories<'a>(
    entries: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<Vec<Document>> {
    let count = entries
        .clone()
        .count()
        .div_ceil(NAMES_A_DIRECTORY)
        .next_power_of_two();
    let mut directories: Vec<BTreeMap<&str, &str>> = vec![BTreeMap::new(); count];
    for (name, key) in entries {
        if let Some(directory) = directories.get_mut(place(name, count)) {
            directory.insert(name, key);
        }
    }
    directories.iter().map(Document::of).collect()
}
