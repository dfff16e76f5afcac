//! Catalog: products, and the published copy that shoppers read.
//!
//! D1 holds the record ([`record::CatalogRecord`]); shoppers see one immutable published version
//! ([`version::PublishedCatalog`]), never a draft.

pub mod availability;
pub mod barcodes;
pub mod handles;
pub mod html;
pub mod layout;
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
use crate::values::ids::{ProductId, Sku, VariantId};
use crate::values::money::{Currency, Money};
use crate::values::tax_class::{is_standard, standard};
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A product, as the merchant edits it and as a published version freezes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Id, `prod_…`.
    pub id: ProductId,
    /// Unique name in its URL.
    pub handle: String,
    /// Former handles, which still lead to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_handles: Vec<String>,
    /// Title in plain text.
    pub title: String,
    /// Description in sanitized HTML.
    pub description_html: String,
    /// Vendor or maker of the product.
    pub vendor: String,
    /// Kind of product, in the merchant's words.
    pub r#type: String,
    /// Free-form tags.
    pub tags: Vec<String>,
    /// Visibility for shoppers.
    pub status: ProductStatus,
    /// Path from the root category to the product's own, such as `["Electronics", "Phones"]`.
    pub category: Vec<String>,
    /// Options that a shopper chooses from, in order; empty for a product with a single variant.
    pub options: Vec<ProductOption>,
    /// Variants; at least one.
    pub variants: Vec<Variant>,
    /// Pictures; the first is the primary one.
    pub images: Vec<Image>,
    /// Texts for search engines.
    pub seo: Seo,
    /// Short selling points, in order.
    #[serde(default)]
    pub features: Vec<String>,
    /// Specifications, such as `{"Display": "6.9 inches"}`.
    #[serde(default)]
    pub specifications: BTreeMap<String, String>,
    /// The merchant's own fields; public.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// Time at which it was created in the record.
    #[serde(default)]
    pub created_at: Timestamp,
    /// Time of its last change in the record.
    #[serde(default)]
    pub updated_at: Timestamp,
    /// Number of changes in the record.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub version: u64,
}

/// Visibility of a product for shoppers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum ProductStatus {
    /// Shown and sold.
    #[default]
    Active,
    /// Sold to anyone who has its URL, but in no list, search, sitemap or feed.
    Unlisted,
    /// Not on sale yet.
    Draft,
    /// No longer on sale.
    Archived,
}

/// Something that a shopper chooses, such as the color.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct ProductOption {
    /// Name of the option, such as `Color`.
    pub name: String,
    /// Values, in the merchant's order.
    pub values: Vec<String>,
}

/// A variant of a product; the unit that is put in a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Id, `var_…`.
    pub id: VariantId,
    /// Stock keeping unit; unique in the shop.
    pub sku: Sku,
    /// True if the merchant gave no SKU and the shop generated a stable one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sku_generated: bool,
    /// Chosen values as text, such as `Deep Blue / 256GB`; empty for a product's only variant.
    pub title: String,
    /// One value for each option of the product, in the same order.
    pub option_values: Vec<String>,
    /// Price in each currency that it is sold in, by ISO 4217 code.
    pub prices: BTreeMap<String, Price>,
    /// Barcode, such as a GTIN. `None` means that it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
    /// Weight in grams. `None` means unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<u32>,
    /// URL of the picture of this variant. `None` means that it has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// False if its stock is not tracked, so that it can always be sold.
    pub tracked: bool,
    /// Tax class: `standard`, `exempt`, or one of the merchant's own.
    #[serde(default = "standard", skip_serializing_if = "is_standard")]
    pub tax_class: String,
    /// Cells of the imported file that the shop would write differently or does not know, kept so
    /// that an export returns them. Visible to staff only, because a cost price may be among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub source: BTreeMap<String, SourceCell>,
}

/// A cell of an imported file, and the text that the shop would have written in its place. The
/// original is exported until that text changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCell {
    /// Text in the file.
    pub given: String,
    /// Text that the shop would write.
    pub written: String,
}

/// A price in minor units of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Amount charged.
    pub amount: i64,
    /// Amount before a reduction. `None` means that it is not reduced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at_amount: Option<i64>,
    /// True if the catalog had no price in this currency, so that it was converted from another at
    /// the time of the publish.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub converted: bool,
    /// Conversion of the price. `None` means that it was not converted, or that the publish is too
    /// old to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<Conversion>,
}

/// Price that another price was converted from, before rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Conversion {
    /// Price in the catalog.
    pub from: Money,
    /// Exchange rate in parts per million: target major units per source major unit.
    pub rate_ppm: i64,
}

/// A picture of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Image {
    /// Web address (see [`web_address`]) or path within the shop, as given by the merchant.
    pub url: String,
    /// Alternative text for people who can't see it.
    pub alt: String,
    /// Width in pixels. `None` means unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels. `None` means unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

/// Texts for search engines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Seo {
    /// Title; if empty, the product's own is used.
    pub title: String,
    /// Description; if empty, the beginning of the product's own is used.
    pub description: String,
}

/// Card of a product in a list: the fields to show, filter and sort by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Position in the merchant's order.
    pub position: i64,
    /// Name in the product's URL.
    pub handle: String,
    /// Former handles, which still lead to the product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_handles: Vec<String>,
    /// Title in plain text.
    pub title: String,
    /// Vendor or maker of the product.
    pub vendor: String,
    /// Kind of product, in the merchant's words.
    pub r#type: String,
    /// Free-form tags.
    pub tags: Vec<String>,
    /// Path from the root category.
    pub category: Vec<String>,
    /// Primary picture. `None` means that the product has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Lowest and highest price in each currency.
    pub price_ranges: BTreeMap<String, PriceRange>,
    /// Prices of variants between the lowest and the highest, ascending, in each currency. `None`
    /// means that the card is older than this field, so any prices are possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices_between: Option<BTreeMap<String, Vec<i64>>>,
    /// Price of each variant, in the order of `skus`, as an index into the ascending list of the
    /// product's prices; `None` for a variant that is not sold in the currency. A list also applies
    /// to the following currencies that have none of their own; an empty list means that every
    /// variant has the lowest price. If the whole field is `None`, the card is older than the
    /// field, and any variant may have any of the prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_places: Option<Vec<(String, Vec<Option<u16>>)>>,
    /// SKUs of the variants.
    pub skus: Vec<Sku>,
    /// Barcodes of the variants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub barcodes: Vec<String>,
    /// True if the stock of at least one variant is not tracked, so that the product is never sold
    /// out.
    pub untracked: bool,
    /// Indexes into `skus` of the untracked variants, if others are tracked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untracked_places: Vec<u16>,
    /// Time at which it was created in the record.
    pub created_at: Timestamp,
    /// Time of its last change in the record.
    #[serde(default)]
    pub updated_at: Timestamp,
    /// True for a product that no list shows, and that only its URL leads to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlisted: bool,
    /// Key of the product's document.
    pub document: String,
}

/// Lowest and highest price of a product's variants, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRange {
    /// Lowest price.
    pub min: i64,
    /// Highest price.
    pub max: i64,
    /// Highest price before a reduction. `None` means that nothing is reduced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<i64>,
}

impl Product {
    /// Returns the product's card; `document` is the key of its published document.
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

    /// Returns the other handles that lead to it: former ones, and the one given in its imported
    /// file, if another product took the handle derived from it.
    fn other_handles(&self) -> Vec<String> {
        let first = self.variants.first();
        let given = first.and_then(|variant| variant.source.get("Handle"));
        let given = given.map(|cell| cell.given.trim());
        let apart = given.filter(|given| product_handle(given) != self.handle);
        let mut handles = self.former_handles.clone();
        handles.extend(apart.map(str::to_owned));
        handles
    }

    /// Returns the product without fields that only staff may see or only directories need.
    #[must_use]
    pub fn published(mut self) -> Self {
        self.version = 0;
        self.former_handles.clear();
        for variant in &mut self.variants {
            variant.source.clear();
        }
        self
    }

    /// Returns the lowest and highest price in each currency that any variant is sold in.
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

    /// Returns the handles of the product's categories, from the root down.
    #[must_use]
    pub fn category_handles(&self) -> Vec<String> {
        (1..=self.category.len())
            .filter_map(|depth| self.category.get(..depth))
            .map(category_handle)
            .collect()
    }

    /// Returns the variant with this SKU.
    #[must_use]
    pub fn variant(&self, sku: &Sku) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.sku == *sku)
    }
}

/// Names of a product, for people and for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductName {
    /// Id, `prod_…`.
    pub id: ProductId,
    /// Handle of the product.
    pub handle: String,
    /// Title shown to shoppers.
    pub title: String,
}

impl ProductOption {
    /// Builds the option at index `at` of a product, with the values of its variants in their
    /// order.
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
    /// Returns the price in `currency`. `None` means that it is not sold in it.
    #[must_use]
    pub fn price(&self, currency: Currency) -> Option<Money> {
        self.prices
            .get(currency.code())
            .map(|price| Money::new(price.amount, currency))
    }

    /// Returns the price before a reduction in `currency`. `None` means that it is not reduced.
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
