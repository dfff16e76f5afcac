//! The rows of one product, read.

use crate::catalog::handles::{product_handle, slug};
use crate::catalog::html::sanitise_html;
use crate::catalog::rules::{
    MAX_CHARS, MAX_TITLE_CHARS, MAX_VARIANTS, NO_ADDRESS, folded, indistinct,
};
use crate::catalog::{
    Image, Price, Product, ProductOption, ProductStatus, Seo, SourceCell, Variant, web_address,
};
use crate::pricing::tax::EXEMPT;
use crate::publishing::csv::columns::{
    FEATURES, HANDLE, METADATA, POLICY, SKU, SPECIFICATIONS, list_of,
};
use crate::publishing::csv::imported::{ImportedProduct, Name, RowError};
use crate::publishing::csv::notices::{NoticeCode, Notices};
use crate::publishing::csv::rows::Row;
use crate::publishing::csv::write::rows_of;
use crate::values::ids::digest_of;
use crate::values::money::{Currency, Money};
use crate::values::tax_class::standard;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// Most bytes of a product as the record is given it: what D1 takes in one parameter, and some room.
const MAX_PRODUCT_BYTES: usize = 1_900_000;

/// The product that these rows are.
///
/// # Errors
/// Every row that keeps it out.
pub fn read_product(
    rows: &[Row<'_>],
    currencies: &[Currency],
) -> Result<ImportedProduct, Vec<RowError>> {
    let Some(opening) = rows.first() else {
        return Err(vec![]);
    };
    let mut variant_rows: Vec<&Row<'_>> = rows.iter().filter(|row| row.has_variant()).collect();
    // A first row that states no variant is one with the first row that does.
    let joined = variant_rows
        .first()
        .filter(|row| row.start != opening.start)
        .map(|row| {
            (
                opening.completed_by(row, opening.line),
                opening.completed_by(row, row.line),
            )
        });
    let first = joined.as_ref().map_or(opening, |(first, _)| first);
    if let (Some(row), Some((_, variant))) = (variant_rows.first_mut(), &joined) {
        *row = variant;
    }
    let written_handle = first.cell("Handle").to_owned();
    let handle = product_handle(&written_handle);
    let mut errors = Vec::new();
    if handle.is_empty() {
        let detail = "A product needs a handle of letters or digits.";
        return Err(vec![first.error("Handle", detail)]);
    }
    errors.extend(too_long(first, "Handle", &handle, MAX_CHARS));
    errors.extend(too_long(
        first,
        "Title",
        first.cell("Title"),
        MAX_TITLE_CHARS,
    ));
    if first.cell("Title").is_empty() {
        let detail = "The first row of a product needs a title.";
        errors.push(first.error("Title", detail));
    }
    let status = read_status(first)
        .map_err(|error| errors.push(error))
        .unwrap_or_default();
    let features = read_field(first, FEATURES, &mut errors);
    let specifications = read_field(first, SPECIFICATIONS, &mut errors);
    let metadata = read_field(first, METADATA, &mut errors);
    errors.extend(rows.iter().flat_map(not_of_the_web));
    let columns = options_of(first, &variant_rows);
    let mut variants: Vec<Variant> = Vec::new();
    let mut quantities = Vec::new();
    let plain = Name {
        line: first.line,
        column: HANDLE,
        value: handle.clone(),
    };
    let mut unique = vec![plain, Name::written_handle(first.line, &written_handle)];
    let choices: Vec<Vec<String>> = variant_rows
        .iter()
        .map(|row| option_values_of(row, &columns))
        .collect();
    if variant_rows.len() > MAX_VARIANTS {
        let detail = format!(
            "The product has {} variants; at most {MAX_VARIANTS} are sold as one.",
            variant_rows.len()
        );
        return Err(vec![first.error(SKU, detail)]);
    }
    let generated = generated_skus(&handle, &choices);
    let mut notices = Notices::default();
    let mut unstated = Vec::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut choices_seen: BTreeSet<Vec<String>> = BTreeSet::new();
    for ((row, choice), generated) in variant_rows.iter().zip(choices).zip(generated) {
        let (mut variant, quantity) =
            match read_variant(row, &columns, choice, generated, currencies) {
                Ok(read) => read,
                Err(problems) => {
                    errors.extend(problems);
                    continue;
                }
            };
        if taken.contains(&variant.sku) && !variant.sku_generated {
            let repeated = std::mem::take(&mut variant.sku);
            variant.sku = told_apart(&handle, &variant, &taken);
            variant.sku_generated = true;
            let renamed = format!("{repeated} is now {}", variant.sku);
            notices.name(NoticeCode::RepeatedSku, row.line, &renamed);
        }
        if !taken.insert(variant.sku.clone()) {
            let detail = format!("The SKU `{}` is already taken in this file.", variant.sku);
            errors.push(row.error(SKU, detail));
        }
        if !choices_seen.insert(folded(&variant.option_values)) {
            let detail = "Another variant of this product has the same options.";
            errors.push(row.error("Option1 Value", detail));
        }
        if variant.tracked && sells_on(row) {
            notices.name(NoticeCode::SoldWhenOut, row.line, &variant.sku);
        }
        let sku = Name {
            line: row.line,
            column: SKU,
            value: variant.sku.clone(),
        };
        if variant.tracked && quantity.is_none() {
            unstated.push(sku.clone());
        }
        quantities.extend(quantity.map(|quantity| (sku.clone(), quantity)));
        unique.push(sku);
        variants.push(variant);
    }
    if variants.is_empty() && errors.is_empty() {
        errors.push(first.error("Variant Price", "A product needs a variant with a price."));
    }
    let is_moved = are_moved(&columns);
    let options: Vec<ProductOption> = (0_usize..)
        .zip(columns)
        .map(|(at, column)| ProductOption::of(column.name, at, &variants))
        .collect();
    if errors.is_empty()
        && let Some(detail) = indistinct(&options)
    {
        errors.push(first.error("Option1 Value", detail));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let body = first.cell("Body (HTML)").to_lowercase();
    let has_video = ["<iframe", "<video", "<embed", "<object"]
        .iter()
        .any(|tag| body.contains(tag));
    if has_video {
        notices.name(NoticeCode::VideoLeftOut, first.line, &handle);
    }
    if status == ProductStatus::Unlisted {
        notices.name(NoticeCode::Unlisted, first.line, &handle);
    }
    let mut product = Product {
        id: String::new(),
        handle,
        title: first.cell("Title").to_owned(),
        description_html: sanitise_html(first.cell("Body (HTML)")),
        vendor: first.cell("Vendor").to_owned(),
        r#type: first.cell("Type").to_owned(),
        tags: list_of(first.cell("Tags"), ','),
        status,
        category: category_of(first),
        options,
        images: images_of(rows),
        seo: Seo {
            title: first.cell("SEO Title").to_owned(),
            description: first.cell("SEO Description").to_owned(),
        },
        features,
        specifications,
        metadata,
        variants,
        ..Product::default()
    };
    let units = quantities
        .iter()
        .map(|(sku, quantity)| (sku.value.clone(), *quantity))
        .collect();
    let written = rows_of(&product, currencies, &units);
    for ((variant, row), written) in product.variants.iter_mut().zip(variant_rows).zip(&written) {
        variant.source = row.source(written);
        if is_moved {
            keep_option_cells(variant, row, written);
        }
    }
    // The handle of the first row is written on all.
    for variant in product.variants.iter_mut().skip(1) {
        variant.source.remove("Handle");
    }
    let bytes = serde_json::to_string(&product).map_or(0, |json| json.len());
    if bytes > MAX_PRODUCT_BYTES {
        let detail = format!(
            "The rows of this product have {bytes} bytes together, at most {MAX_PRODUCT_BYTES} are kept: shorten its description, and put pictures in as addresses."
        );
        return Err(vec![first.error("Body (HTML)", detail)]);
    }
    Ok(ImportedProduct {
        product,
        written_handle,
        quantities,
        names: unique,
        notices,
        unstated,
    })
}

/// True for a variant that goes on being sold when nothing is left of it.
fn sells_on(row: &Row<'_>) -> bool {
    let policy = row.cell(POLICY);
    policy.eq_ignore_ascii_case("continue") || policy.eq_ignore_ascii_case("true")
}

/// Pictures of a row whose address leads nowhere.
fn not_of_the_web<'a>(row: &'a Row<'_>) -> impl Iterator<Item = RowError> + 'a {
    let columns = ["Image Src", "Variant Image"].into_iter();
    columns.filter_map(|column| {
        let given = row.cell(column);
        (!given.is_empty() && web_address(given).is_none()).then(|| row.error(column, NO_ADDRESS))
    })
}

fn too_long(row: &Row<'_>, column: &str, text: &str, most: usize) -> Option<RowError> {
    let detail = || format!("At most {most} characters.");
    (text.chars().count() > most).then(|| row.error(column, detail()))
}

/// An SKU for a variant whose own is taken by another of its product: of handle and options, as one without any gets.
fn told_apart(handle: &str, variant: &Variant, taken: &BTreeSet<String>) -> String {
    let choice = std::slice::from_ref(&variant.option_values);
    let made = generated_skus(handle, choice).pop().unwrap_or_default();
    if !taken.contains(&made) {
        return made;
    }
    let digest = digest_of(variant.option_values.join("\0").as_bytes());
    format!("{made}-{}", digest.get(..6).unwrap_or_default())
}

/// A field of the product that its cell has as JSON.
fn read_field<T: DeserializeOwned + Default>(
    row: &Row<'_>,
    column: &str,
    errors: &mut Vec<RowError>,
) -> T {
    let cell = row.cell(column);
    if cell.is_empty() {
        return T::default();
    }
    durable::json::read(cell).unwrap_or_else(|error| {
        errors.push(row.error(
            column,
            format!("This is not the JSON that was expected: {error}."),
        ));
        T::default()
    })
}

/// An option, and the column of its values.
struct OptionColumn {
    name: String,
    values: String,
}

/// The options that have values, in the order of their columns, but for the `Title: Default Title` that Shopify writes for a
/// product without any. One without a name is named by its number.
fn options_of(first: &Row<'_>, variants: &[&Row<'_>]) -> Vec<OptionColumn> {
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

/// True when the shop writes an option to another column than it was read from.
fn are_moved(options: &[OptionColumn]) -> bool {
    let mut columns = (1_usize..).zip(options);
    columns.any(|(number, option)| option.values != format!("Option{number} Value"))
}

/// Keeps the cells of options that the file leaves empty or has no column for: an export has each option once.
fn keep_option_cells(variant: &mut Variant, row: &Row<'_>, written: &BTreeMap<String, String>) {
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

fn option_values_of(row: &Row<'_>, options: &[OptionColumn]) -> Vec<String> {
    let values = options.iter().map(|option| row.cell(&option.values));
    values.map(str::to_owned).collect()
}

fn read_variant(
    row: &Row<'_>,
    options: &[OptionColumn],
    option_values: Vec<String>,
    generated_sku: String,
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
        id: String::new(),
        sku: if sku.is_empty() {
            generated_sku
        } else {
            sku.to_owned()
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

/// What is not taxable is exempt; else the merchant's tax code names a class of its own.
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

/// An SKU for each variant, by its option values. The same handle and options always give the same, so that an import can be
/// repeated; where two choices differ by signs alone (`+1.5`, `-1.5`), a digest tells them apart.
#[must_use]
pub fn generated_skus(handle: &str, choices: &[Vec<String>]) -> Vec<String> {
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
                return sku;
            }
            let digest = digest_of(values.join("\0").as_bytes());
            format!("{sku}-{}", digest.get(..6).unwrap_or_default())
        })
        .collect()
}

fn read_prices(
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

/// A barcode without what spreadsheets put around it: an apostrophe before it, a decimal point, an exponent.
fn barcode_of(cell: &str) -> String {
    let text = cell.trim_start_matches(['\'', '\u{2019}']).trim();
    whole_number(text).unwrap_or_else(|| text.to_owned())
}

/// The digits of a whole number in any form that spreadsheets write: `12`, `12.0`, `1.2E+01`. None for anything else.
fn whole_number(text: &str) -> Option<String> {
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

/// A whole number; Shopify exports grams as `221.0` and oversold stock as a negative quantity, which counts as none.
fn read_number(row: &Row<'_>, column: &str, errors: &mut Vec<RowError>) -> Option<u32> {
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
            format!("`{cell}` is not a whole number up to {most}."),
        ));
    }
    known
}

/// Whole grams; what is below one is left out.
fn grams(cell: &str) -> Option<u32> {
    let (whole, fraction) = cell.split_once('.').unwrap_or((cell, ""));
    let is_number = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let whole = if whole.is_empty() { "0" } else { whole };
    whole.parse().ok().filter(|_| is_number)
}

fn read_status(first: &Row<'_>) -> Result<ProductStatus, RowError> {
    match first.cell("Status").to_lowercase().as_str() {
        "active" if hidden(first) => Ok(ProductStatus::Draft),
        "active" => Ok(ProductStatus::Active),
        "unlisted" if hidden(first) => Ok(ProductStatus::Draft),
        "unlisted" => Ok(ProductStatus::Unlisted),
        "draft" => Ok(ProductStatus::Draft),
        "archived" => Ok(ProductStatus::Archived),
        "" if hidden(first) => Ok(ProductStatus::Draft),
        "" => Ok(ProductStatus::Active),
        other => Err(first.error(
            "Status",
            format!("`{other}` is not active, unlisted, draft or archived."),
        )),
    }
}

/// Shopify says by `Published` whether an active product is seen in the shop.
fn hidden(first: &Row<'_>) -> bool {
    first.cell("Published").eq_ignore_ascii_case("false")
}

fn category_of(first: &Row<'_>) -> Vec<String> {
    let path = list_of(first.cell("Product Category"), '>');
    if path.is_empty() {
        list_of(first.cell("Type"), '>')
    } else {
        path
    }
}

/// The pictures, by their `Image Position` where the file states it.
fn images_of(rows: &[Row<'_>]) -> Vec<Image> {
    let mut images: Vec<(u32, Image)> = Vec::new();
    for row in rows {
        let url = row.cell("Image Src");
        if url.is_empty() || images.iter().any(|(_, image)| image.url == url) {
            continue;
        }
        let position = whole_number(row.cell("Image Position"))
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(u32::MAX);
        images.push((
            position,
            Image {
                url: url.to_owned(),
                alt: row.cell("Image Alt Text").to_owned(),
                width: None,
                height: None,
            },
        ));
    }
    images.sort_by_key(|(position, _)| *position);
    images.into_iter().map(|(_, image)| image).collect()
}
