//! The catalog: what a product is, and how shoppers read the published copy of it.
//!
//! D1 is the record (`ports::CatalogRecord`); what shoppers see is one immutable published version
//! (`ports::PublishedCatalog`), never a draft.

use crate::error::{Error, Result};
use crate::shop::money::{Currency, Money};
use crate::shop::ports::PublishedCatalog;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A product as the merchant keeps it and as a published version freezes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// `prod_…`
    pub id: String,
    /// The name in its URL; unique.
    pub handle: String,
    /// Plain text.
    pub title: String,
    /// Sanitised HTML.
    pub description_html: String,
    /// Who makes it.
    pub vendor: String,
    /// What kind of thing it is, in the merchant's words.
    pub r#type: String,
    /// Free words.
    pub tags: Vec<String>,
    /// Whether shoppers may see it.
    pub status: Status,
    /// Path from the root category to its own, as `["Electronics", "Phones"]`.
    pub category: Vec<String>,
    /// What a shopper chooses, in order; empty for a product that comes in one form.
    pub options: Vec<ProductOption>,
    /// At least one.
    pub variants: Vec<Variant>,
    /// The first is the primary one.
    pub images: Vec<Image>,
    /// What search engines show.
    pub seo: Seo,
}

/// Whether shoppers may see a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Seen and sold.
    #[default]
    Active,
    /// Not yet.
    Draft,
    /// No longer.
    Archived,
}

/// Something a shopper chooses, such as the colour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductOption {
    /// `Color`
    pub name: String,
    /// In the merchant's order.
    pub values: Vec<String>,
}

/// One form of a product: what is put in a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// `var_…`
    pub id: String,
    /// Stock keeping unit; unique in the shop.
    pub sku: String,
    /// True when the merchant gave none, and the shop made a stable one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sku_generated: bool,
    /// The chosen values in words, `Deep Blue / 256GB`; empty for the only variant.
    pub title: String,
    /// One value for each option of the product, in its order.
    pub option_values: Vec<String>,
    /// Price in each currency it is sold in.
    pub prices: BTreeMap<String, Price>,
    /// GTIN or the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
    /// Grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<u32>,
    /// URL of the picture of this variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// False when units are not counted, and it can always be sold.
    pub tracked: bool,
}

/// A price in minor units of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// What is charged.
    pub amount: i64,
    /// What it cost before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at_amount: Option<i64>,
}

/// A picture of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Absolute, or a path of the shop.
    pub url: String,
    /// For those who can't see it.
    pub alt: String,
}

/// What search engines show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seo {
    /// Empty: the product's own title.
    pub title: String,
    /// Empty: the beginning of its description.
    pub description: String,
}

/// One published version of the catalog, without the products' depths: enough for lists and for finding the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Names the content: equal catalogs, equal versions.
    pub version: String,
    /// Counts up with every publish; price rows are valid from theirs on.
    pub seq: i64,
    /// In the merchant's order.
    pub products: Vec<Card>,
}

/// What a list shows of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The name in its URL.
    pub handle: String,
    /// Plain text.
    pub title: String,
    /// Who makes it.
    pub vendor: String,
    /// Path from the root category.
    pub category: Vec<String>,
    /// The primary picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Lowest and highest price in each currency.
    pub price_ranges: BTreeMap<String, PriceRange>,
    /// SKUs of its variants.
    pub skus: Vec<String>,
    /// Digest of the product's document.
    pub document: String,
}

/// Lowest and highest price of a product's variants, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRange {
    /// Lowest.
    pub min: i64,
    /// Highest.
    pub max: i64,
    /// The highest price it was before, where something is on sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<i64>,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; none on the last.
    pub next: Option<Cursor>,
    /// Items on all pages.
    pub total: usize,
}

/// Where a page begins, in one published version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The version that the list walks.
    pub version: String,
    /// Items before this page.
    pub offset: usize,
}

impl Product {
    /// What a list shows of this product; `document` is the digest of its published form.
    #[must_use]
    pub fn card(&self, document: String) -> Card {
        Card {
            handle: self.handle.clone(),
            title: self.title.clone(),
            vendor: self.vendor.clone(),
            category: self.category.clone(),
            image: self.images.first().cloned(),
            price_ranges: self.price_ranges(),
            skus: self
                .variants
                .iter()
                .map(|variant| variant.sku.clone())
                .collect(),
            document,
        }
    }

    /// Lowest and highest price in each currency that any variant is sold in.
    #[must_use]
    pub fn price_ranges(&self) -> BTreeMap<String, PriceRange> {
        let mut ranges: BTreeMap<String, PriceRange> = BTreeMap::new();
        for (currency, price) in self.variants.iter().flat_map(|variant| &variant.prices) {
            ranges
                .entry(currency.clone())
                .and_modify(|range| {
                    range.min = range.min.min(price.amount);
                    range.max = range.max.max(price.amount);
                    range.compare_at = range.compare_at.max(price.compare_at_amount);
                })
                .or_insert(PriceRange {
                    min: price.amount,
                    max: price.amount,
                    compare_at: price.compare_at_amount,
                });
        }
        ranges
    }

    /// The variant with this SKU.
    #[must_use]
    pub fn variant(&self, sku: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.sku == sku)
    }
}

impl Variant {
    /// Its price in `currency`; none where it isn't sold in it.
    #[must_use]
    pub fn price(&self, currency: Currency) -> Option<Money> {
        self.prices
            .get(currency.code())
            .map(|price| Money::new(price.amount, currency))
    }

    /// What it cost before, in `currency`.
    #[must_use]
    pub fn compare_at_price(&self, currency: Currency) -> Option<Money> {
        self.prices
            .get(currency.code())
            .and_then(|price| price.compare_at_amount)
            .map(|amount| Money::new(amount, currency))
    }
}

impl Index {
    /// The card of the product with this handle.
    #[must_use]
    pub fn card(&self, handle: &str) -> Option<&Card> {
        self.products.iter().find(|card| card.handle == handle)
    }

    /// The card of the product that this SKU is a variant of.
    #[must_use]
    pub fn card_of_sku(&self, sku: &str) -> Option<&Card> {
        self.products
            .iter()
            .find(|card| card.skus.iter().any(|known| known == sku))
    }

    /// The categories that have products, by path, each with its number of products (those of its sub-categories included).
    #[must_use]
    pub fn categories(&self) -> BTreeMap<Vec<String>, usize> {
        let mut counts: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for card in &self.products {
            for depth in 1..=card.category.len() {
                if let Some(path) = card.category.get(..depth) {
                    let count = counts.entry(path.to_vec()).or_default();
                    *count = count.saturating_add(1);
                }
            }
        }
        counts
    }
}

/// A page of the published products, of one category where asked.
///
/// # Errors
/// 404 for a category without products, 410-like refusal for a cursor whose version is gone.
pub async fn list_products(
    catalog: &impl PublishedCatalog,
    category: Option<&str>,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<Page<Card>> {
    let index = match &cursor {
        Some(cursor) => catalog.index_of(&cursor.version).await?.ok_or_else(|| {
            Error::malformed(
                "cursor_expired",
                "This list has changed; start at its first page.",
            )
        })?,
        None => catalog.index().await?,
    };
    let offset = cursor.map_or(0, |cursor| cursor.offset);
    let matching: Vec<&Card> = index
        .products
        .iter()
        .filter(|card| category.is_none_or(|wanted| card.is_in(wanted)))
        .collect();
    if category.is_some() && matching.is_empty() {
        return Err(Error::NotFound("category"));
    }
    let items: Vec<Card> = matching
        .iter()
        .skip(offset)
        .take(limit)
        .map(|card| (*card).clone())
        .collect();
    let end = offset.saturating_add(items.len());
    Ok(Page {
        items,
        next: (end < matching.len()).then(|| Cursor {
            version: index.version.clone(),
            offset: end,
        }),
        total: matching.len(),
    })
}

/// The published product with this handle.
///
/// # Errors
/// 404 when no such product is published.
pub async fn get_product(catalog: &impl PublishedCatalog, handle: &str) -> Result<Rc<Product>> {
    let index = catalog.index().await?;
    let card = index.card(handle).ok_or(Error::NotFound("product"))?;
    catalog.product(&card.document).await
}

/// The published product that has `sku`.
///
/// # Errors
/// 422 `unknown_sku` when no published product has it.
pub async fn get_product_of_sku(catalog: &impl PublishedCatalog, sku: &str) -> Result<Rc<Product>> {
    let index = catalog.index().await?;
    let card = index.card_of_sku(sku).ok_or_else(|| {
        Error::invalid("sku", "unknown_sku", "No product with this SKU is on sale.")
    })?;
    catalog.product(&card.document).await
}

impl Card {
    /// Whether it is in the category with this handle, or below it.
    #[must_use]
    pub fn is_in(&self, category: &str) -> bool {
        (1..=self.category.len()).any(|depth| {
            self.category
                .get(..depth)
                .is_some_and(|path| category_handle(path) == category)
        })
    }
}

/// The handle of a category: its last name, as it stands in a URL.
#[must_use]
pub fn category_handle(path: &[String]) -> String {
    path.last().map(|name| slug(name)).unwrap_or_default()
}

/// The HTML of a merchant's description without anything that could run, frame or submit: what is left is text, lists, tables,
/// links and pictures.
#[must_use]
pub fn sanitise_html(html: &str) -> String {
    ammonia::clean(html)
}

/// Lower-case letters and digits of `text`, whatever lies between them as one hyphen.
#[must_use]
pub fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_can_not_run_anything() {
        let dirty = r#"<p onclick="x()">Hi<script>x()</script><a href="javascript:x()">a</a><img src=x onerror=x()></p>"#;
        assert_eq!(
            sanitise_html(dirty),
            r#"<p>Hi<a rel="noopener noreferrer">a</a><img src="x"></p>"#
        );
    }

    #[test]
    fn slugs_are_fit_for_urls() {
        assert_eq!(slug("Cases & Protection"), "cases-protection");
        assert_eq!(slug("  Deep Blue / 256GB "), "deep-blue-256gb");
        assert_eq!(slug("&"), "");
    }
}
