//! Rows of a file: columns found by name, cells as text, and problems of the file as a whole.

use crate::catalog::SourceCell;
use crate::catalog::rules::{LINE_BREAKS, is_unwanted};
use crate::publishing::csv::columns::{
    COLUMNS, IMAGE_COLUMNS, SKU, canonical, compare_at_column, has_one_line, is_read, price_column,
};
use crate::publishing::csv::imported::RowError;
use crate::publishing::csv::structure::Record;
use crate::values::money::Currency;
use std::collections::{BTreeMap, HashMap};

/// Position of each column, by its current or former name.
pub struct Columns {
    places: HashMap<String, usize>,
    names: Vec<String>,
}

impl Columns {
    pub fn named(headers: &[String]) -> Self {
        let names: Vec<String> = headers.iter().map(|name| canonical(name.trim())).collect();
        let mut places = HashMap::new();
        for (at, name) in names.iter().enumerate() {
            places.entry(name.to_lowercase()).or_insert(at);
        }
        Self { places, names }
    }

    /// Returns the problems of the header that make the file unusable, whatever its rows say.
    pub fn problems(&self, csv: &[u8]) -> Vec<RowError> {
        if self.names.len() > MAX_COLUMNS {
            let detail = format!(
                "The header has {} columns; the limit is {MAX_COLUMNS}.",
                self.names.len()
            );
            return vec![RowError::new(1, "", detail)];
        }
        let missing: Vec<&str> = ["Handle", "Title"]
            .into_iter()
            .filter(|required| !self.places.contains_key(&required.to_lowercase()))
            .collect();
        if let [first, ..] = missing.as_slice() {
            let detail = format!("This column is missing. {}", separator_of(csv));
            return vec![RowError::new(1, first, detail)];
        }
        let again = self.names.iter().enumerate().filter(|(at, name)| {
            COLUMNS.contains(&name.as_str()) && self.places.get(&name.to_lowercase()) != Some(at)
        });
        again
            .map(|(_, name)| RowError::new(1, name, "This column appears twice."))
            .collect()
    }

    /// Returns the columns of the file that the shop keeps but does not use.
    pub fn ignored(&self, currencies: &[Currency]) -> Vec<&str> {
        let priced = |name: &str| {
            currencies.iter().skip(1).any(|currency| {
                let names = [price_column(currency), compare_at_column(currency)];
                names.iter().any(|known| known.eq_ignore_ascii_case(name))
            })
        };
        self.names
            .iter()
            .map(String::as_str)
            .filter(|name| !name.is_empty() && !is_read(name) && !priced(name))
            .collect()
    }

    /// True for a row that has more cells than there are columns, if an extra cell is not empty. If
    /// the extra cells are empty, as spreadsheets leave them, a price split at its comma still
    /// counts as one cell too many.
    fn are_too_few_for(&self, cells: &[String]) -> bool {
        let mut beyond = cells.iter().skip(self.names.len()).peekable();
        if beyond.peek().is_none() {
            return false;
        }
        let pairs = cells.iter().zip(cells.iter().skip(1));
        let parted = |(name, (cell, next)): (&String, (&String, &String))| {
            name.to_lowercase().contains("price") && is_parted_number(cell.trim(), next.trim())
        };
        beyond.any(|cell| !cell.trim().is_empty()) || self.names.iter().zip(pairs).any(parted)
    }

    /// True if the handle in a row with too many cells can be trusted, because it comes before
    /// anything that may have been split.
    fn begin_with_the_handle(&self) -> bool {
        self.places.get("handle") == Some(&0)
    }
}

/// True for two halves of a number split at its comma, such as `1` and `299.00`, or `19` and `99`.
fn is_parted_number(cell: &str, next: &str) -> bool {
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = next.split_once('.').unwrap_or((next, ""));
    let cell = cell.trim_start_matches(['$', '€', '£']);
    (1..=3).contains(&cell.len())
        && (2..=3).contains(&whole.len())
        && [cell, whole, fraction].into_iter().all(are_digits)
}

/// Returns what a file is that is not CSV at all, judging by its first bytes, and what to do about
/// it.
pub fn kind_of_file(bytes: &[u8]) -> Option<&'static str> {
    let head = bytes.get(..1024).unwrap_or(bytes);
    let text = head.trim_ascii_start();
    let tag = |tag: &[u8]| {
        text.get(..tag.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(tag))
    };
    if head.starts_with(b"PK\x03\x04") {
        Some("The file is a ZIP or an Excel workbook. Open it and save the sheet as CSV (UTF-8).")
    } else if head.starts_with(b"\xd0\xcf\x11\xe0") {
        Some("The file is an old Excel workbook. Open it and save the sheet as CSV (UTF-8).")
    } else if head.starts_with(b"%PDF") {
        Some("The file is a PDF. Export the products as CSV (UTF-8).")
    } else if head.starts_with(b"\x1f\x8b") {
        Some("The file is compressed. Unpack it and import the CSV inside.")
    } else if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head.contains(&0) {
        Some("The file is UTF-16 or not text. Save it as CSV (UTF-8).")
    } else if tag(b"<!doctype") || tag(b"<html") || tag(b"<?xml") {
        Some("The file is a web page or XML. Export the products as CSV (UTF-8).")
    } else if tag(b"{") || tag(b"[") {
        Some("The file is JSON. Export the products as CSV (UTF-8).")
    } else {
        None
    }
}

/// Returns a hint why a header may not be recognized.
fn separator_of(csv: &[u8]) -> &'static str {
    let mut lines = csv.split(|byte| matches!(byte, b'\n' | b'\r'));
    let header = lines.next().unwrap_or_default();
    let count = |separator: u8| header.iter().filter(|byte| **byte == separator).count();
    let is_parted_by = |separator: u8| count(separator) > count(b',');
    if is_parted_by(b';') {
        "The columns are separated by semicolons. Save the file with commas."
    } else if is_parted_by(b'\t') {
        "The columns are separated by tabs. Save the file with commas."
    } else if is_parted_by(b'|') {
        "The columns are separated by vertical bars. Save the file with commas."
    } else {
        "Is this a Shopify product CSV?"
    }
}

/// Maximum number of columns: Shopify's own and several hundred metafields.
const MAX_COLUMNS: usize = 1_000;

/// A row, with access to its cells by column name.
pub struct Row<'a> {
    /// Line of the file on which it begins.
    pub line: u64,
    /// Offset in the window at which it begins, in bytes.
    pub start: usize,
    /// Reason why it can't be fully read. `None` means that it can.
    pub fault: Option<String>,
    /// True if its handle can be trusted.
    pub is_of_known_product: bool,
    /// Possible handles of a row that can't be fully read.
    pub may_name: Vec<String>,
    columns: &'a Columns,
    cells: Vec<String>,
}

impl<'a> Row<'a> {
    pub fn new(columns: &'a Columns, record: Record) -> Self {
        let too_many = columns.are_too_few_for(&record.cells);
        let fault = match record.fault {
            Some(fault) => Some(fault.to_owned()),
            None if too_many => Some(format!(
                "This row has {} cells, but the header has {}. Put a value that contains a comma in quotes: \"1,299\".",
                record.cells.len(),
                columns.names.len()
            )),
            None => None,
        };
        let mut row = Self {
            line: record.line,
            start: record.start,
            columns,
            may_name: Vec::new(),
            cells: record.cells,
            is_of_known_product: fault.is_none(),
            fault,
        };
        if row.fault.is_some() {
            let begins = !too_many || columns.begin_with_the_handle();
            row.is_of_known_product = begins && !row.cell("Handle").is_empty();
            let pieces = record.pieces.iter().chain(&row.cells);
            row.may_name = pieces.map(|piece| piece.trim().to_lowercase()).collect();
        }
        row
    }

    /// True if a single-line cell contains what looks like further rows, because its quote was
    /// never closed.
    pub fn has_swallowed(&self) -> bool {
        let rows_behind = |cell: &String| {
            cell.trim()
                .split_once(['\n', '\r'])
                .is_some_and(|(_, behind)| behind.contains(','))
        };
        let names = self.columns.names.iter().map(String::as_str);
        names
            .zip(&self.cells)
            .any(|(name, cell)| has_one_line(name) && rows_behind(cell))
    }

    /// Returns the handle in the form by which rows are grouped.
    pub fn group(&self) -> String {
        self.cell("Handle").to_lowercase()
    }

    /// Removes characters that do not belong in text, and line breaks from single-line cells.
    /// Returns the columns that changed.
    pub fn without_control_characters(&mut self) -> Vec<&'a str> {
        let columns: &'a Columns = self.columns;
        let mut changed = Vec::new();
        let names = columns.names.iter().map(String::as_str);
        for (cell, name) in self
            .cells
            .iter_mut()
            .zip(names.chain(std::iter::repeat("")))
        {
            let is_broken = has_one_line(name) && cell.trim().contains(LINE_BREAKS);
            if !is_broken && !cell.chars().any(is_unwanted) {
                continue;
            }
            cell.retain(|character| !is_unwanted(character));
            if is_broken {
                let lines = cell.split(LINE_BREAKS).map(str::trim);
                let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
                *cell = lines.join(" ");
            }
            changed.push(name);
        }
        changed
    }

    /// Returns the cell of a column without surrounding spaces; empty if the row or the file lacks
    /// it.
    pub fn cell(&self, column: &str) -> &str {
        self.columns
            .places
            .get(&column.to_lowercase())
            .and_then(|at| self.cells.get(*at))
            .map_or("", |cell| cell.trim())
    }

    /// Returns this row with its empty cells filled from another, as a row on `line`.
    pub fn completed_by(&self, other: &Self, line: u64) -> Self {
        let said = |row: &Self, at: usize| {
            let cell = row.cells.get(at).filter(|cell| !cell.trim().is_empty());
            cell.cloned()
        };
        let count = self.cells.len().max(other.cells.len());
        let cells = (0..count).map(|at| said(self, at).or_else(|| said(other, at)));
        Self {
            line,
            cells: cells.map(Option::unwrap_or_default).collect(),
            fault: None,
            may_name: Vec::new(),
            ..*self
        }
    }

    pub fn error(&self, column: &str, detail: impl Into<String>) -> RowError {
        RowError::new(self.line, column, detail)
    }

    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }

    /// True for a row with a variant, which states an option, SKU or price; a row for an additional
    /// image states none of them.
    pub fn has_variant(&self) -> bool {
        ["Option1 Value", "Variant Price", SKU]
            .iter()
            .any(|column| !self.cell(column).is_empty())
    }

    /// Returns the cells that the shop would write differently.
    pub fn source(&self, written: &BTreeMap<String, String>) -> BTreeMap<String, SourceCell> {
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
