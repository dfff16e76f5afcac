//! The SQL that a keeper needs, and how it fails.

use std::fmt;

/// The SQL a keeper needs, synchronous: SQLite inside a Durable Object, or in memory in a test. A
/// statement runs whole or not at all.
pub trait Sql {
    /// Runs one statement with positional parameters and returns its rows, every column as text
    /// (`NULL` as none).
    ///
    /// # Errors
    /// What the database said.
    fn exec(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, KeeperError>;
}

/// One row; every column as text.
pub type Row = Vec<Option<String>>;

/// A bound parameter.
#[derive(Clone, Copy, Debug)]
pub enum Parameter<'a> {
    /// `NULL`.
    Null,
    /// An integer within ±(2^53 − 1).
    Integer(i64),
    /// UTF-8 text.
    Text(&'a str),
}

/// Why a machine could not be read or written, or was not asked to.
#[derive(Debug)]
pub enum KeeperError {
    /// The database refused a statement.
    Sql(String),
    /// A stored row does not read, or an answer does not write.
    Format(serde_json::Error),
    /// A query answered in a shape it cannot have.
    Shape(&'static str),
    /// The operation id belongs to another command; nothing was read or written beside it.
    OperationReused,
}

impl fmt::Display for KeeperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(message) => write!(f, "sql: {message}"),
            Self::Format(error) => write!(f, "stored format: {error}"),
            Self::Shape(what) => write!(f, "unexpected rows: {what}"),
            Self::OperationReused => write!(f, "the operation id belongs to another command"),
        }
    }
}

impl std::error::Error for KeeperError {}

impl From<serde_json::Error> for KeeperError {
    fn from(error: serde_json::Error) -> Self {
        Self::Format(error)
    }
}

/// Rows of a key and a value.
pub(super) fn pairs(
    rows: Vec<Row>,
    of: &'static str,
) -> Result<Vec<(String, String)>, KeeperError> {
    rows.into_iter()
        .map(|row| match <[Option<String>; 2]>::try_from(row) {
            Ok([Some(key), Some(value)]) => Ok((key, value)),
            _ => Err(KeeperError::Shape(of)),
        })
        .collect()
}

pub(super) fn number<N: std::str::FromStr>(text: &str) -> Result<N, KeeperError> {
    text.parse().map_err(|_| KeeperError::Shape("a number"))
}
