//! Products of the record whose handles were made of a file's while marks were cut from them: they keep their addresses and SKUs.

use crate::shop::catalog::{Product, SourceCell, slug};
use crate::shop::product_csv::{ImportedProduct, ProductFile};
use std::collections::{BTreeMap, BTreeSet};

/// Gives a product of the file the handle that the record has it by. `known` are the products of the record by handle.
pub fn keep_handles(file: &mut ProductFile, known: &BTreeMap<String, Product>) {
    let mut kept: BTreeSet<String> = BTreeSet::new();
    for imported in &mut file.products {
        let older = slug(&imported.written_handle);
        if older == imported.product.handle || known.contains_key(&imported.product.handle) {
            continue;
        }
        let Some(existing) = known.get(&older) else {
            continue;
        };
        if is_made_of(existing, &imported.written_handle) && kept.insert(older.clone()) {
            call_by(imported, &older);
        }
    }
}

/// False when the product came with another handle: two of a file may have been cut to one.
fn is_made_of(existing: &Product, written: &str) -> bool {
    let first = existing.variants.first();
    let source = first.and_then(|variant| variant.source.get("Handle"));
    source.is_none_or(|cell| cell.given.trim() == written)
}

/// SKUs that were made begin with the handle.
fn call_by(imported: &mut ImportedProduct, handle: &str) {
    let before = std::mem::replace(&mut imported.product.handle, handle.to_owned());
    let mut skus: BTreeMap<String, String> = BTreeMap::new();
    let made = imported.product.variants.iter_mut();
    for variant in made.filter(|variant| variant.sku_generated) {
        let rest = variant.sku.strip_prefix(&before).unwrap_or_default();
        let sku = format!("{handle}{rest}");
        skus.insert(std::mem::replace(&mut variant.sku, sku.clone()), sku);
    }
    let quantities = imported.quantities.iter_mut().map(|(name, _)| name);
    let names = imported.names.iter_mut().chain(quantities);
    for name in names.chain(&mut imported.unstated) {
        if !name.is_sku() {
            handle.clone_into(&mut name.value);
        } else if let Some(sku) = skus.get(&name.value) {
            name.value.clone_from(sku);
        }
    }
    if let Some(first) = imported.product.variants.first_mut() {
        let cell = SourceCell {
            given: imported.written_handle.clone(),
            written: handle.to_owned(),
        };
        first.source.insert("Handle".to_owned(), cell);
    }
}
