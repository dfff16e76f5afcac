//! Variants of a product, one per row.

use crate::catalog::Variant;
use crate::catalog::handles::slug;
use crate::catalog::rules::{MAX_CHARS, MAX_VARIANTS, folded};
use crate::pricing::tax::EXEMPT;
use crate::publishing::csv::cells::{barcode_of, read_number, read_prices, too_long};
use crate::publishing::csv::columns::{POLICY, SKU};
use crate::publishing::csv::imported::{Name, RowError};
use crate::publishing::csv::notices::{NoticeCode, Notices};
use crate::publishing::csv::options::{OptionColumn, option_values_of};
use crate::publishing::csv::rows::Row;
use crate::values::ids::{Sku, VariantId, digest_of};
use crate::values::money::Currency;
use crate::values::tax_class::standard;
use std::collections::{BTreeMap, BTreeSet};

/// Variants of a product as stated in its rows.
#[derive(Default)]
pub(super) struct Variants {
    pub(super) variants: Vec<Variant>,
    /// Quantities of tracked variants that state one.
    pub(super) quantities: Vec<(Name, u32)>,
    /// SKUs, with their places in the file.
    pub(super) skus: Vec<Name>,
    /// SKUs of tracked variants that state no quantity.
    pub(super) unstated: Vec<Name>,
    taken: BTreeSet<Sku>,
    choices: BTreeSet<Vec<String>>,
}

/// Reads the variants of the product `handle`; errors in rows are added to `errors`.
///
/// # Errors
/// Fails if the product has more variants than a product may have.
pub(super) fn read_variants(
    handle: &str,
    rows: &[&Row<'_>],
    options: &[OptionColumn],
    currencies: &[Currency],
    notices: &mut Notices,
    errors: &mut Vec<RowError>,
) -> Result<Variants, RowError> {
    if let (Some(first), true) = (rows.first(), rows.len() > MAX_VARIANTS) {
        let detail = format!(
            "The product has {} variants; the limit is {MAX_VARIANTS}.",
            rows.len()
        );
        return Err(first.error(SKU, detail));
    }
    let choices: Vec<Vec<String>> = rows
        .iter()
        .map(|row| option_values_of(row, options))
        .collect();
    let generated = generated_skus(handle, &choices);
    let mut read = Variants::default();
    for ((row, choice), generated) in rows.iter().zip(choices).zip(generated) {
        match read_variant(row, options, choice, generated, currencies) {
            Ok((variant, quantity)) => {
                let variant = read.with_own_sku(handle, row, variant, notices);
                read.add(row, variant, quantity, notices, errors);
            }
            Err(problems) => errors.extend(problems),
        }
    }
    Ok(read)
}

impl Variants {
    /// Returns the variant with a SKU that no other variant of the product has.
    fn with_own_sku(
        &self,
        handle: &str,
        row: &Row<'_>,
        mut variant: Variant,
        notices: &mut Notices,
    ) -> Variant {
        if variant.sku_generated || !self.taken.contains(&variant.sku) {
            return variant;
        }
        let own = told_apart(handle, &variant, &self.taken);
        let repeated = std::mem::replace(&mut variant.sku, own);
        variant.sku_generated = true;
        let renamed = format!("{repeated} is now {}", variant.sku);
        notices.name(NoticeCode::RepeatedSku, row.line, &renamed);
        variant
    }

    fn add(
        &mut self,
        row: &Row<'_>,
        variant: Variant,
        quantity: Option<u32>,
        notices: &mut Notices,
        errors: &mut Vec<RowError>,
    ) {
        if !self.taken.insert(variant.sku.clone()) {
            let detail = format!("The SKU `{}` is already used in this file.", variant.sku);
            errors.push(row.error(SKU, detail));
        }
        if !self.choices.insert(folded(&variant.option_values)) {
            let detail = "Another variant of this product has the same option values.";
            errors.push(row.error("Option1 Value", detail));
        }
        if variant.tracked && sells_on(row) {
            notices.name(NoticeCode::SoldWhenOut, row.line, &variant.sku);
        }
        let sku = Name {
            line: row.line,
            column: SKU,
            value: variant.sku.as_str().to_owned(),
        };
        if variant.tracked && quantity.is_none() {
            self.unstated.push(sku.clone());
        }
        self.quantities
            .extend(quantity.map(|quantity| (sku.clone(), quantity)));
        self.skus.push(sku);
        self.variants.push(variant);
    }
}

fn read_variant(
    row: &Row<'_>,
    options: &[OptionColumn],
    option_values: Vec<String>,
    generated_sku: Sku,
    currencies: &[Currency],
) -> Result<(Variant, Option<u32>), Vec<RowError>> {
    let mut errors = Vec::new();
    for (value, option) in option_values.iter().zip(options) {
        if value.is_empty() {
            let detail = format!("Each variant needs a value for {}.", option.name);
            errors.push(row.error(&option.values, detail));
        }
    }
    let prices = read_prices(row, currencies, &mut errors);
    let weight_grams = read_number(row, "Variant Grams", &mut errors);
    let quantity = read_number(row, "Variant Inventory Qty", &mut errors);
    let sku = row.cell(SKU);
    errors.extend(too_long(row, SKU, sku, MAX_CHARS));
    if !errors.is_empty() {
        return Err(errors);
    }
    let tracked = !row.cell("Variant Inventory Tracker").is_empty();
    let variant = Variant {
        id: VariantId::default(),
        sku: if sku.is_empty() {
            generated_sku
        } else {
            Sku::new(sku.to_owned())
        },
        sku_generated: sku.is_empty(),
        title: option_values.join(" / "),
        option_values,
        prices,
        barcode: Some(barcode_of(row.cell("Variant Barcode"))).filter(|code| !code.is_empty()),
        weight_grams,
        image: Some(row.cell("Variant Image").to_owned()).filter(|url| !url.is_empty()),
        tracked,
        tax_class: tax_class_of(row),
        source: BTreeMap::new(),
    };
    Ok((variant, quantity.filter(|_| tracked)))
}

/// Returns a SKU for a variant whose own is used by another variant of the product. It is derived
/// from handle and options, like that of a variant without a SKU.
fn told_apart(handle: &str, variant: &Variant, taken: &BTreeSet<Sku>) -> Sku {
    let choice = std::slice::from_ref(&variant.option_values);
    let made = generated_skus(handle, choice).pop();
    let made = made.unwrap_or_else(|| Sku::new(String::new()));
    if !taken.contains(&made) {
        return made;
    }
    let digest = digest_of(variant.option_values.join("\0").as_bytes());
    Sku::new(format!("{made}-{}", digest.get(..6).unwrap_or_default()))
}

/// Returns a SKU for each variant, derived from its option values. The same handle and options
/// always give the same SKU, so that an import can be repeated. If two choices differ only in
/// symbols (`+1.5`, `-1.5`), a digest distinguishes them.
#[must_use]
pub fn generated_skus(handle: &str, choices: &[Vec<String>]) -> Vec<Sku> {
    let plain = |values: &Vec<String>| {
        let mut parts = vec![handle.to_owned()];
        parts.extend(values.iter().map(|value| slug(value)));
        parts.retain(|part| !part.is_empty());
        parts.join("-")
    };
    let mut choices_of: BTreeMap<String, BTreeSet<&Vec<String>>> = BTreeMap::new();
    for values in choices {
        choices_of.entry(plain(values)).or_default().insert(values);
    }
    choices
        .iter()
        .map(|values| {
            let sku = plain(values);
            if choices_of.get(&sku).is_none_or(|same| same.len() == 1) {
                return Sku::new(sku);
            }
            let digest = digest_of(values.join("\0").as_bytes());
            Sku::new(format!("{sku}-{}", digest.get(..6).unwrap_or_default()))
        })
        .collect()
}

/// Returns the tax class of a row: exempt if it is not taxable, or else the class named by the
/// merchant's tax code.
fn tax_class_of(row: &Row<'_>) -> String {
    let class = row.cell("Variant Tax Code");
    if row.cell("Variant Taxable").eq_ignore_ascii_case("false") {
        EXEMPT.to_owned()
    } else if class.is_empty() {
        standard()
    } else {
        class.to_owned()
    }
}

/// True for a variant that is still sold when out of stock.
fn sells_on(row: &Row<'_>) -> bool {
    let policy = row.cell(POLICY);
    policy.eq_ignore_ascii_case("continue") || policy.eq_ignore_ascii_case("true")
}
