//! Published version of the catalog, made of immutable documents.
//!
//! A page reads as few documents as possible: small directories, chosen by hash, map handles and
//! SKUs to a product's document; lists read the cards of their category. Changing one product
//! changes its document, its directories and its cards, and nothing else. If the copy does not have
//! a document yet, the previous version is used.

use crate::catalog::handles::{
    category_handle, former_category_handle, is_category_called, product_handle, slug,
};
use crate::catalog::{Card, Product};
use crate::codes::Code;
use crate::error::{Error, Result};
use crate::values::ids::Sku;
use crate::values::typing::plain_text;
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A published version: the keys of its documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Sequence number of the publish; price rows are valid from their publish on.
    pub seq: i64,
    /// Digest of the content: equal catalogs have equal versions.
    pub version: String,
    /// Time of the publish.
    pub published_at: Timestamp,
    /// Number of products in it.
    pub products: usize,
    /// First products in the merchant's order.
    pub featured: Vec<Card>,
    /// Categories, sorted by path.
    pub categories: Vec<Category>,
    /// Keys of all card documents.
    pub cards: Vec<String>,
    /// Keys of the directories from handles to product keys.
    pub handles: Vec<String>,
    /// Keys of the directories from SKUs to product keys.
    pub skus: Vec<String>,
}

/// A category that has products, identified by its path of names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Name in the category's URL.
    pub handle: String,
    /// Former handle, from when categories with the same name were one. `None` means that the
    /// version was published at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_handle: Option<String>,
    /// Title in plain text.
    pub title: String,
    /// Handle of the parent category. `None` means that it is a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Number of products in it and below.
    pub products: usize,
    /// Keys of the cards of those products.
    pub cards: Vec<String>,
}

impl Version {
    /// Returns the categories that a shopper starts from, largest first: the children of the root,
    /// or the roots if there are several.
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

    /// Returns the category with this handle, or else the largest one that formerly had it. Older
    /// versions know categories by their last name only.
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
    /// True if this is the category's former handle.
    #[must_use]
    pub fn had(&self, handle: &str) -> bool {
        !handle.is_empty() && self.former_handle.as_deref() == Some(handle)
    }

    pub(crate) fn empty(handle: String, path: &[String]) -> Self {
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

/// Returns the published product with this handle, or else the one that formerly had it; the
/// product itself states its current handle.
///
/// # Errors
/// 404 if no such product is published.
pub async fn get_product(catalog: &impl PublishedCatalog, handle: &str) -> Result<Rc<Product>> {
    find_product(catalog, handle)
        .await?
        .ok_or(Error::NotFound("product"))
}

/// Returns the published product with this handle, or else the one that formerly had it or whose
/// handle was derived from it.
///
/// # Errors
/// Fails if the published catalog can't be read.
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

/// Returns the published product that has `sku`.
///
/// # Errors
/// 422 `unknown_sku` if no published product has it.
pub async fn get_product_of_sku(catalog: &impl PublishedCatalog, sku: &Sku) -> Result<Rc<Product>> {
    find_product_of_sku(catalog, sku).await?.ok_or_else(|| {
        Error::invalid(
            "sku",
            Code::UnknownSku,
            "No product with this SKU is available.",
        )
    })
}

/// Returns the published product that has `sku`, if any.
///
/// # Errors
/// Fails if the published catalog can't be read.
pub async fn find_product_of_sku(
    catalog: &impl PublishedCatalog,
    sku: &Sku,
) -> Result<Option<Rc<Product>>> {
    newest_copied(catalog, async |version: &Version| {
        look_up(catalog, &version.skus, sku).await
    })
    .await
}

/// Returns a typed or pasted SKU in the merchant's spelling.
///
/// # Errors
/// 422 `unknown_sku` if no published product has it.
pub async fn read_sku(catalog: &impl PublishedCatalog, typed: &str) -> Result<Sku> {
    let (sku, plain) = (Sku::new(typed.to_owned()), Sku::new(plain_text(typed)));
    if plain != sku && find_product_of_sku(catalog, &sku).await?.is_none() {
        get_product_of_sku(catalog, &plain).await?;
        return Ok(plain);
    }
    get_product_of_sku(catalog, &sku).await?;
    Ok(sku)
}

/// Returns the categories that have products, parents before their children.
///
/// # Errors
/// Fails if the published catalog can't be read.
pub async fn list_categories(catalog: &impl PublishedCatalog) -> Result<Vec<Category>> {
    Ok(catalog.current().await?.categories.clone())
}

/// Returns the result of `ask` for the current version, or for the previous one if the copy lacks a
/// document of the current.
///
/// # Errors
/// The errors of `ask`; 503 `catalog_not_copied` if the previous version can't answer either.
pub async fn newest_copied<T>(
    catalog: &impl PublishedCatalog,
    ask: impl AsyncFn(&Version) -> Result<Option<T>>,
) -> Result<Option<T>> {
    let current = catalog.current().await?;
    let missing = match ask(&current).await {
        Err(error) if error.code() == Code::CatalogNotCopied => error,
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

/// Returns a 503 for a document that the copy does not have yet.
#[must_use]
pub const fn not_copied() -> Error {
    Error::Unavailable {
        code: Code::CatalogNotCopied,
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

/// Returns the index of the directory, out of `count`, for a name. Uses FNV-1a, whose results never
/// change.
pub(crate) fn place(name: &str, count: usize) -> usize {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    usize::try_from(hash)
        .ok()
        .and_then(|hash| hash.checked_rem(count))
        .unwrap_or(0)
}

/// Published copy of the catalog: immutable documents behind one pointer. Reading a document that
/// the copy does not have yet fails with [`crate::catalog::version::not_copied`].
pub trait PublishedCatalog {
    /// Returns the version that shoppers see now; an empty one before the first publish.
    async fn current(&self) -> Result<Rc<Version>>;
    /// Returns the version before it.
    async fn previous(&self) -> Result<Option<Rc<Version>>>;
    /// Returns the version of a publish, as long as it is stored.
    async fn version(&self, seq: i64) -> Result<Option<Rc<Version>>>;
    /// Returns a directory from names to keys.
    async fn directory(&self, key: &str) -> Result<Rc<BTreeMap<String, String>>>;
    /// Returns the cards in one document.
    async fn cards(&self, key: &str) -> Result<Rc<Vec<Card>>>;
    /// Returns a product.
    async fn product(&self, key: &str) -> Result<Rc<Product>>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::layout::Layout;

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
