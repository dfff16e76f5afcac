//! Reads product CSVs, window by window, so that a file of any size takes little memory: a window ends where a product does.
//!
//! Promises: a product with a row that can't be accepted is reported by line and column and left out whole; a variant without
//! an SKU gets a stable one made of its handle and options; no bytes panic.

use crate::shop::catalog::{
    Image, MAX_CHARS, MAX_TITLE_CHARS, Price, Product, ProductOption, Seo, SourceCell, Status,
    Variant, sanitise_html, slug,
};
use crate::shop::ids::digest_of;
use crate::shop::money::{Currency, Money};
use crate::shop::pricing::tax::{EXEMPT, standard};
use crate::shop::product_csv::columns::{
    COLUMNS, FEATURES, IMAGE_COLUMNS, METADATA, SPECIFICATIONS, canonical,
};
use crate::shop::product_csv::write::rows_of;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A part of a file: its header row, then rows from somewhere on.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// The bytes.
    pub csv: &'a [u8],
    /// Line of the file that the first row after the header begins on; none: right behind the header.
    pub first_line: Option<u64>,
    /// Whether the file ends here. If not, the last product may go on, and is left for the next window.
    pub last: bool,
    /// Most variants to read, unless a single product has more.
    pub max_variants: usize,
}

/// What a window holds.
#[derive(Debug, Default)]
pub struct ProductFile {
    /// The products that can be accepted, in the file's order; they have no ids yet.
    pub products: Vec<ImportedProduct>,
    /// What is wrong with the others.
    pub errors: Vec<RowError>,
    /// Bytes of the header row; each later window begins with them.
    pub header_bytes: usize,
    /// Bytes read, header row included; the next window goes on behind them.
    pub consumed_bytes: usize,
    /// Line of the file that the next window begins on.
    pub next_line: u64,
}

/// A product and what its rows state beside it.
#[derive(Clone, Debug)]
pub struct ImportedProduct {
    /// The product.
    pub product: Product,
    /// Units by SKU, of the variants that are tracked and state a quantity.
    pub quantities: Vec<(String, u32)>,
    /// Names that no other product of the file may have.
    pub names: Vec<Name>,
}

/// A handle or SKU, and where the file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The line.
    pub line: u64,
    /// `Handle` or `Variant SKU`.
    pub column: &'static str,
    /// The handle or SKU.
    pub value: String,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct RowError {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    /// Name of the column.
    pub column: String,
    /// What would be accepted.
    pub detail: String,
}

/// Reads a window. Prices are in `currencies`: `Variant Price` in the first, `Price / EUR` in EUR and so on.
#[must_use]
pub fn read_products(window: Window<'_>, currencies: &[Currency]) -> ProductFile {
    let mut file = ProductFile::default();
    let csv = without_mark(window.csv);
    let bom_bytes = window.csv.len().saturating_sub(csv.len());
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv);
    let columns = match reader.byte_headers() {
        Ok(headers) => Columns::named(headers),
        Err(error) => {
            file.errors.push(RowError::new(1, "", error.to_string()));
            return file;
        }
    };
    file.errors = columns.problems(csv);
    if !file.errors.is_empty() {
        return file;
    }
    let mut rows: Vec<Row<'_>> = Vec::new();
    for record in reader.byte_records() {
        match record {
            Ok(record) => rows.push(Row::new(&columns, &record, csv)),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                file.errors.push(RowError::new(line, "", error.to_string()));
            }
        }
    }
    let end = csv.len();
    file.header_bytes = rows
        .first()
        .map_or(end, |row| row.start)
        .saturating_add(bom_bytes);
    let shift = match (window.first_line, rows.first()) {
        (Some(line), Some(first)) => line.saturating_sub(first.line),
        _ => 0,
    };
    for row in &mut rows {
        row.line = row.line.saturating_add(shift);
    }
    let (mut groups, next) = complete_groups(rows, window);
    file.consumed_bytes = next
        .as_ref()
        .map_or(end, |row| row.start)
        .saturating_add(bom_bytes);
    file.next_line = next.as_ref().map_or(0, |row| row.line);
    let ends = |rows: &mut Vec<Row<'_>>| rows.last().is_some_and(|row| row.is_unclosed(csv));
    if window.last
        && next.is_none()
        && let Some(row) = groups.pop_if(ends).and_then(|mut rows| rows.pop())
    {
        let detail = "A quote is opened here and never closed: the rest of the file is one cell.";
        file.errors.push(row.error("", detail));
    }
    for rows in &groups {
        match read_product(rows, currencies) {
            Ok(product) => file.products.push(product),
            Err(errors) => file.errors.extend(errors),
        }
    }
    file
}

/// Most bytes of a product as the record is given it: what D1 takes in one parameter, and some room.
const MAX_PRODUCT_BYTES: usize = 1_900_000;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A file without the byte-order mark that it may begin with.
#[must_use]
pub fn without_mark(csv: &[u8]) -> &[u8] {
    csv.strip_prefix(BOM).unwrap_or(csv)
}

/// The rows of each product that the window has whole, and the first row of the rest.
fn complete_groups<'a>(
    mut rows: Vec<Row<'a>>,
    window: Window<'_>,
) -> (Vec<Vec<Row<'a>>>, Option<Row<'a>>) {
    // The last row may be cut, and the rows before it may be of its product.
    let cut = if window.last { None } else { rows.pop() };
    let mut groups: Vec<Vec<Row<'a>>> = Vec::new();
    let mut variants = 0_usize;
    for row in rows {
        if row.is_blank() {
            continue;
        }
        variants = variants.saturating_add(1);
        match groups.last_mut() {
            Some(group) if row.continues(group) => group.push(row),
            Some(_) if variants > window.max_variants => return (groups, Some(row)),
            _ => groups.push(vec![row]),
        }
    }
    let Some(cut) = cut else {
        return (groups, None);
    };
    let unfinished = groups.pop().and_then(|rows| rows.into_iter().next());
    (groups, Some(unfinished.unwrap_or(cut)))
}

impl RowError {
    fn new(line: u64, column: &str, detail: impl Into<String>) -> Self {
        Self {
            line,
            column: column.to_owned(),
            detail: detail.into(),
        }
    }
}

/// Where each column stands, by its name of today or before.
struct Columns {
    places: HashMap<String, usize>,
    names: Vec<String>,
}

impl Columns {
    fn named(headers: &csv::ByteRecord) -> Self {
        let names: Vec<String> = headers
            .iter()
            .map(|name| canonical(decode(name).trim()))
            .collect();
        let mut places = HashMap::new();
        for (at, name) in names.iter().enumerate() {
            places.entry(name.to_lowercase()).or_insert(at);
        }
        Self { places, names }
    }

    /// What keeps a file with this header out, whatever its rows say.
    fn problems(&self, csv: &[u8]) -> Vec<RowError> {
        let missing: Vec<&str> = ["Handle", "Title"]
            .into_iter()
            .filter(|required| !self.places.contains_key(&required.to_lowercase()))
            .collect();
        if let [first, ..] = missing.as_slice() {
            let detail = format!("This column is missing. {}", kind_of_file(csv));
            return vec![RowError::new(1, first, detail)];
        }
        let again = self.names.iter().enumerate().filter(|(at, name)| {
            COLUMNS.contains(&name.as_str()) && self.places.get(&name.to_lowercase()) != Some(at)
        });
        again
            .map(|(_, name)| RowError::new(1, name, "This column is there twice."))
            .collect()
    }
}

/// Why a header may not read as one.
fn kind_of_file(csv: &[u8]) -> &'static str {
    let header = csv.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_parted_by = |separator: u8| !header.contains(&b',') && header.contains(&separator);
    if header.contains(&0) {
        "The file is UTF-16: save it as UTF-8."
    } else if is_parted_by(b';') {
        "The columns are separated by semicolons: save the file with commas."
    } else if is_parted_by(b'\t') {
        "The columns are separated by tabs: save the file with commas."
    } else {
        "Is the file a product CSV of Shopify's?"
    }
}

/// One row, its cells by column name.
struct Row<'a> {
    line: u64,
    start: usize,
    columns: &'a Columns,
    cells: Vec<String>,
}

impl<'a> Row<'a> {
    /// The reader places a record behind the one before, so line breaks between them are not yet counted.
    fn new(columns: &'a Columns, record: &csv::ByteRecord, csv: &[u8]) -> Self {
        let (line, start) = record.position().map_or((0, 0), |position| {
            let start = usize::try_from(position.byte()).unwrap_or(0);
            (position.line(), start)
        });
        let breaks: Vec<&u8> = csv
            .iter()
            .skip(start)
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .collect();
        let lines = breaks.iter().filter(|byte| ***byte == b'\n').count();
        Self {
            line: line.saturating_add(u64::try_from(lines).unwrap_or(0)),
            start: start.saturating_add(breaks.len()),
            columns,
            cells: record.iter().map(decode).collect(),
        }
    }

    /// The cell of a column, without the space around it; empty where the row or the file lacks it.
    fn cell(&self, column: &str) -> &str {
        self.columns
            .places
            .get(&column.to_lowercase())
            .and_then(|at| self.cells.get(*at))
            .map_or("", |cell| cell.trim())
    }

    /// This row, its empty cells filled from another, as it would stand on `line`.
    fn completed_by(&self, other: &Self, line: u64) -> Self {
        let said = |row: &Self, at: usize| {
            let cell = row.cells.get(at).filter(|cell| !cell.trim().is_empty());
            cell.cloned()
        };
        let count = self.cells.len().max(other.cells.len());
        let cells = (0..count).map(|at| said(self, at).or_else(|| said(other, at)));
        Self {
            line,
            cells: cells.map(Option::unwrap_or_default).collect(),
            ..*self
        }
    }

    fn error(&self, column: &str, detail: impl Into<String>) -> RowError {
        RowError::new(self.line, column, detail)
    }

    fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }

    /// Whether this last row of a file ends in a cell whose quote is never closed.
    fn is_unclosed(&self, csv: &[u8]) -> bool {
        let text = csv.get(self.start..).unwrap_or_default();
        let quotes = text.iter().filter(|byte| **byte == b'"').count();
        quotes % 2 == 1 && self.cells.last().is_some_and(|cell| cell.contains('\n'))
    }

    /// Rows of one product stand together; a row without a handle continues the one above.
    fn continues(&self, group: &[Self]) -> bool {
        let handle = self.cell("Handle");
        handle.is_empty()
            || group
                .first()
                .is_some_and(|first| first.cell("Handle") == handle)
    }

    /// A row for a variant states its options, SKU or price; a row for one more image states none of them.
    fn has_variant(&self) -> bool {
        ["Option1 Value", "Variant Price", "Variant SKU"]
            .iter()
            .any(|column| !self.cell(column).is_empty())
    }

    /// The cells that the shop would not write as they are.
    fn source(&self, written: &BTreeMap<String, String>) -> BTreeMap<String, SourceCell> {
        let mut source = BTreeMap::new();
        for (column, given) in self.columns.names.iter().zip(&self.cells) {
            let written = written.get(column).map_or("", String::as_str);
            let lost = IMAGE_COLUMNS.contains(&column.as_str())
                || (column == "Handle" && given.is_empty());
            if !lost && given != written && !column.is_empty() {
                let cell = SourceCell {
                    given: given.clone(),
                    written: written.to_owned(),
                };
                source.entry(column.clone()).or_insert(cell);
            }
        }
        source
    }
}

/// Text of a cell: UTF-8, or else Windows-1252, as old spreadsheets write it.
fn decode(cell: &[u8]) -> String {
    match std::str::from_utf8(cell) {
        Ok(text) => text.to_owned(),
        Err(_) => cell.iter().map(|byte| windows_1252(*byte)).collect(),
    }
}

const fn windows_1252(byte: u8) -> char {
    match byte {
        0x80 => '€',
        0x82 => '‚',
        0x83 => 'ƒ',
        0x84 => '„',
        0x85 => '…',
        0x86 => '†',
        0x87 => '‡',
        0x88 => 'ˆ',
        0x89 => '‰',
        0x8a => 'Š',
        0x8b => '‹',
        0x8c => 'Œ',
        0x8e => 'Ž',
        0x91 => '‘',
        0x92 => '’',
        0x93 => '“',
        0x94 => '”',
        0x95 => '•',
        0x96 => '–',
        0x97 => '—',
        0x98 => '˜',
        0x99 => '™',
        0x9a => 'š',
        0x9b => '›',
        0x9c => 'œ',
        0x9e => 'ž',
        0x9f => 'Ÿ',
        other => other as char,
    }
}

fn read_product(
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
    let handle = slug(first.cell("Handle"));
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
        let detail = "The first row of a product needs a title; all its rows stand together.";
        errors.push(first.error("Title", detail));
    }
    let status = read_status(first)
        .map_err(|error| errors.push(error))
        .unwrap_or_default();
    let features = read_field(first, FEATURES, &mut errors);
    let specifications = read_field(first, SPECIFICATIONS, &mut errors);
    let metadata = read_field(first, METADATA, &mut errors);
    let names = option_names(first, &variant_rows);
    let mut variants: Vec<Variant> = Vec::new();
    let mut quantities = Vec::new();
    let mut unique = vec![Name {
        line: first.line,
        column: "Handle",
        value: handle.clone(),
    }];
    let choices: Vec<Vec<String>> = variant_rows
        .iter()
        .map(|row| option_values_of(row, &names))
        .collect();
    let generated = generated_skus(&handle, &choices);
    for ((row, choice), generated) in variant_rows.iter().zip(choices).zip(generated) {
        let (variant, quantity) = match read_variant(row, &names, choice, generated, currencies) {
            Ok(read) => read,
            Err(problems) => {
                errors.extend(problems);
                continue;
            }
        };
        if unique.iter().skip(1).any(|name| name.value == variant.sku) {
            let detail = format!("The SKU `{}` is already taken in this file.", variant.sku);
            errors.push(row.error("Variant SKU", detail));
        }
        if variants
            .iter()
            .any(|other| other.option_values == variant.option_values)
        {
            let detail = "Another variant of this product has the same options.";
            errors.push(row.error("Option1 Value", detail));
        }
        quantities.extend(quantity.map(|quantity| (variant.sku.clone(), quantity)));
        unique.push(Name {
            line: row.line,
            column: "Variant SKU",
            value: variant.sku.clone(),
        });
        variants.push(variant);
    }
    if variants.is_empty() && errors.is_empty() {
        errors.push(first.error("Variant Price", "A product needs a variant with a price."));
    }
    if !errors.is_empty() {
        return Err(errors);
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
        options: (0_usize..)
            .zip(names)
            .map(|(at, name)| ProductOption::of(name, at, &variants))
            .collect(),
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
    let written = rows_of(&product, currencies, &quantities.iter().cloned().collect());
    for ((variant, row), written) in product.variants.iter_mut().zip(variant_rows).zip(&written) {
        variant.source = row.source(written);
    }
    // The handle of the first row is written on all.
    for variant in product.variants.iter_mut().skip(1) {
        variant.source.remove("Handle");
    }
    let bytes = serde_json::to_string(&product).map_or(0, |json| json.len());
    if bytes > MAX_PRODUCT_BYTES {
        let detail = format!("The rows of a product may have {MAX_PRODUCT_BYTES} bytes together.");
        return Err(vec![first.error("Body (HTML)", detail)]);
    }
    Ok(ImportedProduct {
        product,
        quantities,
        names: unique,
    })
}

fn too_long(row: &Row<'_>, column: &str, text: &str, most: usize) -> Option<RowError> {
    let detail = || format!("At most {most} characters.");
    (text.chars().count() > most).then(|| row.error(column, detail()))
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

/// Names of the options: those of the first row, but for the `Title: Default Title` that Shopify writes for a product without
/// any. Columns that have values and no name are named by their number.
fn option_names(first: &Row<'_>, variants: &[&Row<'_>]) -> Vec<String> {
    if first.cell("Option1 Value") == "Default Title" {
        return vec![];
    }
    let mut names: Vec<String> = Vec::new();
    for at in 1..=3 {
        let name = first.cell(&format!("Option{at} Name"));
        let value = format!("Option{at} Value");
        let used = variants.iter().any(|row| !row.cell(&value).is_empty());
        match (name.is_empty(), used) {
            (_, false) => break,
            (true, true) => names.push(format!("Option {at}")),
            (false, true) => names.push(name.to_owned()),
        }
    }
    names
}

fn option_values_of(row: &Row<'_>, names: &[String]) -> Vec<String> {
    ["Option1 Value", "Option2 Value", "Option3 Value"]
        .iter()
        .take(names.len())
        .map(|column| row.cell(column).to_owned())
        .collect()
}

fn read_variant(
    row: &Row<'_>,
    names: &[String],
    option_values: Vec<String>,
    generated_sku: String,
    currencies: &[Currency],
) -> Result<(Variant, Option<u32>), Vec<RowError>> {
    let mut errors = Vec::new();
    for (value, name) in option_values.iter().zip(names) {
        if value.is_empty() {
            let at = option_values
                .iter()
                .take_while(|other| !other.is_empty())
                .count();
            let column = format!("Option{} Value", at.saturating_add(1));
            errors.push(row.error(&column, format!("Each variant needs a value for {name}.")));
        }
    }
    let prices = read_prices(row, currencies, &mut errors);
    let weight_grams = read_number(row, "Variant Grams", &mut errors);
    let quantity = read_number(row, "Variant Inventory Qty", &mut errors);
    let sku = row.cell("Variant SKU");
    errors.extend(too_long(row, "Variant SKU", sku, MAX_CHARS));
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
        barcode: Some(row.cell("Variant Barcode").to_owned()).filter(|code| !code.is_empty()),
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

/// A whole number; Shopify exports grams as `221.0` and oversold stock as a negative quantity, which counts as none.
fn read_number(row: &Row<'_>, column: &str, errors: &mut Vec<RowError>) -> Option<u32> {
    let cell = row.cell(column);
    let whole = cell.split_once('.').map_or(cell, |(whole, _)| whole);
    if whole.is_empty() {
        return None;
    }
    if whole
        .strip_prefix('-')
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Some(0);
    }
    match whole
        .parse()
        .ok()
        .filter(|number| *number <= durable::stock::MAX_QUANTITY)
    {
        Some(number) => Some(number),
        None => {
            errors.push(row.error(
                column,
                format!(
                    "`{cell}` is not a whole number up to {}.",
                    durable::stock::MAX_QUANTITY
                ),
            ));
            None
        }
    }
}

fn read_status(first: &Row<'_>) -> Result<Status, RowError> {
    match first.cell("Status").to_lowercase().as_str() {
        "active" if hidden(first) => Ok(Status::Draft),
        "active" => Ok(Status::Active),
        "draft" => Ok(Status::Draft),
        "archived" => Ok(Status::Archived),
        "" if hidden(first) => Ok(Status::Draft),
        "" => Ok(Status::Active),
        other => Err(first.error(
            "Status",
            format!("`{other}` is not active, draft or archived."),
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
        let position = row.cell("Image Position").parse().unwrap_or(u32::MAX);
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

/// The parts of a cell, without the space around them.
pub fn list_of(cell: &str, separator: char) -> Vec<String> {
    cell.split(separator)
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}
