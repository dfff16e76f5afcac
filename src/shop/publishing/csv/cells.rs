//! Conversion of cells to values: amounts, numbers, codes, JSON.

use crate::catalog::Price;
use crate::publishing::csv::imported::RowError;
use crate::publishing::csv::rows::Row;
use crate::values::money::{Currency, Money};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

pub(super) fn too_long(row: &Row<'_>, column: &str, text: &str, most: usize) -> Option<RowError> {
    let detail = || format!("Must be at most {most} characters long.");
    (text.chars().count() > most).then(|| row.error(column, detail()))
}

/// Parses a product field whose cell contains JSON.
pub(super) fn read_field<T: DeserializeOwned + Default>(
    row: &Row<'_>,
    column: &str,
    errors: &mut Vec<RowError>,
) -> T {
    let cell = row.cell(column);
    if cell.is_empty() {
        return T::default();
    }
    durable::json::read(cell).unwrap_or_else(|error| {
        errors.push(row.error(column, format!("Not the expected JSON: {error}.")));
        T::default()
    })
}

pub(super) fn read_prices(
    row: &Row<'_>,
    currencies: &[Currency],
    errors: &mut Vec<RowError>,
) -> BTreeMap<String, Price> {
    let mut prices = BTreeMap::new();
    for (at, currency) in currencies.iter().enumerate() {
        let (price, compare_at) = if at == 0 {
            (
                "Variant Price".to_owned(),
                "Variant Compare At Price".to_owned(),
            )
        } else {
            (
                format!("Price / {currency}"),
                format!("Compare At Price / {currency}"),
            )
        };
        let amount = read_money(row, &price, *currency, errors);
        let compare_at_amount = read_money(row, &compare_at, *currency, errors);
        match amount {
            Some(amount) => {
                let compare_at_amount = compare_at_amount.filter(|before| *before > amount);
                prices.insert(
                    currency.code().to_owned(),
                    Price {
                        amount,
                        compare_at_amount,
                        converted: false,
                        conversion: None,
                    },
                );
            }
            None if at == 0 && row.cell(&price).is_empty() => {
                errors.push(row.error(&price, "A variant needs a price."));
            }
            None => {}
        }
    }
    prices
}

fn read_money(
    row: &Row<'_>,
    column: &str,
    currency: Currency,
    errors: &mut Vec<RowError>,
) -> Option<i64> {
    let cell = row.cell(column);
    if cell.is_empty() {
        return None;
    }
    match Money::parse_decimal(cell, currency) {
        Ok(money) => Some(money.amount),
        Err(detail) => {
            errors.push(row.error(column, detail));
            None
        }
    }
}

/// Returns a barcode without additions by spreadsheets: a leading apostrophe, a decimal point, an
/// exponent.
pub(super) fn barcode_of(cell: &str) -> String {
    let text = cell.trim_start_matches(['\'', '\u{2019}']).trim();
    whole_number(text).unwrap_or_else(|| text.to_owned())
}

/// Returns the digits of a whole number in any form that spreadsheets write: `12`, `12.0`,
/// `1.2E+01`. `None` means that it is something else.
pub(super) fn whole_number(text: &str) -> Option<String> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
            (mantissa, exponent.parse::<usize>().ok()?)
        }
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let zeros = exponent
        .checked_sub(fraction.len())
        .filter(|zeros| *zeros <= 20)?;
    Some(format!("{whole}{fraction}{}", "0".repeat(zeros)))
}

/// Parses a whole number. Shopify exports grams as `221.0`, and oversold stock as a negative
/// quantity, which counts as 0.
pub(super) fn read_number(row: &Row<'_>, column: &str, errors: &mut Vec<RowError>) -> Option<u32> {
    let cell = row.cell(column);
    if cell.is_empty() {
        return None;
    }
    let number = match cell.strip_prefix('-') {
        Some(owed) => whole_number(owed).map(|_| 0),
        None if column == "Variant Grams" => grams(cell),
        None => whole_number(cell).and_then(|digits| digits.parse().ok()),
    };
    let known = number.filter(|number| *number <= durable::stock::MAX_QUANTITY);
    if known.is_none() {
        let most = durable::stock::MAX_QUANTITY;
        errors.push(row.error(
            column,
            format!("`{cell}` must be a whole number up to {most}."),
        ));
    }
    known
}

/// Parses grams, rounding down.
fn grams(cell: &str) -> Option<u32> {
    let (whole, fraction) = cell.split_once('.').unwrap_or((cell, ""));
    let is_number = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let whole = if whole.is_empty() { "0" } else { whole };
    whole.parse().ok().filter(|_| is_number)
}
