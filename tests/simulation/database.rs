//! The shop's `Database` on in-memory SQLite, with the product's own migrations.

use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};
use rusqlite::{Connection, Statement as Prepared, params_from_iter};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;
use storefront::store::sql::{Parameter, SqlError, Statement};

pub struct SqliteDb(Connection);

impl SqliteDb {
    pub fn migrated() -> Self {
        let db = Connection::open_in_memory().unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("d1-migrations");
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == "sql"))
            .collect();
        files.sort();
        db.set_prepared_statement_cache_capacity(200);
        for file in files {
            db.execute_batch(&fs::read_to_string(file).unwrap())
                .unwrap();
        }
        Self(db)
    }

    pub fn query<T: DeserializeOwned>(&self, statement: &Statement) -> Result<Vec<T>, SqlError> {
        self.rows(statement)?
            .into_iter()
            .map(|row| {
                serde_json::from_value(row).map_err(|error| SqlError::Failed(error.to_string()))
            })
            .collect()
    }

    /// Runs all statements or none, then the query, in one transaction.
    pub fn batch(
        &self,
        statements: &[Statement],
        query: Option<&Statement>,
    ) -> Result<Vec<Value>, SqlError> {
        let transaction = self.0.unchecked_transaction().map_err(failed)?;
        for statement in statements {
            self.rows(statement)?;
        }
        let rows = query.map_or(Ok(vec![]), |query| self.rows(query))?;
        transaction.commit().map_err(failed)?;
        Ok(rows)
    }

    /// Returns the first column of each row of a query made by the test itself.
    pub fn ask(&self, sql: &str) -> Vec<Value> {
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let rows = statement
            .query_map([], |row| Ok(to_json(row.get_ref(0)?)))
            .unwrap();
        rows.map(Result::unwrap).collect()
    }

    pub fn tell(&self, sql: &str) {
        self.0.execute_batch(sql).unwrap();
    }

    fn rows(&self, statement: &Statement) -> Result<Vec<Value>, SqlError> {
        let mut prepared = self.0.prepare_cached(statement.sql).map_err(failed)?;
        let names = columns(&prepared);
        let parameters = params_from_iter(statement.parameters.iter().map(to_sql));
        let mut rows = prepared.query(parameters).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let mut object = Map::new();
            for (at, name) in names.iter().enumerate() {
                object.insert(name.clone(), to_json(row.get_ref(at).map_err(failed)?));
            }
            found.push(Value::Object(object));
        }
        Ok(found)
    }
}

fn columns(prepared: &Prepared<'_>) -> Vec<String> {
    prepared.column_names().map(str::to_owned).collect()
}

fn to_sql(parameter: &Parameter) -> ToSqlOutput<'_> {
    match parameter {
        Parameter::Null => ToSqlOutput::Owned(Sql::Null),
        Parameter::Integer(integer) => ToSqlOutput::Owned(Sql::Integer(*integer)),
        Parameter::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
    }
}

fn to_json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
        ValueRef::Integer(integer) => integer.into(),
        ValueRef::Real(real) => real.into(),
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap().into(),
    }
}

fn failed(error: rusqlite::Error) -> SqlError {
    SqlError::of(error.to_string())
}
