//! The rows of a file: columns found by name, cells as text, and what stands in the file's way as a whole.

use crate::shop::catalog::SourceCell;
use crate::shop::product_csv::columns::{COLUMNS, IMAGE_COLUMNS, SKU, canonical};
use crate::shop::product_csv::read::RowError;
use std::collections::{BTreeMap, HashMap};

/// Where each column stands, by its name of today or before.
pub struct Columns {
    places: HashMap<String, usize>,
    names: Vec<String>,
}

impl Columns {
    pub fn named(headers: &csv::ByteRecord) -> Self {
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
    pub fn problems(&self, csv: &[u8]) -> Vec<RowError> {
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
pub struct Row<'a> {
    /// Of the file, on which it begins.
    pub line: u64,
    /// Byte of the window at which it begins.
    pub start: usize,
    columns: &'a Columns,
    cells: Vec<String>,
}

impl<'a> Row<'a> {
    /// The reader places a record behind the one before, so line breaks between them are not yet counted.
    pub fn new(columns: &'a Columns, record: &csv::ByteRecord, csv: &[u8]) -> Self {
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
    pub fn cell(&self, column: &str) -> &str {
        self.columns
            .places
            .get(&column.to_lowercase())
            .and_then(|at| self.cells.get(*at))
            .map_or("", |cell| cell.trim())
    }

    /// This row, its empty cells filled from another, as it would stand on `line`.
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
            ..*self
        }
    }

    pub fn error(&self, column: &str, detail: impl Into<String>) -> RowError {
        RowError::new(self.line, column, detail)
    }

    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }

    /// Whether this last row of a file ends in a cell whose quote is never closed.
    pub fn is_unclosed(&self, csv: &[u8]) -> bool {
        let text = csv.get(self.start..).unwrap_or_default();
        let quotes = text.iter().filter(|byte| **byte == b'"').count();
        quotes % 2 == 1 && self.cells.last().is_some_and(|cell| cell.contains('\n'))
    }

    /// Rows of one product stand together; a row without a handle continues the one above.
    pub fn continues(&self, group: &[Self]) -> bool {
        let handle = self.cell("Handle");
        handle.is_empty()
            || group
                .first()
                .is_some_and(|first| first.cell("Handle") == handle)
    }

    /// A row for a variant states its options, SKU or price; a row for one more image states none of them.
    pub fn has_variant(&self) -> bool {
        ["Option1 Value", "Variant Price", SKU]
            .iter()
            .any(|column| !self.cell(column).is_empty())
    }

    /// The cells that the shop would not write as they are.
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
