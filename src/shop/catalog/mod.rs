//! The catalog: what a product is, and how shoppers read the published copy of it.
//!
//! D1 is the record (`ports::CatalogRecord`); what shoppers see is one immutable published version
//! (`ports::PublishedCatalog`), never a draft.

pub mod availability;
pub mod barcodes;
pub mod handles;
pub mod html;
pub mod list;
mod offers;
pub mod one_version;
pub mod parts;
pub mod pictures;
pub mod record;
pub mod related;
pub mod rules;
pub mod sections;
pub mod version;
mod web_address;

pub use web_address::web_address;

use crate::catalog::handles::{category_handle, product_handle};
use crate::values::money::{Currency, Money};
use crate::values::tax_class::{is_standard, standard};
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A product as the merchant keeps it and as a published version freezes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// `prod_…`
    pub id: String,
    /// The name in its URL; unique.
    pub handle: String,
    /// Names that it had before, and that still lead to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_handles: Vec<String>,
    /// Plain text.
    pub title: String,
    /// Sanitised HTML.
    pub description_html: String,
    /// Vendor or maker of the product.
    pub vendor: String,
    /// Kind of product, in the merchant's words.
    pub r#type: String,
    /// Free words.
    pub tags: Vec<String>,
    /// Visibility of the product for shoppers.
    pub status: ProductStatus,
    /// Path from the root category to its own, as `["Electronics", "Phones"]`.
    pub category: Vec<String>,
    /// Options that a shopper chooses from, in order; empty for a product that comes in one form.
    pub options: Vec<ProductOption>,
    /// At least one.
    pub variants: Vec<Variant>,
    /// The first is the primary one.
    pub images: Vec<Image>,
    /// Texts for search engines.
    pub seo: Seo,
    /// Short selling points, in order.
    #[serde(default)]
    pub features: Vec<String>,
    /// Measures and the like, as `{"Display": "6.9 inches"}`.
    #[serde(default)]
    pub specifications: BTreeMap<String, String>,
    /// The merchant's own fields; public.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// Instant at which the record first had it.
    #[serde(default)]
    pub created_at: Timestamp,
    /// Instant of its last change in the record.
    #[serde(default)]
    pub updated_at: Timestamp,
    /// Counts the changes of the record.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub version: u64,
}

/// Visibility of a product for shoppers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum ProductStatus {
    /// Seen and sold.
    #[default]
    Active,
    /// Sold to whoever has its address; in no list, search, sitemap or feed.
    Unlisted,
    /// Not yet.
    Draft,
    /// No longer.
    Archived,
}

/// Something a shopper chooses, such as the colour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
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
    /// Tax class: `standard`, `exempt`, or one of the merchant's own.
    #[serde(default = "standard", skip_serializing_if = "is_standard")]
    pub tax_class: String,
    /// Cells of the imported file that the shop writes otherwise, or does not know, so that an
    /// export returns them. Staff's alone: a cost price may be among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub source: BTreeMap<String, SourceCell>,
}

/// A cell of an imported file, and what the shop would have written in its place: it stands until
/// that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCell {
    /// As the file had it.
    pub given: String,
    /// As the shop writes it.
    pub written: String,
}

/// A price in minor units of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Amount charged.
    pub amount: i64,
    /// Amount before a reduction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at_amount: Option<i64>,
    /// True when the price list had none in this currency, and it was converted from another when
    /// it was published.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub converted: bool,
    /// From what; of older publishes that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<Conversion>,
}

/// Price that another price was converted from, before rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Conversion {
    /// The price in the list.
    pub from: Money,
    /// Millionths of the major unit for one of the other's.
    pub rate_ppm: i64,
}

/// A picture of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Image {
    /// Of the web (see [`web_address`]), or a path of the shop, as the merchant gave it.
    pub url: String,
    /// For those who can't see it.
    pub alt: String,
    /// Pixels, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

/// Texts for search engines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Seo {
    /// Empty: the product's own title.
    pub title: String,
    /// Empty: the beginning of its description.
    pub description: String,
}

/// Card of a product in a list: the fields that are shown, filtered and sorted by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Place in the merchant's order.
    pub position: i64,
    /// The name in its URL.
    pub handle: String,
    /// Names that it had before, and that still lead to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_handles: Vec<String>,
    /// Plain text.
    pub title: String,
    /// Vendor or maker of the product.
    pub vendor: String,
    /// Kind of product, in the merchant's words.
    pub r#type: String,
    /// Free words.
    pub tags: Vec<String>,
    /// Path from the root category.
    pub category: Vec<String>,
    /// The primary picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Lowest and highest price in each currency.
    pub price_ranges: BTreeMap<String, PriceRange>,
    /// Prices of variants between the lowest and the highest, in each currency, in rising order.
    /// None means that it was published before they were kept: there may be any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices_between: Option<BTreeMap<String, Vec<i64>>>,
    /// Prices of the variants, in the order of their SKUs, as places among its prices from the
    /// lowest up; none where a variant is not sold. They stand for their currency and for those
    /// behind it that have no other; where nothing stands, each has the lowest. None means that it
    /// was published before they were kept: any may have any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_places: Option<Vec<(String, Vec<Option<u16>>)>>,
    /// SKUs of its variants.
    pub skus: Vec<String>,
    /// Barcodes of its variants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub barcodes: Vec<String>,
    /// True if the stock of one of its variants is not tracked, so that it is never sold out.
    pub untracked: bool,
    /// Variants that are not counted, as places among the SKUs, where others are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untracked_places: Vec<u16>,
    /// Instant at which the record first had it.
    pub created_at: Timestamp,
    /// Instant of its last change in the record.
    #[serde(default)]
    pub updated_at: Timestamp,
    /// True for a product that its address leads to and no list shows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlisted: bool,
    /// Key of the product's document.
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

impl Product {
    /// Card of this product in lists; `document` is the key of its published form.
    #[must_use]
    pub fn card(&self, position: i64, document: String) -> Card {
        Card {
            position,
            handle: self.handle.clone(),
            former_handles: self.other_handles(),
            title: self.title.clone(),
            vendor: self.vendor.clone(),
            r#type: self.r#type.clone(),
            tags: self.tags.clone(),
            category: self.category.clone(),
            image: self.images.first().cloned(),
            price_ranges: self.price_ranges(),
            prices_between: Some(self.prices_between()),
            price_places: Some(self.price_places()),
            skus: self
                .variants
                .iter()
                .map(|variant| variant.sku.clone())
                .collect(),
            barcodes: self
                .variants
                .iter()
                .filter_map(|variant| variant.barcode.clone())
                .collect(),
            untracked: self.variants.iter().any(|variant| !variant.tracked),
            untracked_places: self.untracked_places(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            unlisted: self.status == ProductStatus::Unlisted,
            document,
        }
    }

    /// Handles that lead to it beside its own: former ones, and that of its file where another
    /// product has what becomes of it.
    fn other_handles(&self) -> Vec<String> {
        let first = self.variants.first();
        let given = first.and_then(|variant| variant.source.get("Handle"));
        let given = given.map(|cell| cell.given.trim());
        let apart = given.filter(|given| product_handle(given) != self.handle);
        let mut handles = self.former_handles.clone();
        handles.extend(apart.map(str::to_owned));
        handles
    }

    /// The product without what only staff may see, and what only directories need.
    #[must_use]
    pub fn published(mut self) -> Self {
        self.version = 0;
        self.former_handles.clear();
        for variant in &mut self.variants {
            variant.source.clear();
        }
        self
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

    /// Handles of the categories it is in, from the root down.
    #[must_use]
    pub fn category_handles(&self) -> Vec<String> {
        (1..=self.category.len())
            .filter_map(|depth| self.category.get(..depth))
            .map(category_handle)
            .collect()
    }

    /// The variant with this SKU.
    #[must_use]
    pub fn variant(&self, sku: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.sku == sku)
    }
}

/// Names of a product, for people and for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductName {
    /// `prod_…`
    pub id: String,
    /// Its name in its URL.
    pub handle: String,
    /// As shoppers read it.
    pub title: String,
}

impl ProductOption {
    /// The `at`-th option of a product, with the values that its variants have, in their order.
    #[must_use]
    pub fn of(name: String, at: usize, variants: &[Variant]) -> Self {
        let mut values: Vec<String> = Vec::new();
        for value in variants
            .iter()
            .filter_map(|variant| variant.option_values.get(at))
        {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        Self { name, values }
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

    /// Price before a reduction, in `currency`.
    #[must_use]
    pub fn compare_at_price(&self, currency: Currency) -> Option<Money> {
        self.prices
            .get(currency.code())
            .and_then(|price| price.compare_at_amount)
            .map(|amount| Money::new(amount, currency))
    }
}

const fn is_zero(number: &u64) -> bool {
    *number == 0
}
