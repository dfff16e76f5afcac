//! Reader of product CSVs. It reads in windows, so that a file of any size needs little memory; a
//! window ends at the end of a product.
//!
//! Guarantees: a product with a row that can't be accepted is reported by line and column, and left
//! out as a whole; a variant without a SKU gets a stable one derived from its handle and options;
//! no input causes a panic.

use crate::publishing::csv::imported::{ImportedProduct, Name, RowError};
use crate::publishing::csv::notices::{NoticeCode, Notices};
use crate::publishing::csv::product::read_product;
use crate::publishing::csv::rows::{Columns, Row, kind_of_file};
use crate::publishing::csv::structure::read_records;
use crate::values::money::Currency;
use std::collections::{HashMap, HashSet};

/// A part of a file: its header row, followed by rows from some line on.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Bytes of the window.
    pub csv: &'a [u8],
    /// Line of the file on which the first row after the header begins. `None` means it directly
    /// follows the header.
    pub first_line: Option<u64>,
    /// True if the file ends here. Otherwise the last product may continue, and is left for the
    /// next window.
    pub last: bool,
    /// Maximum number of variants to read, unless a single product has more.
    pub max_variants: usize,
}

/// Contents of a window.
#[derive(Debug, Default)]
pub struct ProductFile {
    /// Accepted products in the file's order, without ids yet.
    pub products: Vec<ImportedProduct>,
    /// Errors in the other rows.
    pub errors: Vec<RowError>,
    /// Number of products left out.
    pub left_out: usize,
    /// Handles of the products left out, as far as they are known.
    pub left_out_handles: Vec<Name>,
    /// True if the file as a whole can't be trusted, so that nothing is imported.
    pub is_refused: bool,
    /// Notices of data that was read differently than the file says, or left out.
    pub notices: Notices,
    /// Size of the header row in bytes; each later window begins with it.
    pub header_bytes: usize,
    /// Number of bytes read, including the header row; the next window continues after them.
    pub consumed_bytes: usize,
    /// Line of the file on which the next window begins.
    pub next_line: u64,
    /// True if rows of one product are separated by others, so that a smaller window would split
    /// it.
    pub apart: bool,
}

/// Reads a window. Prices are in `currencies`: `Variant Price` in the first, `Price / EUR` in EUR,
/// and so on.
#[must_use]
pub fn read_products(window: Window<'_>, currencies: &[Currency]) -> ProductFile {
    let mut file = ProductFile::default();
    let csv = without_mark(window.csv);
    let mark_bytes = window.csv.len().saturating_sub(csv.len());
    if let Some(kind) = kind_of_file(window.csv) {
        return file.refused(RowError::new(1, "", kind));
    }
    let mut records = read_records(csv, window.last);
    let header = if records.rows.is_empty() {
        Vec::new()
    } else {
        records.rows.remove(0).cells
    };
    let columns = Columns::named(&header);
    file.errors = columns.problems(csv);
    if !file.errors.is_empty() {
        file.is_refused = true;
        return file;
    }
    let mut rows: Vec<Row<'_>> = Vec::new();
    for record in records.rows {
        rows.push(Row::new(&columns, record));
    }
    let end = csv.len();
    let header_end = rows.first().map_or(end, |row| row.start);
    file.header_bytes = header_end.saturating_add(mark_bytes);
    let shift = match (window.first_line, rows.first()) {
        (Some(line), Some(first)) => line.saturating_sub(first.line),
        _ => 0,
    };
    let swallowed = records.swallowed_from.or_else(|| {
        let complete = rows.len().saturating_sub(usize::from(!window.last));
        let mut complete = rows.iter().take(complete);
        complete.find(|row| row.has_swallowed()).map(|row| row.line)
    });
    if let Some(line) = swallowed {
        return file.refused(RowError::new(line.saturating_add(shift), "", NEVER_CLOSED));
    }
    let mut cleaned = Vec::new();
    for row in &mut rows {
        row.line = row.line.saturating_add(shift);
        let columns = row.without_control_characters();
        cleaned.extend(columns.into_iter().map(|column| (row.line, column)));
    }
    let Gathered {
        groups,
        next,
        apart,
    } = complete_groups(rows, window);
    let together: usize = groups.iter().map(|group| group.rows.len()).sum();
    if together > MAX_ROWS_TOGETHER.max(window.max_variants.saturating_mul(2)) && groups.len() > 1 {
        let line = groups.first().and_then(|group| group.rows.first());
        let line = line.map_or(1, |row| row.line);
        return file.refused(RowError::new(line, "Handle", TOO_SCATTERED));
    }
    file.consumed_bytes = next
        .as_ref()
        .map_or(end, |next| next.start)
        .saturating_add(mark_bytes);
    file.next_line = next.as_ref().map_or(0, |next| next.line);
    file.apart = apart;
    // Later rows are read, and reported, again by the next window.
    cleaned.retain(|(line, _)| next.as_ref().is_none_or(|next| *line < next.line));
    for (line, column) in &cleaned {
        file.notices
            .name(NoticeCode::ControlCharacters, *line, column);
    }
    for group in &groups {
        note_ignored(&columns, group, currencies, &mut file.notices);
        let read = match faults_of(group) {
            faults if faults.is_empty() => read_product(&group.rows, currencies),
            faults => Err(faults),
        };
        match read {
            Ok(product) => file.products.push(product),
            Err(errors) => {
                file.left_out = file.left_out.saturating_add(1);
                file.left_out_handles.extend(handle_of(group));
                file.errors.extend(errors);
            }
        }
    }
    file
}

/// Maximum number of rows read together because products have rows on both sides of others.
const MAX_ROWS_TOGETHER: usize = 10_000;

const TOO_SCATTERED: &str =
    "Rows of the same product are too far apart. Sort the file by handle. Nothing was imported.";

const NEVER_CLOSED: &str = "The quote that opens here is never closed, so the following rows would be read as one cell. Write `\"` after the cell's text, and `\"\"` for a quote inside it. Nothing was imported.";

impl ProductFile {
    fn refused(mut self, error: RowError) -> Self {
        self.errors = vec![error];
        self.is_refused = true;
        self
    }
}

/// Returns the row errors that keep the product out, whatever its other rows say.
fn faults_of(group: &Group<'_>) -> Vec<RowError> {
    let mut faults: Vec<RowError> = group
        .rows
        .iter()
        .filter_map(|row| Some(row.error("", row.fault.clone()?)))
        .collect();
    if let (Some(line), Some(first), true) =
        (group.doubted_by, group.rows.first(), faults.is_empty())
    {
        let detail = format!(
            "This product was left out: line {line} can't be read and may be one of its rows."
        );
        faults.push(first.error("Handle", detail));
    }
    faults
}

fn handle_of(group: &Group<'_>) -> Option<Name> {
    let named = |row: &&Row<'_>| row.is_of_known_product && !row.group().is_empty();
    let row = group.rows.iter().find(named)?;
    Some(Name::written_handle(row.line, &row.group()))
}

fn note_ignored(
    columns: &Columns,
    group: &Group<'_>,
    currencies: &[Currency],
    notices: &mut Notices,
) {
    for column in columns.ignored(currencies) {
        let filled = |row: &&Row<'_>| !row.cell(column).is_empty();
        notices.add(
            NoticeCode::IgnoredColumn,
            column,
            group.rows.iter().filter(filled).count(),
        );
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Removes the byte-order mark that a file may begin with.
#[must_use]
pub fn without_mark(csv: &[u8]) -> &[u8] {
    csv.strip_prefix(BOM).unwrap_or(csv)
}

/// Rows of one product, wherever they are in the window.
struct Group<'a> {
    rows: Vec<Row<'a>>,
    /// Line of an invalid row that may belong to this product.
    doubted_by: Option<u64>,
}

/// Contents of a window, grouped by product.
struct Gathered<'a> {
    groups: Vec<Group<'a>>,
    next: Option<Next>,
    apart: bool,
}

/// Start of the next window.
struct Next {
    start: usize,
    line: u64,
}

/// Groups the rows of each product that is complete in the window, and finds where the rest begins.
fn complete_groups<'a>(mut rows: Vec<Row<'a>>, window: Window<'_>) -> Gathered<'a> {
    // The last row may be cut off, and the rows before it may belong to the same product.
    let cut = if window.last { None } else { rows.pop() };
    rows.retain(|row| !row.is_blank() || row.fault.is_some());
    let keys = keys_of(&rows);
    let apart = stand_apart(&keys);
    let end = end_of_window(&keys, window, cut.is_some());
    let next = rows
        .get(end)
        .or(cut.as_ref())
        .map(|Row { start, line, .. }| Next {
            start: *start,
            line: *line,
        });
    rows.truncate(end);
    let doubts = doubts_of(&rows, &keys);
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (row, key) in rows.into_iter().zip(&keys) {
        let place = *places.entry(key).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group {
                rows: vec![],
                doubted_by: doubts.get(key).copied(),
            });
        }
        if let Some(group) = groups.get_mut(place) {
            group.rows.push(row);
        }
    }
    Gathered {
        groups,
        next,
        apart,
    }
}

fn stand_apart(keys: &[String]) -> bool {
    let mut ended: HashSet<&String> = HashSet::new();
    keys.iter().zip(keys.iter().skip(1)).any(|(key, next)| {
        if key != next {
            ended.insert(key);
        }
        ended.contains(next)
    })
}

/// Returns the products that may have another row, with the line of a row that can't be assigned
/// with certainty: those it may name, and the product above it if the file leaves out repeated
/// handles.
fn doubts_of(rows: &[Row<'_>], keys: &[String]) -> HashMap<String, u64> {
    let known: HashSet<&String> = keys.iter().collect();
    let go_without = rows.iter().any(|row| row.group().is_empty());
    let mut doubts = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        if row.is_of_known_product {
            continue;
        }
        let mut named: Vec<&String> = row.may_name.iter().collect();
        named.retain(|name| known.contains(name));
        if named.is_empty() && go_without {
            named.extend(at.checked_sub(1).and_then(|above| keys.get(above)));
        }
        doubts.extend(named.into_iter().map(|key| (key.clone(), row.line)));
    }
    doubts
}

/// Returns the key of the product of each row: its handle, or else that of the row above. A row
/// whose handle can't be trusted gets a key of its own.
fn keys_of(rows: &[Row<'_>]) -> Vec<String> {
    let mut above = String::new();
    rows.iter()
        .map(|row| {
            if !row.is_of_known_product {
                above = format!("\n{}", row.line);
            } else if !row.group().is_empty() {
                above = row.group();
            }
            above.clone()
        })
        .collect()
}

/// Returns the number of rows in the window: no product has rows on both sides of its end.
fn end_of_window(keys: &[String], window: Window<'_>, is_cut: bool) -> usize {
    let mut last_of: HashMap<&str, usize> = HashMap::new();
    for (at, key) in keys.iter().enumerate() {
        last_of.insert(key, at);
    }
    // The product of the last complete row may continue after the window; rows next to one that
    // belongs to no known product stay together with it.
    let unfinished = keys.last().filter(|_| is_cut);
    let mut end = 0_usize;
    let mut open_until = 0_usize;
    for (at, key) in keys.iter().enumerate() {
        if at > open_until || at == 0 {
            let is_beside = [at.checked_sub(1), Some(at)]
                .into_iter()
                .flatten()
                .filter_map(|at| keys.get(at))
                .any(|key| key.starts_with('\n'));
            if !is_beside {
                end = at;
            }
            if end == at && end >= window.max_variants && end > 0 {
                return end;
            }
        }
        if Some(key) == unfinished {
            return end;
        }
        open_until = open_until.max(last_of.get(key.as_str()).copied().unwrap_or(at));
    }
    keys.len()
}
