//! The structure of a CSV, read strictly (RFC 4180): rows, cells, quotes and lines.
//!
//! Promises: a row that breaks the rules is told and read no further than its line; nothing behind
//! it is taken for a part of it. Where a quote may have swallowed rows, no row of the file is
//! certain, and the file is refused as a whole.

use crate::publishing::csv::encoding::decode;

/// A row as it stands.
pub struct Record {
    /// Of the file, on which it begins, from 1.
    pub line: u64,
    /// Byte at which it begins.
    pub start: usize,
    /// The text of its cells; of a bad row those before the fault.
    pub cells: Vec<String>,
    /// Rule that it breaks, if any.
    pub fault: Option<&'static str>,
    /// Of a bad row, what its line may name, wherever its cells were meant to end.
    pub pieces: Vec<String>,
}

/// Content of the bytes.
#[derive(Default)]
pub struct Records {
    /// The rows, blank lines left out.
    pub rows: Vec<Record>,
    /// Line on which a quote opens that swallows what follows; none when the structure is sound.
    pub swallowed_from: Option<u64>,
}

/// The rows of `csv`; `last` when the file ends with it, else its last row may be cut, and is not
/// judged.
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

/// A row whose quote goes on over lines and does not end as one should.
struct Swallowed {
    record: Record,
    /// True when its end is there; else the bytes end within it.
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

    /// One line break: `\n`, `\r\n` or `\r`.
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

    /// The text of a cell without quotes; none when one stands in it.
    fn plain(&mut self) -> Option<String> {
        let start = self.at;
        while !matches!(self.peek(), None | Some(b',' | b'\r' | b'\n' | b'"')) {
            self.step();
        }
        let text = decode(self.csv.get(start..self.at).unwrap_or_default());
        (self.peek() != Some(b'"')).then_some(text)
    }

    /// The text between quotes; none when they are never closed.
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

const STRAY_QUOTE: &str = "A quote stands inside this row's text. A cell with quotes stands in quotes as a whole, and each quote in it is written twice: \"19\"\" rack\".";
