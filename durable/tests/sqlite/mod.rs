//! SQLite in memory, behind the keeper's own trait.

use durable::keeper::{KeeperError, Parameter, Row, Sql};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

/// A database in memory.
pub struct Sqlite(pub Connection);

impl Sqlite {
    pub fn empty() -> Self {
        Self(Connection::open_in_memory().unwrap())
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
        ValueRef::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
    }
}

fn refused(error: rusqlite::Error) -> KeeperError {
    KeeperError::Sql(error.to_string())
}
