//! Handles of a file's products: the ones they have in the record, and distinct ones where several
//! products of a file would share a handle.
//!
//! Guarantees: a product in the record keeps its handle and SKUs, in any order and in any windows
//! of its file, as long as the file writes its handle as before; a handle in the file, used in a
//! URL, leads to its product.

use crate::catalog::handles::slug;
use crate::catalog::{Product, SourceCell};
use crate::publishing::csv::columns::{HANDLE, handle_key};
use crate::publishing::csv::imported::{ImportedProduct, Name};
use crate::publishing::csv::notices::NoticeCode;
use crate::publishing::csv::read::ProductFile;
use crate::publishing::import::names::is_claimed_elsewhere;
use crate::values::ids::{Sku, digest_of};
use std::collections::{BTreeMap, BTreeSet};

/// Returns the handles that the record may have a product under.
pub fn handles_of(imported: &ImportedProduct) -> [String; 3] {
    let handle = imported.product.handle.clone();
    let older = slug(&imported.written_handle);
    [handle, older, handle_apart(imported)]
}

/// Gives each product in the file a distinct handle: the one it has in the record, or else the
/// plain one, which goes to the product written exactly that way first. `known` are the record's
/// products by handle; `is_whole` is true if no product of the file is in another window, which
/// might have a better claim to a handle.
pub fn settle_handles(file: &mut ProductFile, known: &BTreeMap<String, Product>, is_whole: bool) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<&mut ImportedProduct> = file.products.iter_mut().collect();
    for is_older in [false, true] {
        let mut left = Vec::new();
        for imported in open {
            let handle = if is_older {
                older_handle(imported, known, is_whole)
            } else {
                known_handle(imported, known)
            };
            match handle.filter(|handle| taken.insert(handle.clone())) {
                Some(handle) => rename(imported, &handle),
                None => left.push(imported),
            }
        }
        open = left;
    }
    open.sort_by_key(|it| it.product.handle != handle_key(&it.written_handle));
    for imported in open {
        let handle = &imported.product.handle;
        let is_other = known
            .get(handle)
            .is_some_and(|existing| !is_alike(existing, imported, is_whole));
        if is_other || !taken.insert(handle.clone()) {
            tell_apart(imported);
        }
    }
    for imported in &mut file.products {
        if let Some(existing) = known.get(&imported.product.handle) {
            keep_plain_sku(imported, existing);
        }
    }
}

/// Separates products from those in earlier windows, whose names are in `earlier` with their lines.
pub fn tell_apart_from_earlier(file: &mut ProductFile, earlier: &BTreeMap<String, u64>) {
    for imported in &mut file.products {
        let claimed = || {
            let names = imported.names.iter();
            names.filter(|name| is_claimed_elsewhere(name, earlier))
        };
        let is_repeated = claimed().any(Name::is_written_handle);
        if !is_repeated && claimed().any(|name| name.column == HANDLE) {
            tell_apart(imported);
        }
    }
}

/// Returns the handle of the record's product that was imported with the same handle in the file.
fn known_handle(imported: &ImportedProduct, known: &BTreeMap<String, Product>) -> Option<String> {
    let key = handle_key(&imported.written_handle);
    let came_with = |handle: &String| {
        let existing = known.get(handle)?;
        let given = given_handle(existing).map_or_else(|| handle.clone(), handle_key);
        Some(given == key)
    };
    let [handle, _, apart] = handles_of(imported);
    [apart, handle]
        .into_iter()
        .find(|handle| came_with(handle) == Some(true))
}

/// Returns the handle of the record's product that was imported from this one at the time when
/// marks were removed from handles.
fn older_handle(
    imported: &ImportedProduct,
    known: &BTreeMap<String, Product>,
    is_whole: bool,
) -> Option<String> {
    let [handle, older, _] = handles_of(imported);
    if older == handle || known.contains_key(&handle) {
        return None;
    }
    let existing = known.get(&older)?;
    let is_same = match given_handle(existing) {
        Some(given) => handle_key(given) == handle_key(&imported.written_handle),
        None => is_alike(existing, imported, is_whole),
    };
    is_same.then_some(older)
}

/// Returns the handle that a product had in its file, if it differs from its own.
fn given_handle(existing: &Product) -> Option<&str> {
    let first = existing.variants.first()?;
    first.source.get(HANDLE).map(|cell| cell.given.as_str())
}

/// True for a product in the record whose handle may since have been written differently in the
/// file. A common title, or one SKU out of several, is conclusive only if the whole file is at
/// hand; otherwise the product itself may be in another window.
fn is_alike(existing: &Product, imported: &ImportedProduct, is_whole: bool) -> bool {
    let stated = |sku: &Sku| {
        let mut variants = imported.product.variants.iter();
        variants.any(|it| !it.sku_generated && it.sku == *sku)
    };
    let mut skus = existing.variants.iter().map(|variant| &variant.sku);
    if !is_whole {
        return skus.all(stated);
    }
    existing.title == imported.product.title || skus.any(stated)
}

/// Returns a distinct handle for a product whose plain handle belongs to another; the same in every
/// import.
fn handle_apart(imported: &ImportedProduct) -> String {
    let digest = digest_of(handle_key(&imported.written_handle).as_bytes());
    let digest = digest.get(..6).unwrap_or_default();
    format!("{}-{digest}", imported.product.handle)
}

fn tell_apart(imported: &mut ImportedProduct) {
    let handle = handle_apart(imported);
    rename(imported, &handle);
}

fn rename(imported: &mut ImportedProduct, handle: &str) {
    if handle == imported.product.handle {
        return;
    }
    if handle == handle_apart(imported) {
        let line = imported.names.first().map_or(0, |name| name.line);
        let renamed = format!("{} is now {handle}", imported.written_handle);
        imported
            .notices
            .name(NoticeCode::SharedHandle, line, &renamed);
    }
    call_by(imported, handle);
}

/// Renames the product; generated SKUs begin with its handle, so they change with it.
fn call_by(imported: &mut ImportedProduct, handle: &str) {
    let before = std::mem::replace(&mut imported.product.handle, handle.to_owned());
    let mut skus: BTreeMap<Sku, Sku> = BTreeMap::new();
    let made = imported.product.variants.iter_mut();
    for variant in made.filter(|variant| variant.sku_generated) {
        let rest = variant.sku.strip_prefix(&before).unwrap_or_default();
        let sku = Sku::new(format!("{handle}{rest}"));
        skus.insert(std::mem::replace(&mut variant.sku, sku.clone()), sku);
    }
    for name in names_of(imported) {
        if name.column == HANDLE {
            handle.clone_into(&mut name.value);
        } else if name.is_sku()
            && let Some(sku) = skus.get(name.value.as_str())
        {
            sku.as_str().clone_into(&mut name.value);
        }
    }
    if let Some(first) = imported.product.variants.first_mut() {
        let cell = SourceCell {
            given: imported.written_handle.clone(),
            written: handle.to_owned(),
        };
        first.source.insert(HANDLE.to_owned(), cell);
    }
}

/// Keeps the SKU of a single variant that was imported without options. It equals the handle, and
/// its stock is counted under it.
fn keep_plain_sku(imported: &mut ImportedProduct, existing: &Product) {
    let (product, existing) = (&mut imported.product, existing.variants.as_slice());
    let ([variant], [before]) = (product.variants.as_mut_slice(), existing) else {
        return;
    };
    if !variant.sku_generated || before.sku != *product.handle || variant.sku == before.sku {
        return;
    }
    variant.sku_generated = false;
    variant.sku.clone_from(&before.sku);
    for name in names_of(imported).filter(|name| name.is_sku()) {
        before.sku.as_str().clone_into(&mut name.value);
    }
}

fn names_of(imported: &mut ImportedProduct) -> impl Iterator<Item = &mut Name> {
    let quantities = imported.quantities.iter_mut().map(|(name, _)| name);
    let names = imported.names.iter_mut().chain(quantities);
    names.chain(&mut imported.unstated)
}
