//! SQL for the stores: statements with positional parameters, and batches that run as one
//! transaction.

use durable::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::values::ids::{CartId, OrderId};
use shop::values::written::Written;

/// A database: D1, or in-memory SQLite.
pub trait Database {
    /// Returns the rows of a query; columns are matched to fields by name.
    async fn query<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>, SqlError>;
    /// Runs all statements as one transaction: all of them take effect, or none.
    async fn batch(&self, statements: Vec<Statement>) -> Result<(), SqlError>;
    /// Like [`Self::batch`], for statements whose second run changes nothing, so that they may be
    /// retried if no response came.
    async fn repeatable_batch(&self, statements: Vec<Statement>) -> Result<(), SqlError> {
        self.batch(statements).await
    }
    /// Runs all statements and then the query as one transaction, and returns the rows of the
    /// query.
    async fn batch_then_query<T: DeserializeOwned>(
        &self,
        statements: Vec<Statement>,
        query: Statement,
    ) -> Result<Vec<T>, SqlError>;
}

/// A statement and its bound parameters.
#[derive(Clone, Debug)]
pub struct Statement {
    /// SQL text, with `?1`, `?2` for the parameters.
    pub sql: &'static str,
    /// Parameters, in order.
    pub parameters: Vec<Parameter>,
}

/// A bound parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// `NULL`.
    Null,
    /// An integer within ±(2^53 − 1), which JavaScript represents exactly.
    Integer(i64),
    /// UTF-8 text.
    Text(String),
}

/// Reason why a statement failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlError {
    /// A unique key is already taken, or the gate is closed: another writer was first.
    Taken(String),
    /// No response came, and the statement may have run. Worth a retry if a second run changes
    /// nothing.
    Interrupted(String),
    /// The database is overloaded.
    Overloaded(String),
    /// Any other failure.
    Failed(String),
}

impl Statement {
    /// Creates a statement without parameters.
    #[must_use]
    pub const fn new(sql: &'static str) -> Self {
        Self {
            sql,
            parameters: Vec::new(),
        }
    }

    /// Returns true if the statement only reads.
    #[must_use]
    pub fn is_read(&self) -> bool {
        let sql = self.sql.trim_start();
        sql.starts_with("SELECT") || sql.starts_with("WITH")
    }

    /// Binds the next parameter.
    #[must_use]
    pub fn bind(mut self, parameter: impl Into<Parameter>) -> Self {
        self.parameters.push(parameter.into());
        self
    }
}

/// SQLite's message when a batch ran into the gate.
pub const GATE_CLOSED: &str = "CHECK constraint failed: gate_closed";

/// D1's messages when it lost a query on the way, and SQLite's while another process writes
/// (developers.cloudflare.com/d1/observability/debug-d1).
const INTERRUPTIONS: [&str; 7] = [
    "Network connection lost",
    "Replica disconnected from primary",
    "reset because its code was updated",
    "storage caused object to be reset",
    "due to transient issue on remote node",
    "internal error; reference",
    "database is locked",
];

/// D1's messages when it is overloaded.
const OVERLOADS: [&str; 4] = [
    "D1 DB is overloaded",
    "exceeded timeout which caused object to be reset",
    "exceeded its CPU time limit",
    "exceeded its memory limit",
];

/// Seconds after which a database that lost a query should be asked again.
const INTERRUPTED_RETRY_SECS: u32 = 1;

/// Seconds after which an overloaded database should be asked again.
const OVERLOADED_RETRY_SECS: u32 = 5;

impl SqlError {
    /// Classifies an error message of SQLite or D1.
    #[must_use]
    pub fn of(message: String) -> Self {
        let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
        if says(&["UNIQUE constraint failed", GATE_CLOSED]) {
            Self::Taken(message)
        } else if says(&OVERLOADS) {
            Self::Overloaded(message)
        } else if says(&INTERRUPTIONS) {
            Self::Interrupted(message)
        } else {
            Self::Failed(message)
        }
    }
}

impl From<SqlError> for Error {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Taken(message) | SqlError::Failed(message) => {
                Self::internal(format!("sql: {message}"))
            }
            SqlError::Interrupted(_) => unavailable(INTERRUPTED_RETRY_SECS),
            SqlError::Overloaded(_) => unavailable(OVERLOADED_RETRY_SECS),
        }
    }
}

const fn unavailable(retry_after_secs: u32) -> Error {
    Error::Unavailable {
        code: Code::DatabaseUnavailable,
        retry_after_secs,
    }
}

/// Returns the outcome of a batch whose first statement claims a unique key.
///
/// # Errors
/// Fails if the batch failed for any other reason than the key.
pub fn written<T>(outcome: Result<T, SqlError>) -> Result<Written<T>> {
    match outcome {
        Ok(made) => Ok(Written::Landed(made)),
        Err(SqlError::Taken(_)) => Ok(Written::Lost),
        Err(error) => Err(error.into()),
    }
}

/// Returns a value as the JSON that its column stores.
///
/// # Errors
/// Fails if the value can't be serialized.
pub fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// Returns JSON arrays of `items`, each small enough for a parameter of D1.
///
/// # Errors
/// Fails if an item can't be serialized.
pub fn json_chunks(items: &[impl Serialize]) -> Result<Vec<String>> {
    let mut chunks: Vec<String> = Vec::new();
    for item in items {
        let json = to_json(item)?;
        match chunks.last_mut() {
            Some(chunk) if chunk.len().saturating_add(json.len()) < MAX_CHUNK_BYTES => {
                chunk.push(',');
                chunk.push_str(&json);
            }
            _ => chunks.push(format!("[{json}")),
        }
    }
    for chunk in &mut chunks {
        chunk.push(']');
    }
    Ok(chunks)
}

/// Half of what D1 accepts in one parameter.
const MAX_CHUNK_BYTES: usize = 1_000_000;

/// Parses a value from the JSON of its column.
///
/// # Errors
/// Fails if the column holds something else.
pub fn from_json<T: DeserializeOwned>(json: &str) -> Result<T> {
    durable::json::read(json).map_err(|error| Error::internal(format!("stored JSON: {error}")))
}

/// Returns the word that a unit variant is stored as.
///
/// # Errors
/// Fails if the value is not a unit variant.
pub fn to_word(value: &impl Serialize) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(Error::internal("not a word")),
    }
}

/// Returns the unit variant stored as a word.
///
/// # Errors
/// Fails if no variant has that name.
pub fn from_word<T: DeserializeOwned>(word: &str) -> Result<T> {
    durable::json::read_value(word.into())
        .map_err(|error| Error::internal(format!("stored word: {error}")))
}

/// A row with one text column named `value`.
#[derive(Debug, Deserialize)]
pub struct TextRow {
    /// Content of the column.
    pub value: String,
}

impl From<i64> for Parameter {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Parameter {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<Timestamp> for Parameter {
    fn from(value: Timestamp) -> Self {
        Self::Integer(value.as_millis())
    }
}

impl From<&str> for Parameter {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Parameter {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&OrderId> for Parameter {
    fn from(id: &OrderId) -> Self {
        Self::from(id.as_str())
    }
}

impl From<&CartId> for Parameter {
    fn from(id: &CartId) -> Self {
        Self::from(id.as_str())
    }
}

impl<T: Into<Self>> From<Option<T>> for Parameter {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<D: Database> Database for std::rc::Rc<D> {
    async fn query<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>, SqlError> {
        D::query(self, statement).await
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), SqlError> {
        D::batch(self, statements).await
    }

    async fn repeatable_batch(&self, statements: Vec<Statement>) -> Result<(), SqlError> {
        D::repeatable_batch(self, statements).await
    }

    async fn batch_then_query<T: DeserializeOwned>(
        &self,
        statements: Vec<Statement>,
        query: Statement,
    ) -> Result<Vec<T>, SqlError> {
        D::batch_then_query(self, statements, query).await
    }
}
