//! SQLite of an object.

use crate::keeper::{KeeperError, Parameter, Row, Sql};
use worker::{SqlStorage, SqlStorageValue};

pub(super) type Kept<T> = Result<T, KeeperError>;

/// SQLite database of the object.
pub(super) struct ObjectSql(pub(super) SqlStorage);

impl Sql for ObjectSql {
    fn exec(&self, sql: &str, parameters: &[Parameter<'_>]) -> Kept<Vec<Row>> {
        let bindings: Vec<SqlStorageValue> = parameters.iter().map(to_value).collect();
        self.0
            .exec(sql, bindings)
            .map_err(|error| KeeperError::Sql(error.to_string()))?
            .raw()
            .map(|row| match row {
                Ok(columns) => Ok(columns.into_iter().map(to_text).collect()),
                Err(error) => Err(KeeperError::Sql(error.to_string())),
            })
            .collect()
    }
}

fn to_value(parameter: &Parameter<'_>) -> SqlStorageValue {
    match parameter {
        Parameter::Null => SqlStorageValue::Null,
        Parameter::Integer(integer) => SqlStorageValue::Integer(*integer),
        Parameter::Text(text) => SqlStorageValue::String((*text).to_owned()),
    }
}

fn to_text(value: SqlStorageValue) -> Option<String> {
    match value {
        SqlStorageValue::Null | SqlStorageValue::Blob(_) => None,
        SqlStorageValue::Boolean(boolean) => Some(i64::from(boolean).to_string()),
        SqlStorageValue::Integer(integer) => Some(integer.to_string()),
        SqlStorageValue::Float(float) => Some(float.to_string()),
        SqlStorageValue::String(text) => Some(text),
    }
}
