//! CSV import of products into the record, window by window.
//!
//! Guarantees: a product is identified by its handle, so an import can be repeated, and continues
//! where it stopped. Products equal to the record are not written, and changes that staff make
//! while a window is read are not overwritten. An invalid row keeps its own product out and no
//! other. Nothing here changes what shoppers see.

pub mod changes;
mod handles;
mod names;
pub mod options;
mod units;

use crate::catalog::Product;
use crate::catalog::record::CatalogRecord;
use crate::codes::Code;
use crate::error::{Error, FieldError, Result};
use crate::inventory::objects::StockObjects;
use crate::publishing::csv::imported::{Name, RowError};
use crate::publishing::csv::notices::{Notice, NoticeCode};
use crate::publishing::csv::read::{ProductFile, Window, read_products, without_mark};
use crate::publishing::import::changes::{ChangeKind, ProductChange, change_of};
use crate::publishing::import::handles::{handles_of, settle_handles, tell_apart_from_earlier};
use crate::publishing::import::names::{
    claims_of, refuse_repeated_names, refuse_taken_skus, skus_of,
};
use crate::publishing::import::options::ImportOptions;
use crate::publishing::import::units::Units;
use crate::publishing::products::{file_handle, give_file_handle, identified};
use crate::values::ids::{ProductId, Sku};
use crate::values::money::Currency;
use crate::values::written::Written;
use durable::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Number of variants in a window, unless a single product has more.
const VARIANTS_A_WINDOW: usize = 300;

/// Maximum number of invalid rows named in a refusal.
const MAX_ERRORS: usize = 100;

/// Result of importing a window, or of its dry run.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct ImportSummary {
    /// Number of products accepted.
    pub products: usize,
    /// Number of their variants.
    pub variants: usize,
    /// Number of products that are new in the record.
    pub created: usize,
    /// Number of products that were different in the record.
    pub updated: usize,
    /// Number of products not accepted.
    pub left_out: usize,
    /// Rows not accepted, with reasons.
    pub errors: Vec<RowError>,
    /// Notices of data that was left out or read differently than the file says.
    pub notices: Vec<Notice>,
    /// New and changed products.
    pub changes: Vec<ProductChange>,
    /// Size of the header row in bytes.
    pub header_bytes: usize,
    /// Number of bytes processed, including the header row.
    pub consumed_bytes: usize,
    /// Line on which the next window begins.
    pub next_line: u64,
    /// True if rows of one product are separated by others in this window: the rest must then be
    /// sent as a whole, too.
    pub apart: bool,
    /// Set if the window states quantities for more SKUs than one request can process: send it
    /// again with this value as `from_unit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "testing", schema(nullable = false))]
    pub next_unit: Option<usize>,
}

/// Imports a window of a product CSV into the record. Stated quantities are received the first time
/// a SKU is imported, before it is in the record, so that the next attempt makes up for a crash in
/// between.
///
/// # Errors
/// 422 if a file in a single window contains nothing acceptable; 409 `publish_in_progress`, and
/// `products_changed` if someone else changed a product first: send the window again, and it is
/// compared with the current record.
pub async fn import_products(
    record: &impl CatalogRecord,
    stock: &impl StockObjects,
    csv: &[u8],
    options: &ImportOptions,
    currencies: &[Currency],
    new_id: impl Fn() -> Result<ProductId>,
    now: Timestamp,
) -> Result<ImportSummary> {
    let window = Window {
        csv,
        first_line: options.first_line,
        last: options.last,
        max_variants: VARIANTS_A_WINDOW,
    };
    let mut file = read_products(window, currencies);
    if file.is_refused {
        return Err(nothing_to_import(csv, &file.errors));
    }
    let known = known_products(record, &file).await?;
    let whole = options.first_line.is_none() && options.last && file.next_line == 0;
    settle_handles(&mut file, &known, whole);
    let earlier = if whole {
        BTreeMap::new()
    } else {
        record
            .claim_names(&options.import_id, &claims_of(&file), now)
            .await?
    };
    tell_apart_from_earlier(&mut file, &earlier);
    let units = Units::of(&file, options.from_unit);
    let owners = record.owners_of_skus(&skus_of(&file)).await?;
    refuse_repeated_names(&mut file, earlier);
    refuse_taken_skus(&mut file, &owners, &known);
    if whole && file.products.is_empty() {
        return Err(nothing_to_import(csv, &file.errors));
    }

    let (changed, mut summary) = compare(&file, &known, new_id)?;
    if !options.dry_run {
        let errors = units.take(stock, &file, &owners, options).await?;
        if units.next.is_some() {
            return Ok(ImportSummary {
                errors,
                next_unit: units.next,
                ..ImportSummary::default()
            });
        }
        file.errors.extend(errors);
        save(record, &changed, now).await?;
    }
    summary.notices = notices_of(&file, &owners);
    file.errors.sort_by_key(|error| error.line);
    summary.left_out = file.left_out;
    summary.errors = file.errors;
    summary.header_bytes = file.header_bytes;
    summary.consumed_bytes = file.consumed_bytes;
    summary.next_line = file.next_line;
    summary.apart = file.apart;
    Ok(summary)
}

/// Returns the notices of the accepted products and of the file.
fn notices_of(file: &ProductFile, owners: &BTreeMap<Sku, ProductId>) -> Vec<Notice> {
    let mut notices = file.notices.clone();
    for imported in &file.products {
        notices.extend(&imported.notices);
        let is_new = |sku: &&Name| !owners.contains_key(sku.value.as_str());
        for sku in imported.unstated.iter().filter(is_new) {
            notices.name(NoticeCode::NoQuantity, sku.line, &sku.value);
        }
    }
    notices.told()
}

/// Returns the record's products under the handles that the file's products may have.
async fn known_products(
    record: &impl CatalogRecord,
    file: &ProductFile,
) -> Result<BTreeMap<String, Product>> {
    let handles: BTreeSet<String> = file
        .products
        .iter()
        .flat_map(handles_of)
        .filter(|handle| !handle.is_empty())
        .collect();
    let handles: Vec<String> = handles.into_iter().collect();
    let products = record.products_by_handle(&handles).await?;
    Ok(products
        .into_iter()
        .map(|product| (product.handle.clone(), product))
        .collect())
}

/// Returns the products that are new or different, and a summary of all.
fn compare(
    file: &ProductFile,
    known: &BTreeMap<String, Product>,
    new_id: impl Fn() -> Result<ProductId>,
) -> Result<(Vec<Product>, ImportSummary)> {
    let mut changed: Vec<Product> = Vec::new();
    let mut summary = ImportSummary::default();
    for imported in &file.products {
        let variants = imported.product.variants.len();
        summary.products = summary.products.saturating_add(1);
        summary.variants = summary.variants.saturating_add(variants);
        let existing = known.get(&imported.product.handle);
        let mut product = identified(imported.product.clone(), existing, &new_id)?;
        give_file_handle(&mut product, file_handle(&imported.product));
        let Some(change) = change_of(existing, &product)? else {
            continue;
        };
        match change.change {
            ChangeKind::Create => summary.created = summary.created.saturating_add(1),
            ChangeKind::Update => summary.updated = summary.updated.saturating_add(1),
        }
        summary.changes.push(change);
        changed.push(product);
    }
    Ok((changed, summary))
}

/// Saves products. Every name was free when it was looked up, so one that is taken now means that
/// the record has changed, just like a version.
async fn save(record: &impl CatalogRecord, products: &[Product], now: Timestamp) -> Result<()> {
    match record.save_products(products, now).await {
        Ok(Written::Landed(())) => Ok(()),
        Ok(Written::Lost) => Err(products_changed()),
        Err(error) if matches!(error.code(), Code::HandleTaken | Code::SkuTaken) => {
            Err(products_changed())
        }
        Err(error) => Err(error),
    }
}

fn products_changed() -> Error {
    Error::conflict(
        Code::ProductsChanged,
        "One of these products was changed in the meantime. Send this part of the file again to compare it with the current state.",
        serde_json::json!({"retry_after_secs": 1}),
    )
}

fn nothing_to_import(csv: &[u8], errors: &[RowError]) -> Error {
    if without_mark(csv).trim_ascii().is_empty() {
        return Error::invalid("file", Code::NothingToImport, "The file is empty.");
    }
    let detail = if errors.is_empty() {
        "The file has a header row but no products."
    } else {
        "Nothing in the file can be imported."
    };
    let file = FieldError::new("file", Code::NothingToImport, detail);
    let rows = errors.iter().take(MAX_ERRORS).map(|error| {
        let place = match error.column.as_str() {
            "" => format!("line {}", error.line),
            column => format!("line {}, {column}", error.line),
        };
        FieldError::new(place, Code::InvalidRow, error.detail.clone())
    });
    Error::Invalid(std::iter::once(file).chain(rows).collect())
}
