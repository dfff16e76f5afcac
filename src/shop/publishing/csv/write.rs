//! Writer of Shopify's product CSV; reading the result again changes nothing.

use crate::catalog::{Product, ProductStatus, Variant};
use crate::error::{Error, Result};
use crate::pricing::tax::EXEMPT;
use crate::publishing::csv::columns::{
    COLUMNS, FEATURES, METADATA, SKU, SPECIFICATIONS, compare_at_column, list_of, price_column,
};
use crate::values::ids::Sku;
use crate::values::money::{Currency, Money};
use crate::values::tax_class::is_standard;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Returns the columns of a file of these products: those that the shop writes, and those that it
/// only keeps.
#[must_use]
pub fn header_of(kept: &BTreeSet<String>, currencies: &[Currency]) -> Vec<String> {
    let mut header: Vec<String> = COLUMNS.iter().map(|name| (*name).to_owned()).collect();
    for currency in currencies.iter().skip(1) {
        header.push(price_column(currency));
        header.push(compare_at_column(currency));
    }
    let more: Vec<String> = kept
        .iter()
        .filter(|name| !header.contains(name))
        .cloned()
        .collect();
    header.extend(more);
    header
}

/// Writes the header row.
///
/// # Errors
/// Fails if it can't be written.
pub fn write_header(header: &[String]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(Error::internal)?;
    writer.into_inner().map_err(Error::internal)
}

/// Writes those rows of the products that are in `range`, with the columns in `header`;
/// `quantities` are units by SKU.
///
/// # Errors
/// Fails if the rows can't be written.
pub fn write_rows(
    products: &[Product],
    range: Range<usize>,
    header: &[String],
    currencies: &[Currency],
    quantities: &BTreeMap<Sku, u32>,
) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    let rows = products
        .iter()
        .flat_map(|product| source_rows(product, currencies, quantities))
        .skip(range.start)
        .take(range.len());
    for row in rows {
        let cells = header
            .iter()
            .map(|column| row.get(column).map_or("", String::as_str));
        writer.write_record(cells).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(Error::internal)
}

/// Returns the rows of a product as the shop writes them, without empty cells.
pub fn rows_of(
    product: &Product,
    currencies: &[Currency],
    quantities: &BTreeMap<Sku, u32>,
) -> Vec<BTreeMap<String, String>> {
    let count = product.variants.len().max(product.images.len());
    (0..count)
        .map(|at| {
            let mut row = Row::default();
            row.set("Handle", &product.handle);
            if at == 0 {
                product_cells(&mut row, product);
            }
            if let Some(variant) = product.variants.get(at) {
                variant_cells(&mut row, variant, currencies, quantities);
            }
            if let Some(image) = product.images.get(at) {
                row.set("Image Src", &image.url);
                row.set("Image Position", &at.saturating_add(1).to_string());
                row.set("Image Alt Text", &image.alt);
            }
            row.0
        })
        .collect()
}

/// Returns the rows of a product, with each cell as in its original file if it still means the
/// same.
fn source_rows(
    product: &Product,
    currencies: &[Currency],
    quantities: &BTreeMap<Sku, u32>,
) -> Vec<BTreeMap<String, String>> {
    let mut rows = rows_of(product, currencies, quantities);
    for (row, variant) in rows.iter_mut().zip(&product.variants) {
        for (column, cell) in &variant.source {
            if row.get(column).map_or("", String::as_str) == cell.written {
                row.insert(column.clone(), cell.given.clone());
            }
        }
    }
    let handle = rows.first().and_then(|row| row.get("Handle").cloned());
    for (row, handle) in rows.iter_mut().skip(1).zip(std::iter::repeat(handle)) {
        row.extend(handle.map(|handle| ("Handle".to_owned(), handle)));
    }
    rows
}

/// A row being built; empty cells are left out.
#[derive(Default)]
struct Row(BTreeMap<String, String>);

impl Row {
    fn set(&mut self, column: &str, cell: &str) {
        if !cell.is_empty() {
            self.0.insert(column.to_owned(), cell.to_owned());
        }
    }

    fn set_json<T: Serialize>(&mut self, column: &str, value: &T, is_empty: bool) {
        if !is_empty {
            self.set(column, &serde_json::to_string(value).unwrap_or_default());
        }
    }
}

fn product_cells(row: &mut Row, product: &Product) {
    let (published, status) = match product.status {
        ProductStatus::Active => ("true", "active"),
        ProductStatus::Unlisted => ("true", "unlisted"),
        ProductStatus::Draft => ("false", "draft"),
        ProductStatus::Archived => ("false", "archived"),
    };
    row.set("Title", &product.title);
    row.set("Body (HTML)", &product.description_html);
    row.set("Vendor", &product.vendor);
    if product.category != list_of(&product.r#type, '>') {
        row.set("Product Category", &product.category.join(" > "));
    }
    row.set("Type", &product.r#type);
    row.set("Tags", &product.tags.join(", "));
    row.set("Published", published);
    row.set("SEO Title", &product.seo.title);
    row.set("SEO Description", &product.seo.description);
    row.set("Status", status);
    row.set_json(FEATURES, &product.features, product.features.is_empty());
    row.set_json(
        SPECIFICATIONS,
        &product.specifications,
        product.specifications.is_empty(),
    );
    row.set_json(METADATA, &product.metadata, product.metadata.is_empty());
    for (at, option) in (1_usize..).zip(&product.options) {
        row.set(&format!("Option{at} Name"), &option.name);
    }
    if product.options.is_empty() {
        row.set("Option1 Name", "Title");
        row.set("Option1 Value", "Default Title");
    }
}

fn variant_cells(
    row: &mut Row,
    variant: &Variant,
    currencies: &[Currency],
    quantities: &BTreeMap<Sku, u32>,
) {
    for (at, value) in (1_usize..).zip(&variant.option_values) {
        row.set(&format!("Option{at} Value"), value);
    }
    if !variant.sku_generated {
        row.set(SKU, &variant.sku);
    }
    if let Some(grams) = variant.weight_grams {
        row.set("Variant Grams", &grams.to_string());
    }
    if variant.tracked {
        let quantity = quantities.get(&variant.sku).copied().unwrap_or(0);
        row.set("Variant Inventory Tracker", "shopify");
        row.set("Variant Inventory Qty", &quantity.to_string());
    }
    if variant.tax_class == EXEMPT {
        row.set("Variant Taxable", "false");
    } else if !is_standard(&variant.tax_class) {
        row.set("Variant Tax Code", &variant.tax_class);
    }
    row.set("Variant Barcode", variant.barcode.as_deref().unwrap_or(""));
    row.set("Variant Image", variant.image.as_deref().unwrap_or(""));
    for (at, currency) in currencies.iter().enumerate() {
        let (price, compare_at) = if at == 0 {
            (
                "Variant Price".to_owned(),
                "Variant Compare At Price".to_owned(),
            )
        } else {
            (price_column(currency), compare_at_column(currency))
        };
        let cell = |money: Option<Money>| money.map(Money::to_decimal).unwrap_or_default();
        row.set(&price, &cell(variant.price(*currency)));
        row.set(&compare_at, &cell(variant.compare_at_price(*currency)));
    }
}
