//! The migrations are numbered in their order, and apply one after the other on an empty database.

use crate::sources::{File, files};
use rusqlite::Connection;

#[test]
fn migrations_apply_in_order_on_an_empty_database() {
    let migrations = files("d1-migrations", "sql");
    assert!(migrations.len() >= 3, "{}", migrations.len());
    assert_eq!(apply(&migrations), Ok(()));
}

#[test]
fn no_two_migrations_have_the_same_number() {
    let numbers: Vec<u32> = files("d1-migrations", "sql")
        .iter()
        .map(number_of)
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

#[test]
fn a_migration_that_fails_is_found() {
    let create = File::new(
        "d1-migrations/0001_a.sql",
        "CREATE TABLE a (b TEXT); CREATE INDEX c ON a (b);",
    );
    let fill = File::new(
        "d1-migrations/0002_b.sql",
        "INSERT INTO a (b) VALUES ('x');",
    );
    assert!(apply(&[fill, create]).is_err());
    let broken = File::new("d1-migrations/0001_a.sql", "CREATE TABLE a (b TEXT;");
    assert!(apply(&[broken]).is_err());
}

fn apply(migrations: &[File]) -> Result<(), String> {
    let database = Connection::open_in_memory().expect("a database");
    // As D1 has it: what refers must find what it refers to.
    database
        .pragma_update(None, "foreign_keys", true)
        .expect("foreign keys");
    for File { path, text } in migrations {
        database
            .execute_batch(text)
            .map_err(|error| format!("{path}: {error}"))?;
    }
    let broken: i64 = database
        .query_row("SELECT COUNT(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .expect("a check");
    if broken > 0 {
        return Err(format!("{broken} rows refer to nothing"));
    }
    Ok(())
}

/// `3` of `d1-migrations/0003_inbox.sql`.
fn number_of(file: &File) -> u32 {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let (number, title) = name
        .split_once('_')
        .unwrap_or_else(|| panic!("{name} is not NNNN_name.sql"));
    assert!(
        number.len() == 4 && title.len() > 4,
        "{name} is not NNNN_name.sql"
    );
    number
        .parse()
        .unwrap_or_else(|_| panic!("{name} has no number"))
}
