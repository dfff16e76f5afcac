//! Structure of a CSV file, parsed strictly by RFC 4180: rows, cells, quotes and lines.
//!
//! Guarantees: a row that breaks the rules is reported and read no further than its line; nothing
//! after it is taken for part of it. If a quote may have swallowed rows, no row of the file is
//! certain, and the whole file is refused.

use crate::publishing::csv::encoding::decode;

/// A row as parsed.
pub struct Record {
    /// Line of the file on which it begins, counted from 1.
    pub line: u64,
    /// Byte offset at which it begins.
    pub start: usize,
    /// Text of its cells; for an invalid row, only those before the error.
    pub cells: Vec<String>,
    /// Rule that it breaks. `None` means that it is valid.
    pub fault: Option<&'static str>,
    /// For an invalid row, the pieces of its line, wherever its cells were meant to end.
    pub pieces: Vec<String>,
}

/// Result of parsing.
#[derive(Default)]
pub struct Records {
    /// Rows, without blank lines.
    pub rows: Vec<Record>,
    /// Line on which an unclosed quote opens. `None` means that the structure is sound.
    pub swallowed_from: Option<u64>,
}

/// Parses the rows of `csv`. If `last` is false, the final row may be cut off and is not judged.
pub fn read_records(csv: &[u8], last: bool) -> Records {
    let mut reader = Reader {
        csv,
        at: 0,
        line: 1,
    };
    let mut records = Records::default();
    loop {
        while matches!(reader.peek(), Some(b'\r' | b'\n')) {
            reader.line_break();
        }
        if reader.peek().is_none() {
            return records;
        }
        match reader.record() {
            Ok(record) => records.rows.push(record),
            Err(Swallowed { record, whole }) => {
                if last || whole {
                    records.swallowed_from = Some(record.line);
                    return records;
                }
                records.rows.push(record);
            }
        }
    }
}

/// A row with a quoted cell that spans lines and does not end properly.
struct Swallowed {
    record: Record,
    /// True if the end of the cell is present; otherwise the input ends within it.
    whole: bool,
}

struct Reader<'a> {
    csv: &'a [u8],
    at: usize,
    line: u64,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.csv.get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Consumes one line break: `\n`, `\r\n` or `\r`.
    fn line_break(&mut self) {
        if self.peek() == Some(b'\r') {
            self.step();
            if self.peek() == Some(b'\n') {
                self.step();
            }
        } else {
            self.step();
        }
        self.line = self.line.saturating_add(1);
    }

    fn skip_line(&mut self) {
        while !matches!(self.peek(), None | Some(b'\r' | b'\n')) {
            self.step();
        }
    }

    fn record(&mut self) -> Result<Record, Swallowed> {
        let mut record = Record {
            line: self.line,
            start: self.at,
            cells: Vec::new(),
            fault: None,
            pieces: Vec::new(),
        };
        loop {
            let opened_on = self.line;
            let is_quoted = self.peek() == Some(b'"');
            let cell = if is_quoted {
                self.quoted()
            } else {
                self.plain()
            };
            let several_lines = self.line > opened_on;
            match (cell, self.peek()) {
                (Some(cell), Some(b',')) => {
                    record.cells.push(cell);
                    self.step();
                }
                (Some(cell), None | Some(b'\r' | b'\n')) => {
                    record.cells.push(cell);
                    return Ok(record);
                }
                (_, next) if is_quoted && (several_lines || next.is_none()) => {
                    record.line = opened_on;
                    let whole = next.is_some();
                    return Err(Swallowed { record, whole });
                }
                _ => {
                    record.fault = Some(STRAY_QUOTE);
                    self.skip_line();
                    let line = self.csv.get(record.start..self.at).unwrap_or_default();
                    let pieces = line.split(|byte| matches!(byte, b',' | b'"'));
                    record.pieces = pieces.map(decode).collect();
                    return Ok(record);
                }
            }
        }
    }

    /// Reads an unquoted cell. `None` means that it contains a quote.
    fn plain(&mut self) -> Option<String> {
        let start = self.at;
        while !matches!(self.peek(), None | Some(b',' | b'\r' | b'\n' | b'"')) {
            self.step();
        }
        let text = decode(self.csv.get(start..self.at).unwrap_or_default());
        (self.peek() != Some(b'"')).then_some(text)
    }

    /// Reads a quoted cell. `None` means that the quotes are never closed.
    fn quoted(&mut self) -> Option<String> {
        self.step();
        let mut text = Vec::new();
        loop {
            match self.peek()? {
                b'"' => {
                    self.step();
                    if self.peek() != Some(b'"') {
                        return Some(decode(&text));
                    }
                    text.push(b'"');
                    self.step();
                }
                b'\r' | b'\n' => {
                    let start = self.at;
                    self.line_break();
                    text.extend(self.csv.get(start..self.at).unwrap_or_default());
                }
                byte => {
                    text.push(byte);
                    self.step();
                }
            }
        }
    }
}

const STRAY_QUOTE: &str = "There is a quote inside a cell. Put the whole cell in quotes and write each quote in it twice: \"19\"\" rack\".";
