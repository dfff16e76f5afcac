//! Handles and SKUs in a file, each of which belongs to one product.

use crate::catalog::Product;
use crate::publishing::csv::columns::HANDLE;
use crate::publishing::csv::imported::{Name, RowError};
use crate::publishing::csv::read::ProductFile;
use crate::values::ids::{ProductId, Sku};
use std::collections::{BTreeMap, BTreeSet};

const SKU_CURE: &str =
    " Stock is counted by SKU. Give this product its own, or leave the cell empty.";

/// Leaves out products with a handle or SKU that is on an earlier line, in this window or an
/// earlier one (`earlier`).
pub fn refuse_repeated_names(file: &mut ProductFile, mut earlier: BTreeMap<String, u64>) {
    // Rows left out may belong to a product that an earlier window has accepted without them.
    let again = file.left_out_handles.iter().filter_map(|name| {
        let line = *earlier.get(&claim_of(name))?;
        (line != name.line).then(|| stands_already(name, line))
    });
    file.errors.extend(again);
    leave_out(file, |name| {
        // Plain handles were already made distinct, so a repeated one is never the product's own
        // fault.
        if name.column == HANDLE {
            return None;
        }
        let line = *earlier.entry(claim_of(name)).or_insert(name.line);
        (line != name.line).then(|| stands_already(name, line).detail)
    });
}

fn stands_already(name: &Name, line: u64) -> RowError {
    let cure = if name.is_sku() { SKU_CURE } else { "" };
    let detail = format!("`{}` is already used on line {line}.{cure}", name.value);
    RowError::new(name.line, column_of(name), detail)
}

/// True for a name claimed by another line of an earlier window.
pub fn is_claimed_elsewhere(name: &Name, earlier: &BTreeMap<String, u64>) -> bool {
    let line = earlier.get(&claim_of(name));
    line.is_some_and(|line| *line != name.line)
}

fn column_of(name: &Name) -> &'static str {
    if name.is_written_handle() {
        HANDLE
    } else {
        name.column
    }
}

/// Leaves out products with a SKU that another product in the record keeps. `owners` are product
/// ids by SKU, `known` the record's products by handle.
pub fn refuse_taken_skus(
    file: &mut ProductFile,
    owners: &BTreeMap<Sku, ProductId>,
    known: &BTreeMap<String, Product>,
) {
    // A product left out keeps its SKUs, which may in turn keep out another product that was to get
    // them.
    loop {
        let giving_up: BTreeSet<&str> = file
            .products
            .iter()
            .filter_map(|imported| Some(known.get(&imported.product.handle)?.id.as_str()))
            .collect();
        let left_out = leave_out(file, |name| {
            owners
                .get(name.value.as_str())
                .filter(|owner| name.is_sku() && !giving_up.contains(owner.as_str()))
                .map(|_| {
                    format!(
                        "Another product of the shop already has the SKU `{}`.{SKU_CURE}",
                        name.value
                    )
                })
        });
        if left_out == 0 {
            break;
        }
    }
}

/// Returns the SKUs in a file.
pub fn skus_of(file: &ProductFile) -> Vec<Sku> {
    file.products
        .iter()
        .flat_map(|imported| &imported.names)
        .filter(|name| name.is_sku())
        .map(|name| Sku::new(name.value.clone()))
        .collect()
}

/// Returns the names that an import must not use twice, each with its line.
pub fn claims_of(file: &ProductFile) -> Vec<(String, u64)> {
    file.products
        .iter()
        .flat_map(|imported| &imported.names)
        .chain(&file.left_out_handles)
        .map(|name| (claim_of(name), name.line))
        .collect()
}

fn claim_of(name: &Name) -> String {
    format!("{}:{}", name.column, name.value)
}

/// Leaves out the products that have a name with an objection, and returns their number.
fn leave_out(file: &mut ProductFile, mut against: impl FnMut(&Name) -> Option<String>) -> usize {
    let mut errors = Vec::new();
    let before = file.products.len();
    file.products.retain(|imported| {
        let found = errors.len();
        errors.extend(imported.names.iter().filter_map(|name| {
            Some(RowError {
                line: name.line,
                column: column_of(name).to_owned(),
                detail: against(name)?,
            })
        }));
        errors.len() == found
    });
    file.errors.extend(errors);
    let left_out = before.saturating_sub(file.products.len());
    file.left_out = file.left_out.saturating_add(left_out);
    left_out
}
