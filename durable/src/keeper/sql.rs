//! The SQL interface of a keeper, and its errors.

use crate::json;
use std::fmt;

/// Synchronous SQL: SQLite inside a Durable Object, or in memory in a test. A statement runs
/// completely or not at all.
pub trait Sql {
    /// Runs one statement with positional parameters and returns its rows, with every column as
    /// text (`NULL` as `None`).
    ///
    /// # Errors
    /// Fails if the database refuses the statement.
    fn exec(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, KeeperError>;
}

/// A row, with every column as text.
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

/// Reason why a machine could not be read or written, or a command was rejected before it was
/// tried.
#[derive(Debug)]
pub enum KeeperError {
    /// The database refused a statement.
    Sql(String),
    /// A stored row could not be parsed, or an answer could not be serialized.
    Format(serde_json::error::Error),
    /// A query returned an unexpected number of columns or rows.
    Shape(&'static str),
    /// The operation ID belongs to another command; nothing was read or written for this one.
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

impl From<json::error::Error> for KeeperError {
    fn from(error: json::error::Error) -> Self {
        Self::Format(error.into())
    }
}

impl From<serde_json::error::Error> for KeeperError {
    fn from(error: serde_json::error::Error) -> Self {
        Self::Format(error)
    }
}

/// Returns rows of two columns as pairs of key and value.
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
