//! Reads product CSVs, window by window, so that a file of any size takes little memory: a window ends where a product does.
//!
//! Promises: a product with a row that can't be accepted is reported by line and column and left out whole; a variant without
//! an SKU gets a stable one made of its handle and options; no bytes panic.

use crate::shop::catalog::Product;
use crate::shop::money::Currency;
use crate::shop::product_csv::columns::SKU;
use crate::shop::product_csv::product::read_product;
use crate::shop::product_csv::rows::{Columns, Row};
use serde::Serialize;

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
    /// Units, and the SKUs they are of, of the variants that are tracked and state a quantity.
    pub quantities: Vec<(Name, u32)>,
    /// Names that no other product of the file may have.
    pub names: Vec<Name>,
}

/// A handle or SKU, and where the file states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The line.
    pub line: u64,
    /// `Handle` or `Variant SKU`.
    pub column: &'static str,
    /// The handle or SKU.
    pub value: String,
}

impl Name {
    /// Whether it is a SKU.
    #[must_use]
    pub fn is_sku(&self) -> bool {
        self.column == SKU
    }
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
    /// What is wrong with `column` of the row on `line`.
    #[must_use]
    pub fn new(line: u64, column: &str, detail: impl Into<String>) -> Self {
        Self {
            line,
            column: column.to_owned(),
            detail: detail.into(),
        }
    }
}
