//! Options of a product, and their columns.

use crate::catalog::{SourceCell, Variant};
use crate::publishing::csv::rows::Row;
use std::collections::BTreeMap;

/// An option, and the column of its values.
pub(super) struct OptionColumn {
    pub(super) name: String,
    pub(super) values: String,
}

/// Returns the options that have values, in the order of their columns, except the
/// `Title: Default Title` that Shopify writes for a product without options. An option without a
/// name is named by its number.
pub(super) fn options_of(first: &Row<'_>, variants: &[&Row<'_>]) -> Vec<OptionColumn> {
    let is_default = first.cell("Option1 Value") == "Default Title";
    let columns = (1..=3).map(|number| (number, format!("Option{number} Value")));
    columns
        .filter(|(number, _)| !(is_default && *number == 1))
        .filter(|(_, values)| variants.iter().any(|row| !row.cell(values).is_empty()))
        .map(|(number, values)| {
            let name = match first.cell(&format!("Option{number} Name")) {
                "" => format!("Option {number}"),
                name => name.to_owned(),
            };
            OptionColumn { name, values }
        })
        .collect()
}

/// True if the shop writes an option to a different column than it was read from.
pub(super) fn are_moved(options: &[OptionColumn]) -> bool {
    let mut columns = (1_usize..).zip(options);
    columns.any(|(number, option)| option.values != format!("Option{number} Value"))
}

/// Keeps the option cells that the file leaves empty or has no column for, so that an export
/// contains each option once.
pub(super) fn keep_option_cells(
    variant: &mut Variant,
    row: &Row<'_>,
    written: &BTreeMap<String, String>,
) {
    let columns = written
        .iter()
        .filter(|(name, _)| name.starts_with("Option"));
    for (column, written) in columns.filter(|(column, _)| row.cell(column).is_empty()) {
        let cell = SourceCell {
            given: String::new(),
            written: written.clone(),
        };
        variant.source.entry(column.clone()).or_insert(cell);
    }
}

pub(super) fn option_values_of(row: &Row<'_>, options: &[OptionColumn]) -> Vec<String> {
    let values = options.iter().map(|option| row.cell(&option.values));
    values.map(str::to_owned).collect()
}
