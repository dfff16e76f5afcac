//! Getting a merchant's products into the record, and out again: CSV imports window by window, exports page by page, and single
//! products by staff.
//!
//! Promises: a product is known by its handle, so an import can be repeated and goes on where it stopped; what is equal to the
//! record is not written. A bad row keeps its product out and no other. Nothing here changes what shoppers see.

use crate::error::{Error, FieldError, Result};
use crate::shop::catalog::Product;
use crate::shop::ids::derived_id;
use crate::shop::money::Currency;
use crate::shop::ports::{CatalogRecord, StockObjects, Written};
use crate::shop::product_csv::{
    ImportedProduct, Name, ProductFile, RowError, Window, generated_skus, header_of, read_products,
    write_rows,
};
use crate::shop::stock::{change_stock, receive_stock};
use durable::Timestamp;
use durable::stock::Command;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Variants of one window: each may ask one stock object, and the platform grants 1,000 calls a request.
pub const VARIANTS_A_WINDOW: usize = 300;

/// Most products of one page of an export; each variant asks its stock object, so it ends before [`VARIANTS_A_WINDOW`] too.
const PRODUCTS_A_PAGE: u32 = 50;

/// Objects asked at once.
const OBJECTS_AT_ONCE: usize = 6;

/// Changes that are told of one product.
const MAX_CHANGES: usize = 20;

/// Characters of a value that are told of a change.
const MAX_VALUE_CHARS: usize = 60;

/// Bad rows that a refusal names.
const MAX_ERRORS: usize = 100;

/// How to import a window of a file.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Names the import, so that its windows know each other's handles and SKUs.
    pub import_id: String,
    /// Line that the rows begin on; none: the window begins the file.
    pub first_line: Option<u64>,
    /// Whether the file ends with this window.
    pub last: bool,
    /// Tells what would change, and changes nothing.
    pub dry_run: bool,
    /// Sets the units of every SKU that states them, not only of those that are new.
    pub set_stock: bool,
}

/// What an import of a window did, or would do.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct ImportSummary {
    /// Products accepted.
    pub products: usize,
    /// Their variants.
    pub variants: usize,
    /// Of the products, those that the record did not have.
    pub created: usize,
    /// Of the products, those that were different in the record.
    pub updated: usize,
    /// Rows that were not accepted, and why.
    pub errors: Vec<RowError>,
    /// What is new or different.
    pub changes: Vec<ProductChange>,
    /// Bytes of the header row.
    pub header_bytes: usize,
    /// Bytes dealt with, header row included.
    pub consumed_bytes: usize,
    /// Line that the next window begins on.
    pub next_line: u64,
}

/// How a product of a file differs from the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct ProductChange {
    /// Which product.
    pub handle: String,
    /// Whether the record has it.
    pub change: ChangeKind,
    /// `title: "Tee" → "Shirt"`; the first [`MAX_CHANGES`].
    pub fields: Vec<String>,
}

/// How a product differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub enum ChangeKind {
    /// The record does not have it.
    Create,
    /// The record has it otherwise.
    Update,
}

/// A page of an export.
#[derive(Clone, Debug)]
pub struct ExportPage {
    /// Rows; the first page begins with the header.
    pub csv: Vec<u8>,
    /// Place of the last product, where more follow.
    pub next: Option<i64>,
}

/// Imports a window of a product CSV into the record. Units that it states are received on a SKU's first import, before the
/// record has it, so that a crash in between is made good by the next attempt.
///
/// # Errors
/// 422 when a file that is one window holds nothing that can be accepted; 409 `publish_in_progress`.
pub async fn import_products(
    record: &impl CatalogRecord,
    stock: &impl StockObjects,
    csv: &[u8],
    options: &ImportOptions,
    currencies: &[Currency],
    new_id: impl Fn() -> Result<String>,
    now: Timestamp,
) -> Result<ImportSummary> {
    let window = Window {
        csv,
        first_line: options.first_line,
        last: options.last,
        max_variants: VARIANTS_A_WINDOW,
    };
    let mut file = read_products(window, currencies);
    let whole = options.first_line.is_none() && options.last && file.next_line == 0;
    let earlier = if whole {
        BTreeMap::new()
    } else {
        record
            .claim_names(&options.import_id, &claims_of(&file), now)
            .await?
    };
    let owners = refuse_taken_names(record, &mut file, earlier).await?;
    if whole && file.products.is_empty() {
        return Err(nothing_to_import(&file.errors));
    }
    let known = known_products(record, &file).await?;

    let mut changed: Vec<Product> = Vec::new();
    let mut summary = ImportSummary::default();
    for imported in &file.products {
        summary.products = summary.products.saturating_add(1);
        summary.variants = summary
            .variants
            .saturating_add(imported.product.variants.len());
        let existing = known.get(&imported.product.handle);
        let product = identified(imported.product.clone(), existing, &new_id)?;
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
    if !options.dry_run {
        take_stock(stock, &file.products, &owners, options).await?;
        record.save_products(&changed, now).await?;
    }
    summary.errors = file.errors;
    summary.header_bytes = file.header_bytes;
    summary.consumed_bytes = file.consumed_bytes;
    summary.next_line = file.next_line;
    Ok(summary)
}

/// A page of the record as CSV, drafts included, behind the product at `after`.
///
/// # Errors
/// A store's failure.
pub async fn export_products(
    record: &impl CatalogRecord,
    stock: &impl StockObjects,
    currencies: &[Currency],
    after: Option<i64>,
) -> Result<ExportPage> {
    let kept: BTreeSet<String> = record.source_columns().await?.into_iter().collect();
    let header = header_of(&kept, currencies);
    let mut products = record
        .products_after(after.unwrap_or(i64::MIN), PRODUCTS_A_PAGE)
        .await?;
    let found = products.len();
    products.truncate(fitting(&products));
    let more =
        products.len() < found || found >= usize::try_from(PRODUCTS_A_PAGE).unwrap_or(usize::MAX);
    let next = products
        .last()
        .map(|(position, _)| *position)
        .filter(|_| more);
    let products: Vec<Product> = products.into_iter().map(|(_, product)| product).collect();
    let quantities = units_of(stock, &products).await?;
    let rows = write_rows(&products, &header, currencies, &quantities)?;
    let mut csv = Vec::new();
    if after.is_none() {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&header).map_err(Error::internal)?;
        csv = writer.into_inner().map_err(Error::internal)?;
    }
    csv.extend(rows);
    Ok(ExportPage { csv, next })
}

/// How many of these products fit on a page: one at least.
fn fitting(products: &[(i64, Product)]) -> usize {
    let mut variants = 0_usize;
    products
        .iter()
        .take_while(|(_, product)| {
            variants = variants.saturating_add(product.variants.len());
            variants <= VARIANTS_A_WINDOW
        })
        .count()
        .max(1)
}

/// Adds a product, whose handle and SKUs nobody else has.
///
/// # Errors
/// 422 `handle_taken`, `sku_taken`; 409 `publish_in_progress`.
pub async fn create_product(
    record: &impl CatalogRecord,
    product: Product,
    new_id: impl Fn() -> Result<String>,
    now: Timestamp,
) -> Result<Product> {
    let product = identified(product, None, new_id)?;
    record
        .save_products(std::slice::from_ref(&product), now)
        .await?;
    get_recorded_product(record, &product.id).await
}

/// Replaces a product, in the version `if_version` where the caller names one.
///
/// # Errors
/// 404; 412 `stale_version`; 422 `handle_taken`, `sku_taken`; 409 `publish_in_progress`.
pub async fn update_product(
    record: &impl CatalogRecord,
    id: &str,
    mut product: Product,
    if_version: Option<u64>,
    now: Timestamp,
) -> Result<Product> {
    let existing = get_recorded_product(record, id).await?;
    check_version(&existing, if_version)?;
    keep_generated_skus(&mut product, &existing);
    let product = identified(product, Some(&existing), || Ok(id.to_owned()))?;
    if record
        .replace_product(&product, existing.version, now)
        .await?
        == Written::Lost
    {
        return Err(lost(record, id).await);
    }
    get_recorded_product(record, id).await
}

/// Removes a product, in the version `if_version` where the caller names one. Shoppers see it until the next publish.
///
/// # Errors
/// 404; 412 `stale_version`; 409 `publish_in_progress`.
pub async fn delete_product(
    record: &impl CatalogRecord,
    id: &str,
    if_version: Option<u64>,
) -> Result<()> {
    let existing = get_recorded_product(record, id).await?;
    check_version(&existing, if_version)?;
    if record.delete_product(id, existing.version).await? == Written::Lost {
        return Err(lost(record, id).await);
    }
    Ok(())
}

/// A product of the record, as staff keep it.
///
/// # Errors
/// 404.
pub async fn get_recorded_product(record: &impl CatalogRecord, id: &str) -> Result<Product> {
    let found = record.products(&[id.to_owned()]).await?;
    found.into_iter().next().ok_or(Error::NotFound("product"))
}

fn check_version(existing: &Product, if_version: Option<u64>) -> Result<()> {
    match if_version {
        Some(version) if version != existing.version => Err(Error::PreconditionFailed {
            version: existing.version,
        }),
        _ => Ok(()),
    }
}

/// A variant whose SKU was made for it keeps it, whatever the product is called now: its units are counted under it.
fn keep_generated_skus(product: &mut Product, existing: &Product) {
    let choices: Vec<Vec<String>> = product
        .variants
        .iter()
        .map(|variant| variant.option_values.clone())
        .collect();
    let generated = generated_skus(&product.handle, &choices);
    for (variant, generated) in product.variants.iter_mut().zip(generated) {
        let before = existing.variants.iter().find(|before| {
            before.sku_generated
                && (before.sku == variant.sku
                    || variant.sku_generated && before.option_values == variant.option_values)
        });
        if let Some(before) = before {
            variant.sku.clone_from(&before.sku);
            variant.sku_generated = variant.sku == generated;
        }
    }
}

/// Someone changed the product in between.
async fn lost(record: &impl CatalogRecord, id: &str) -> Error {
    match get_recorded_product(record, id).await {
        Ok(now) => Error::PreconditionFailed {
            version: now.version,
        },
        Err(error) => error,
    }
}

/// Leaves out products with a handle or SKU that an earlier line of the file has, here or in a window before (`earlier`), or
/// another product of the record. Returns which
/// product of the record has which SKU.
async fn refuse_taken_names(
    record: &impl CatalogRecord,
    file: &mut ProductFile,
    mut earlier: BTreeMap<String, u64>,
) -> Result<BTreeMap<String, String>> {
    let skus: Vec<String> = file
        .products
        .iter()
        .flat_map(|imported| &imported.names)
        .filter(|name| name.column != "Handle")
        .map(|name| name.value.clone())
        .collect();
    let owners = record.owners_of_skus(&skus).await?;
    let known = known_products(record, file).await?;
    leave_out(file, |name| {
        let line = *earlier.entry(claim_of(name)).or_insert(name.line);
        (line != name.line).then(|| format!("`{}` stands on line {line} already.", name.value))
    });
    // A product that is left out keeps its SKUs, which may keep out one that was to have them.
    loop {
        let id_of = |product: &Product| Some(known.get(&product.handle)?.id.as_str());
        let giving_up: BTreeSet<&str> = file
            .products
            .iter()
            .filter_map(|imported| id_of(&imported.product))
            .collect();
        let left_out = leave_out(file, |name| {
            owners
                .get(&name.value)
                .filter(|owner| name.column != "Handle" && !giving_up.contains(owner.as_str()))
                .map(|_| format!("Another product of the shop has the SKU `{}`.", name.value))
        });
        if left_out == 0 {
            break;
        }
    }
    file.errors.sort_by_key(|error| error.line);
    Ok(owners)
}

/// Leaves out the products that have a name with something against it; returns how many.
fn leave_out(file: &mut ProductFile, mut against: impl FnMut(&Name) -> Option<String>) -> usize {
    let mut errors = Vec::new();
    let before = file.products.len();
    file.products.retain(|imported| {
        let found = errors.len();
        errors.extend(imported.names.iter().filter_map(|name| {
            Some(RowError {
                line: name.line,
                column: name.column.to_owned(),
                detail: against(name)?,
            })
        }));
        errors.len() == found
    });
    file.errors.extend(errors);
    before.saturating_sub(file.products.len())
}

/// What an import must not name twice, and where it does.
fn claims_of(file: &ProductFile) -> Vec<(String, u64)> {
    file.products
        .iter()
        .flat_map(|imported| &imported.names)
        .map(|name| (claim_of(name), name.line))
        .collect()
}

fn claim_of(name: &Name) -> String {
    format!("{}:{}", name.column, name.value)
}

/// The products of the record with the handles of the file.
async fn known_products(
    record: &impl CatalogRecord,
    file: &ProductFile,
) -> Result<BTreeMap<String, Product>> {
    let handles: Vec<String> = file
        .products
        .iter()
        .map(|imported| imported.product.handle.clone())
        .collect();
    let products = record.products_by_handle(&handles).await?;
    Ok(products
        .into_iter()
        .map(|product| (product.handle.clone(), product))
        .collect())
}

/// The product with the identity it has, or gets.
fn identified(
    mut product: Product,
    existing: Option<&Product>,
    new_id: impl Fn() -> Result<String>,
) -> Result<Product> {
    match existing {
        Some(existing) => {
            product.id.clone_from(&existing.id);
            product.created_at = existing.created_at;
            product.updated_at = existing.updated_at;
            product.version = existing.version;
        }
        None => product.id = new_id()?,
    }
    for variant in &mut product.variants {
        let name = format!("{}\0{}", product.id, variant.option_values.join("\0"));
        variant.id = derived_id("var", &name);
        let before = existing.and_then(|existing| existing.variant(&variant.sku));
        if let Some(before) = before.filter(|_| variant.source.is_empty()) {
            variant.source.clone_from(&before.source);
        }
    }
    Ok(product)
}

async fn take_stock(
    stock: &impl StockObjects,
    products: &[ImportedProduct],
    known: &BTreeMap<String, String>,
    options: &ImportOptions,
) -> Result<()> {
    let quantities = products.iter().flat_map(|imported| &imported.quantities);
    stream::iter(quantities.map(Ok))
        .try_for_each_concurrent(OBJECTS_AT_ONCE, async |(sku, quantity)| {
            if options.set_stock {
                let operation_id = format!("import:{}:{sku}", options.import_id);
                set_stock(stock, sku, *quantity, operation_id).await?;
            } else if *quantity > 0 && !known.contains_key(sku) {
                receive_stock(stock, sku, *quantity, format!("import:{sku}")).await?;
            }
            Ok(())
        })
        .await
}

/// Corrects the count to `quantity` units in the building.
async fn set_stock(
    stock: &impl StockObjects,
    sku: &str,
    quantity: u32,
    operation_id: String,
) -> Result<()> {
    let off = i64::from(quantity).saturating_sub(stock.view(sku).await?.on_hand);
    let by = i32::try_from(off).map_err(Error::internal)?;
    if by == 0 {
        return Ok(());
    }
    let reason = "imported".to_owned();
    change_stock(stock, sku, Command::Adjust { by, reason }, operation_id)
        .await
        .map(|_| ())
}

/// Units that are there of each SKU that is counted.
async fn units_of(
    stock: &impl StockObjects,
    products: &[Product],
) -> Result<BTreeMap<String, u32>> {
    let skus = products
        .iter()
        .flat_map(|product| &product.variants)
        .filter(|variant| variant.tracked)
        .map(|variant| variant.sku.as_str());
    stream::iter(skus)
        .map(async |sku| {
            let on_hand = stock.view(sku).await?.on_hand;
            Ok((sku.to_owned(), u32::try_from(on_hand).unwrap_or(0)))
        })
        .buffer_unordered(OBJECTS_AT_ONCE)
        .try_collect()
        .await
}

/// How `product` differs from what the record has; none when it does not.
fn change_of(existing: Option<&Product>, product: &Product) -> Result<Option<ProductChange>> {
    let Some(existing) = existing else {
        return Ok(Some(ProductChange {
            handle: product.handle.clone(),
            change: ChangeKind::Create,
            fields: vec![],
        }));
    };
    if existing == product {
        return Ok(None);
    }
    let value = |product: &Product| serde_json::to_value(product).map_err(Error::internal);
    let mut fields = Vec::new();
    differences("", &value(existing)?, &value(product)?, &mut fields);
    fields.truncate(MAX_CHANGES);
    Ok(Some(ProductChange {
        handle: product.handle.clone(),
        change: ChangeKind::Update,
        fields,
    }))
}

fn differences(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                let (before, after) = (before.get(name), after.get(name));
                differences(
                    &path,
                    before.unwrap_or(&Value::Null),
                    after.unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for at in 0..before.len().max(after.len()) {
                let (before, after) = (before.get(at), after.get(at));
                differences(
                    &format!("{path}[{at}]"),
                    before.unwrap_or(&Value::Null),
                    after.unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        _ if before == after => {}
        _ => found.push(format!("{path}: {} → {}", short(before), short(after))),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= MAX_VALUE_CHARS {
        return text;
    }
    text.chars()
        .take(MAX_VALUE_CHARS)
        .chain(std::iter::once('…'))
        .collect()
}

fn nothing_to_import(errors: &[RowError]) -> Error {
    let file = FieldError::new(
        "file",
        "nothing_to_import",
        "Nothing in the file can be imported.",
    );
    let rows = errors.iter().take(MAX_ERRORS).map(|error| {
        let place = format!("line {}, {}", error.line, error.column);
        FieldError::new(place, "invalid_row", error.detail.clone())
    });
    Error::Invalid(std::iter::once(file).chain(rows).collect())
}
