//! One published version of the catalog, as documents that can't change.
//!
//! A page reads as few of them as it can: handles and SKUs lead to a product's document through
//! small directories, found by hash; lists read the cards of their category. A change of one
//! product changes its document, its directory and its cards, and nothing else. A document that the
//! copy does not have yet is answered from the version before.

use crate::catalog::handles::{
    category_handle, former_category_handle, is_category_called, product_handle, slug,
};
use crate::catalog::{Card, Product};
use crate::error::{Error, Result};
use crate::values::ids::digest_of;
use crate::values::typing::plain_text;
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Most cards in one document: some 100 KB.
pub const CARDS_A_DOCUMENT: usize = 250;

/// Names in a directory, on average; a directory of that many is some 8 KB.
const NAMES_A_DIRECTORY: usize = 128;

/// Cards that the home page can show without reading a list.
const FEATURED: usize = 12;

/// One published version: where its documents are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Counts up with every publish; price rows are valid from theirs on.
    pub seq: i64,
    /// Names the content: equal catalogs, equal versions.
    pub version: String,
    /// Instant of the publish.
    pub published_at: Timestamp,
    /// Products in it.
    pub products: usize,
    /// The first of the merchant's order.
    pub featured: Vec<Card>,
    /// In the order of their paths.
    pub categories: Vec<Category>,
    /// Keys of all cards.
    pub cards: Vec<String>,
    /// Keys of the directories from a handle to a product's key.
    pub handles: Vec<String>,
    /// Keys of the directories from a SKU to its product's key.
    pub skus: Vec<String>,
}

/// A category that has products: a path of names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// The name in its URL.
    pub handle: String,
    /// The name in its URL while categories of one name were one. None means that the version was
    /// published then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_handle: Option<String>,
    /// Plain text.
    pub title: String,
    /// Handle of the category above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Products in it and below.
    pub products: usize,
    /// Keys of the cards of those products.
    pub cards: Vec<String>,
}

/// A document before it has a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Names the content.
    pub digest: String,
    /// The content.
    pub json: String,
}

/// The documents of a version, before they have keys.
#[derive(Debug)]
pub struct Layout {
    products: usize,
    featured: Vec<Card>,
    cards: Vec<(Vec<String>, usize, Document)>,
    handles: Vec<Document>,
    skus: Vec<Document>,
}

impl Document {
    /// The document of `value`.
    ///
    /// # Errors
    /// When it does not write as JSON.
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
    /// When a card does not write as JSON.
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

    /// Every document.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        let cards = self.cards.iter().map(|(_, _, document)| document);
        self.handles.iter().chain(&self.skus).chain(cards)
    }

    /// The version, once each document has its key.
    ///
    /// # Errors
    /// When a document has none, or a card does not write as JSON.
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

impl Version {
    /// The categories that a shopper starts from, the largest first: below the root, or the roots
    /// where there are several.
    #[must_use]
    pub fn sections(&self) -> Vec<&Category> {
        let below = |parent: Option<&str>| -> Vec<&Category> {
            let categories = self.categories.iter();
            categories
                .filter(|category| category.parent.as_deref() == parent)
                .collect()
        };
        let roots = below(None);
        let mut sections = match roots.as_slice() {
            [root] => below(Some(&root.handle)),
            _ => Vec::new(),
        };
        if sections.is_empty() {
            sections = roots;
        }
        sections.sort_by_key(|category| Reverse(category.products));
        sections
    }

    /// The category with this handle, or else the largest that had it before. A version of before
    /// knows categories by their names alone.
    #[must_use]
    pub fn category(&self, handle: &str) -> Option<&Category> {
        let mut categories = self.categories.iter();
        categories
            .find(|category| category.handle == handle)
            .or_else(|| {
                let categories = self.categories.iter().rev();
                categories
                    .filter(|category| category.had(handle))
                    .max_by_key(|category| category.products)
            })
            .or_else(|| {
                let mut categories = self.categories.iter();
                categories.find(|category| {
                    category.former_handle.is_none() && is_category_called(handle, &category.handle)
                })
            })
    }
}

impl Category {
    /// True for a handle that it had before.
    #[must_use]
    pub fn had(&self, handle: &str) -> bool {
        !handle.is_empty() && self.former_handle.as_deref() == Some(handle)
    }

    fn empty(handle: String, path: &[String]) -> Self {
        Self {
            handle,
            former_handle: Some(former_category_handle(path)),
            title: path.last().cloned().unwrap_or_default(),
            parent: path
                .split_last()
                .map(|(_, above)| category_handle(above))
                .filter(|parent| !parent.is_empty()),
            products: 0,
            cards: Vec::new(),
        }
    }
}

/// The published product with this handle, or else that had it before: what it is called now, it
/// says itself.
///
/// # Errors
/// 404 when no such product is published.
pub async fn get_product(catalog: &impl PublishedCatalog, handle: &str) -> Result<Rc<Product>> {
    find_product(catalog, handle)
        .await?
        .ok_or(Error::NotFound("product"))
}

/// The published product with this handle, or else that had it before, or whose handle was made of
/// it, if any.
///
/// # Errors
/// When the published catalog can't be read.
pub async fn find_product(
    catalog: &impl PublishedCatalog,
    handle: &str,
) -> Result<Option<Rc<Product>>> {
    newest_copied(catalog, async |version: &Version| {
        let mut asked = vec![handle.to_owned()];
        for name in [product_handle(handle), slug(handle)] {
            if !name.is_empty() && !asked.contains(&name) {
                asked.push(name);
            }
        }
        for name in asked {
            let found = look_up(catalog, &version.handles, &name).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    })
    .await
}

/// The published product that has `sku`.
///
/// # Errors
/// 422 `unknown_sku` when no published product has it.
pub async fn get_product_of_sku(catalog: &impl PublishedCatalog, sku: &str) -> Result<Rc<Product>> {
    find_product_of_sku(catalog, sku)
        .await?
        .ok_or_else(|| Error::invalid("sku", "unknown_sku", "No product with this SKU is on sale."))
}

/// The published product that has `sku`, if any.
///
/// # Errors
/// When the published catalog can't be read.
pub async fn find_product_of_sku(
    catalog: &impl PublishedCatalog,
    sku: &str,
) -> Result<Option<Rc<Product>>> {
    newest_copied(catalog, async |version: &Version| {
        look_up(catalog, &version.skus, sku).await
    })
    .await
}

/// A published SKU as the merchant writes it, of one that was typed or pasted.
///
/// # Errors
/// 422 `unknown_sku` when no published product has it.
pub async fn read_sku(catalog: &impl PublishedCatalog, typed: &str) -> Result<String> {
    let plain = plain_text(typed);
    if plain != typed && find_product_of_sku(catalog, typed).await?.is_none() {
        get_product_of_sku(catalog, &plain).await?;
        return Ok(plain);
    }
    get_product_of_sku(catalog, typed).await?;
    Ok(typed.to_owned())
}

/// The categories that have products, parents before their children.
///
/// # Errors
/// When the published catalog can't be read.
pub async fn list_categories(catalog: &impl PublishedCatalog) -> Result<Vec<Category>> {
    Ok(catalog.current().await?.categories.clone())
}

/// Result of `ask` for the current version, or for the one before where the copy lacks a document
/// of the current one.
///
/// # Errors
/// As `ask`; 503 `catalog_not_copied` when the version before can't answer it either.
pub async fn newest_copied<T>(
    catalog: &impl PublishedCatalog,
    ask: impl AsyncFn(&Version) -> Result<Option<T>>,
) -> Result<Option<T>> {
    let current = catalog.current().await?;
    let missing = match ask(&current).await {
        Err(error) if error.code() == NOT_COPIED => error,
        outcome => return outcome,
    };
    let Some(previous) = catalog.previous().await? else {
        return Err(missing);
    };
    match ask(&previous).await? {
        Some(found) => Ok(Some(found)),
        None => Err(missing),
    }
}

const NOT_COPIED: &str = "catalog_not_copied";

/// 503 for a document that the copy does not have yet.
#[must_use]
pub const fn not_copied() -> Error {
    Error::Unavailable {
        code: NOT_COPIED,
        retry_after_secs: 5,
    }
}

async fn look_up(
    catalog: &impl PublishedCatalog,
    directories: &[String],
    name: &str,
) -> Result<Option<Rc<Product>>> {
    let Some(directory) = directories.get(place(name, directories.len())) else {
        return Ok(None);
    };
    match catalog.directory(directory).await?.get(name) {
        Some(document) => catalog.product(document).await.map(Some),
        None => Ok(None),
    }
}

/// Names and the keys they lead to, spread over directories by hash.
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

/// Number of the directory, of `count`, that holds a name: FNV-1a, whose results never change.
fn place(name: &str, count: usize) -> usize {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    usize::try_from(hash)
        .ok()
        .and_then(|hash| hash.checked_rem(count))
        .unwrap_or(0)
}

/// The published copy of the catalog: immutable documents behind one pointer. Reading a document
/// that the copy does not have yet fails with [`crate::catalog::version::not_copied`].
pub trait PublishedCatalog {
    /// The version that shoppers see now; an empty one before the first publish.
    async fn current(&self) -> Result<Rc<Version>>;
    /// The version that they saw before it.
    async fn previous(&self) -> Result<Option<Rc<Version>>>;
    /// The version of a publish, while it is kept.
    async fn version(&self, seq: i64) -> Result<Option<Rc<Version>>>;
    /// A directory: names, and the keys they lead to.
    async fn directory(&self, key: &str) -> Result<Rc<BTreeMap<String, String>>>;
    /// Cards of one category.
    async fn cards(&self, key: &str) -> Result<Rc<Vec<Card>>>;
    /// A product.
    async fn product(&self, key: &str) -> Result<Rc<Product>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_of(paths: &[&[&str]]) -> Version {
        let cards = (1..).zip(paths).map(|(position, path)| {
            let product = Product {
                handle: format!("product-{position}"),
                category: path.iter().map(|name| (*name).to_owned()).collect(),
                ..Product::default()
            };
            product.card(position, format!("document-{position}"))
        });
        let layout = Layout::of(cards.collect()).unwrap();
        let keys = layout
            .documents()
            .map(|document| (document.digest.clone(), document.digest.clone()))
            .collect();
        layout.version(1, Timestamp::default(), &keys).unwrap()
    }

    #[test]
    fn categories_of_one_name_are_as_many_as_their_paths() {
        let version = version_of(&[
            &["Men", "Shoes"],
            &["Women", "Shoes"],
            &["Women", "Shoes"],
            &["🎁"],
        ]);
        let products = |handle: &str| version.category(handle).map(|it| it.products);
        assert_eq!(products("men--shoes"), Some(1));
        assert_eq!(products("women--shoes"), Some(2));
        assert_eq!(products("women"), Some(2));
        assert_eq!(products(""), None);
        let led_on = version.category("shoes").unwrap();
        assert_eq!(
            (led_on.handle.as_str(), led_on.had("shoes")),
            ("women--shoes", true)
        );
        for category in &version.categories {
            let parent = category.parent.as_deref();
            assert!(!category.handle.is_empty());
            assert!(parent.is_none_or(|parent| version.category(parent).is_some()));
        }
    }

    #[test]
    fn a_version_of_before_is_found_by_paths() {
        let before: Category = serde_json::from_str(
            r#"{"handle":"shoes","title":"Shoes","parent":"men","products":1,"cards":["k"]}"#,
        )
        .unwrap();
        let version = Version {
            categories: vec![before],
            ..Version::default()
        };
        for handle in ["shoes", "men--shoes", "women--shoes"] {
            let found = version.category(handle).unwrap();
            assert!(!found.had(handle), "a cache would keep the way back");
        }
        assert_eq!(version.category("men"), None);
    }
}
