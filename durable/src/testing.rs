//! In-memory SQLite in place of a Durable Object's database, for tests of this and other crates.

use crate::keeper::{KeeperError, Parameter, Row, Sql};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

/// An in-memory database.
#[derive(Debug)]
pub struct Sqlite(pub Connection);

impl Sqlite {
    /// Creates a database without tables.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without a database has failed")]
    pub fn empty() -> Self {
        Self(Connection::open_in_memory().expect("a database in memory"))
    }

    /// Runs `work` in one transaction, like the platform does with what an object writes between
    /// two awaits.
    ///
    /// # Errors
    /// Those of `work`, which then leaves nothing behind.
    pub fn transaction<T>(
        &self,
        work: impl FnOnce() -> Result<T, KeeperError>,
    ) -> Result<T, KeeperError> {
        let transaction = self.0.unchecked_transaction().map_err(refused)?;
        let outcome = work()?;
        transaction.commit().map_err(refused)?;
        Ok(outcome)
    }
}

impl Sql for Sqlite {
    fn exec(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, KeeperError> {
        let mut statement = self.0.prepare_cached(sql).map_err(refused)?;
        let columns = statement.column_count();
        statement
            .query_map(params_from_iter(parameters.iter().map(to_sql)), |row| {
                (0..columns)
                    .map(|column| row.get_ref(column).map(to_text))
                    .collect()
            })
            .map_err(refused)?
            .collect::<Result<_, _>>()
            .map_err(refused)
    }
}

fn to_sql<'a>(parameter: &'a Parameter<'a>) -> ToSqlOutput<'a> {
    match parameter {
        Parameter::Null => ToSqlOutput::Owned(Value::Null),
        Parameter::Integer(integer) => ToSqlOutput::Owned(Value::Integer(*integer)),
        Parameter::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
    }
}

fn to_text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => None,
        ValueRef::Integer(integer) => Some(integer.to_string()),
        ValueRef::Real(real) => Some(real.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
    }
}

fn refused(error: rusqlite::Error) -> KeeperError {
    KeeperError::Sql(error.to_string())
}
