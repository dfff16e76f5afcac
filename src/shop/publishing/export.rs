//! Export of the record, including drafts, as a CSV in pages.
//!
//! Guarantees: a page stays within the limits of one request, however many variants a product has;
//! all pages of an export have the same columns, and the pages of one product show a single version
//! of it.

use crate::catalog::Product;
use crate::catalog::record::{CatalogRecord, PageSize};
use crate::codes::Code;
use crate::error::{Error, Result};
use crate::inventory::objects::StockObjects;
use crate::publishing::csv::write::{header_of, write_header, write_rows};
use crate::values::ids::{Sku, digest_of};
use crate::values::money::Currency;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// Size of a page: each variant asks its stock object, and the platform allows 1,000 calls per
/// request.
const PAGE: PageSize = PageSize {
    products: 50,
    variants: 300,
};

/// Maximum number of objects asked at the same time.
const OBJECTS_AT_ONCE: usize = 6;

/// A page of an export.
#[derive(Clone, Debug)]
pub struct ExportPage {
    /// Rows; the first page begins with the header.
    pub csv: Vec<u8>,
    /// Start of the next page. `None` means that this page was the last.
    pub next: Option<ExportCursor>,
}

/// Position in an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportCursor {
    /// Position of the last complete product in the merchant's order.
    position: i64,
    /// Number of variants already written of the product after it.
    variants: usize,
    /// Digest of what earlier pages are based on: the columns, and the version of an unfinished
    /// product.
    basis: String,
}

/// Returns the page of the record at `cursor`, or the first page without one.
///
/// # Errors
/// 409 `export_outdated` if a column was added or removed, or the unfinished product was changed:
/// the export must be started again.
pub async fn export_products(
    record: &impl CatalogRecord,
    stock: &impl StockObjects,
    currencies: &[Currency],
    cursor: Option<ExportCursor>,
) -> Result<ExportPage> {
    let kept: BTreeSet<String> = record.source_columns().await?.into_iter().collect();
    let header = header_of(&kept, currencies);
    let is_first = cursor.is_none();
    let from = cursor.unwrap_or_else(|| ExportCursor::behind(i64::MIN, &header));
    let found = record.products_after(from.position, PAGE).await?;
    if from != from.based_on(&header, found.first().map(|(_, product)| product)) {
        return Err(outdated());
    }
    let next = from.next(&found, &header);
    let end = next.as_ref().map_or(0, |next| next.variants);
    let rows = from.variants..if end > 0 { end } else { usize::MAX };
    let products: Vec<Product> = found.into_iter().map(|(_, product)| product).collect();
    let quantities = units_of(stock, &products, &rows).await?;
    let mut csv = Vec::new();
    if is_first {
        csv.extend(write_header(&header)?);
    }
    csv.extend(write_rows(
        &products,
        rows,
        &header,
        currencies,
        &quantities,
    )?);
    Ok(ExportPage { csv, next })
}

impl ExportCursor {
    fn behind(position: i64, header: &[String]) -> Self {
        Self {
            position,
            variants: 0,
            basis: basis(header, None),
        }
    }

    /// Returns this position with the basis that its page should find in the record.
    fn based_on(&self, header: &[String], product: Option<&Product>) -> Self {
        Self {
            basis: basis(header, product.filter(|_| self.variants > 0)),
            ..*self
        }
    }

    /// Returns the position after a page that begins here and contains `found`.
    fn next(&self, found: &[(i64, Product)], header: &[String]) -> Option<Self> {
        let end = self.variants.saturating_add(PAGE.variants);
        match found {
            [] => None,
            [(_, product)] if product.variants.len() > end => {
                let next = Self {
                    variants: end,
                    ..self.clone()
                };
                Some(next.based_on(header, Some(product)))
            }
            [.., (last, _)] => Some(Self::behind(*last, header)),
        }
    }
}

impl fmt::Display for ExportCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.position, self.variants, self.basis)
    }
}

impl FromStr for ExportCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or(());
        Ok(Self {
            position: part()?.parse().map_err(|_| ())?,
            variants: part()?.parse().map_err(|_| ())?,
            basis: part()?.to_owned(),
        })
    }
}

fn basis(header: &[String], product: Option<&Product>) -> String {
    let version = product.map(|product| format!("{}\0{}", product.id, product.version));
    let relied_on = [header.join("\0"), version.unwrap_or_default()];
    digest_of(relied_on.join("\0\0").as_bytes())
}

fn outdated() -> Error {
    Error::conflict(
        Code::ExportOutdated,
        "The catalog's columns or the product at the page break have changed. Start the export again.",
        serde_json::json!({}),
    )
}

/// Returns the units on hand of each tracked SKU.
async fn units_of(
    stock: &impl StockObjects,
    products: &[Product],
    variants: &Range<usize>,
) -> Result<BTreeMap<Sku, u32>> {
    let skus = products
        .iter()
        .flat_map(|product| product.variants.iter().enumerate())
        .filter(|(at, variant)| variant.tracked && variants.contains(at))
        .map(|(_, variant)| &variant.sku);
    stream::iter(skus)
        .map(async |sku| {
            let on_hand = stock.view(sku).await?.on_hand;
            Ok((sku.to_owned(), u32::try_from(on_hand).unwrap_or(0)))
        })
        .buffer_unordered(OBJECTS_AT_ONCE)
        .try_collect()
        .await
}
