//! Creation, change and removal of single products by staff.
//!
//! Guarantees: a change that names a version applies to that version or not at all; nothing here
//! changes what shoppers see.
//! changes what shoppers see.

use crate::catalog::record::CatalogRecord;
use crate::catalog::{Product, SourceCell};
use crate::error::{Error, Result};
use crate::publishing::csv::columns::HANDLE;
use crate::publishing::csv::variants::generated_skus;
use crate::values::ids::{ProductId, Sku, VariantId, derived_id};
use crate::values::written::Written;
use durable::Timestamp;
use std::collections::BTreeSet;

/// Creates a product, whose handle and SKUs must not be in use.
///
/// # Errors
/// 422 `handle_taken`, `sku_taken`; 409 `publish_in_progress`.
pub async fn create_product(
    record: &impl CatalogRecord,
    product: Product,
    new_id: impl Fn() -> Result<ProductId>,
    now: Timestamp,
) -> Result<Product> {
    save(record, identified(product, None, new_id)?, now).await
}

/// Replaces a product, at version `if_version` if the caller names one.
///
/// # Errors
/// 404; 412 `stale_version`; 422 `handle_taken`, `sku_taken`; 409 `publish_in_progress`.
pub async fn update_product(
    record: &impl CatalogRecord,
    id: &ProductId,
    mut product: Product,
    if_version: Option<u64>,
    now: Timestamp,
) -> Result<Product> {
    let existing = get_recorded_product(record, id).await?;
    check_version(&existing, if_version)?;
    keep_generated_skus(&mut product, &existing);
    let mut product = identified(product, Some(&existing), || Ok(id.clone()))?;
    give_file_handle(&mut product, file_handle(&existing));
    save(record, product, now).await
}

/// Deletes a product, at version `if_version` if the caller names one. Shoppers see it until the
/// next publish.
///
/// # Errors
/// 404; 412 `stale_version`; 409 `publish_in_progress`.
pub async fn delete_product(
    record: &impl CatalogRecord,
    id: &ProductId,
    if_version: Option<u64>,
) -> Result<()> {
    let existing = get_recorded_product(record, id).await?;
    check_version(&existing, if_version)?;
    if record.delete_product(id, existing.version).await? == Written::Lost {
        return Err(lost(record, id).await);
    }
    Ok(())
}

/// Returns a product in the record, with its fields for staff.
///
/// # Errors
/// 404.
pub async fn get_recorded_product(record: &impl CatalogRecord, id: &ProductId) -> Result<Product> {
    let found = record.products(std::slice::from_ref(id)).await?;
    found.into_iter().next().ok_or(Error::NotFound("product"))
}

/// Returns the product with its existing or a new id, and with the data that neither staff nor a
/// file states.
///
/// # Errors
/// Fails if no new id can be generated.
pub fn identified(
    mut product: Product,
    existing: Option<&Product>,
    new_id: impl Fn() -> Result<ProductId>,
) -> Result<Product> {
    match existing {
        Some(existing) => {
            product.id.clone_from(&existing.id);
            product.former_handles.clone_from(&existing.former_handles);
            product.created_at = existing.created_at;
            product.updated_at = existing.updated_at;
            product.version = existing.version;
        }
        None => product.id = new_id()?,
    }
    for variant in &mut product.variants {
        let name = format!("{}\0{}", product.id, variant.option_values.join("\0"));
        variant.id = VariantId::new(derived_id("var", &name));
        let before = existing.and_then(|existing| existing.variant(&variant.sku));
        if let Some(before) = before.filter(|_| variant.source.is_empty()) {
            variant.source.clone_from(&before.source);
        }
    }
    Ok(product)
}

/// Returns the cell with the handle that the product had in its file. `None` means that it was the
/// product's own.
#[must_use]
pub fn file_handle(product: &Product) -> Option<&SourceCell> {
    product
        .variants
        .iter()
        .find_map(|variant| variant.source.get(HANDLE))
}

/// Stores `cell` with the current first variant, so that the next import finds the product by it.
/// Only imports change this cell; edits by staff keep it.
pub fn give_file_handle(product: &mut Product, cell: Option<&SourceCell>) {
    for variant in &mut product.variants {
        variant.source.remove(HANDLE);
    }
    if let (Some(first), Some(cell)) = (product.variants.first_mut(), cell) {
        first.source.insert(HANDLE.to_owned(), cell.clone());
    }
}

async fn save(record: &impl CatalogRecord, product: Product, now: Timestamp) -> Result<Product> {
    let products = std::slice::from_ref(&product);
    if record.save_products(products, now).await? == Written::Lost {
        return Err(lost(record, &product.id).await);
    }
    get_recorded_product(record, &product.id).await
}

fn check_version(existing: &Product, if_version: Option<u64>) -> Result<()> {
    match if_version {
        Some(version) if version != existing.version => Err(Error::PreconditionFailed {
            version: existing.version,
        }),
        _ => Ok(()),
    }
}

/// Returns the error for a product that was changed by someone else in between.
async fn lost(record: &impl CatalogRecord, id: &ProductId) -> Error {
    match get_recorded_product(record, id).await {
        Ok(now) => Error::PreconditionFailed {
            version: now.version,
        },
        Err(error) => error,
    }
}

/// Keeps generated SKUs: a variant keeps the SKU generated for it, and one sent without a SKU keeps
/// its present one, even if the product has been renamed, because its stock is counted under it.
fn keep_generated_skus(product: &mut Product, existing: &Product) {
    let choices: Vec<Vec<String>> = product
        .variants
        .iter()
        .map(|variant| variant.option_values.clone())
        .collect();
    let generated = generated_skus(&product.handle, &choices);
    let stated = product.variants.iter().filter(|it| !it.sku_generated);
    let stated: BTreeSet<Sku> = stated.map(|it| it.sku.clone()).collect();
    for (variant, generated) in product.variants.iter_mut().zip(generated) {
        let before = existing.variants.iter().find(|before| {
            if variant.sku_generated {
                before.option_values == variant.option_values && !stated.contains(&before.sku)
            } else {
                before.sku_generated && before.sku == variant.sku
            }
        });
        if let Some(before) = before {
            variant.sku.clone_from(&before.sku);
            variant.sku_generated = variant.sku == generated;
        }
    }
}
