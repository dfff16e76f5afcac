//! Database of the tests: in memory, with all migrations.

use crate::store::sql::{Parameter, Statement};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::fs;

pub fn database() -> Connection {
    let database = Connection::open_in_memory().unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/d1-migrations");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "sql"))
        .collect();
    files.sort();
    for file in files {
        let sql = fs::read_to_string(file).unwrap();
        database.execute_batch(&sql).unwrap();
    }
    database
}

pub fn values(statement: &Statement) -> Vec<Value> {
    let value = |parameter: &Parameter| match parameter {
        Parameter::Null => Value::Null,
        Parameter::Integer(integer) => Value::Integer(*integer),
        Parameter::Text(text) => Value::Text(text.clone()),
    };
    statement.parameters.iter().map(value).collect()
}
