//! The migrations are numbered consecutively, apply in order on an empty database, and remove
//! nothing that the Worker running in the meantime still reads.

use crate::sources::{File, files};
use rusqlite::Connection;

#[test]
fn migrations_apply_in_order_on_an_empty_database() {
    let migrations = files("d1-migrations", "sql");
    assert!(!migrations.is_empty(), "no migrations");
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

#[test]
fn nothing_is_dropped_that_the_running_worker_reads() {
    let migrations = files("d1-migrations", "sql");
    assert_eq!(
        hasty(&migrations),
        Vec::<&str>::new(),
        "a migration runs while the Worker of before still answers: drop in a later release, and say `-- Unread since X:` of which"
    );
}

#[test]
fn the_worker_before_still_finds_its_breaker() {
    let migrations = files("d1-migrations", "sql");
    let (before, after): (Vec<File>, Vec<File>) =
        migrations.into_iter().partition(|it| number_of(it) < 2);
    let database = applied(&before).expect("the tables before");
    let open = "INSERT INTO circuit_breakers (name, version, breaker, changed_at) VALUES ('payments', 7, '{}', 1)";
    database.execute_batch(open).expect("an open breaker");
    for File { path, text } in &after {
        database.execute_batch(text).expect(path);
    }
    for name in ["payments", "stripe"] {
        let sql = "SELECT version FROM circuit_breakers WHERE name = ?1";
        let version: Result<i64, _> = database.query_row(sql, [name], |row| row.get(0));
        assert_eq!(version, Ok(7), "{name}");
    }
}

#[test]
fn what_takes_something_away_is_found() {
    for sql in [
        "DROP TABLE a;",
        "drop  table if exists a;",
        "ALTER TABLE a DROP COLUMN b;",
        "ALTER TABLE a DROP b;",
        "ALTER TABLE \"a\" RENAME COLUMN b TO c;",
        "ALTER TABLE a\n    RENAME TO b;",
        "ALTER TABLE a RENAME b TO c;",
    ] {
        let patient = format!("-- Unread since 0.2.0: b says it.\n{sql}");
        let migrations = [File::new("a.sql", sql), File::new("b.sql", &patient)];
        assert_eq!(hasty(&migrations), ["a.sql"], "{sql}");
        assert!(takes_away(&patient), "{sql}");
    }
    for harmless in [
        "CREATE TABLE a (drop_table TEXT); -- DROP TABLE b",
        "ALTER TABLE a ADD COLUMN renamed_to TEXT;",
        "DROP INDEX a;",
        "INSERT INTO a (b) VALUES ('DROP TABLE c');",
    ] {
        assert!(!takes_away(harmless), "{harmless}");
    }
    for vague in ["-- Unread since:\n", "-- Unread since today: b says it.\n"] {
        assert!(!says_since_when(vague), "{vague}");
    }
}

/// Returns migrations that remove something without saying since when it is unread.
fn hasty(migrations: &[File]) -> Vec<&str> {
    migrations
        .iter()
        .filter(|it| takes_away(&it.text) && !says_since_when(&it.text))
        .map(|it| it.path.as_str())
        .collect()
}

/// Returns true for a migration that drops or renames a table or a column.
fn takes_away(sql: &str) -> bool {
    let code: Vec<&str> = sql
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .collect();
    // Every second part is inside quotes.
    let code = code.join(" ").to_uppercase();
    let code: Vec<&str> = code.split('\'').step_by(2).collect();
    code.join("''").split(';').any(|statement| {
        let words: Vec<&str> = statement.split_whitespace().collect();
        match words.as_slice() {
            ["DROP", "TABLE", ..] => true,
            ["ALTER", "TABLE", _, change, ..] => matches!(*change, "DROP" | "RENAME"),
            _ => false,
        }
    })
}

/// Returns true for a migration that names the first release that no longer reads what it removes:
/// `-- Unread since 0.2.0: …`.
fn says_since_when(sql: &str) -> bool {
    sql.lines().any(|line| {
        let release = line
            .strip_prefix("-- Unread since ")
            .and_then(|rest| rest.split_once(':'));
        release.is_some_and(|(release, _)| release.starts_with(|it: char| it.is_ascii_digit()))
    })
}

fn apply(migrations: &[File]) -> Result<(), String> {
    applied(migrations).map(drop)
}

/// Returns an in-memory database with these migrations applied.
pub fn applied(migrations: &[File]) -> Result<Connection, String> {
    let database = Connection::open_in_memory().expect("a database");
    // As in D1, foreign keys are enforced.
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
    Ok(database)
}

/// Returns the number of a migration: `3` for `d1-migrations/0003_inbox.sql`.
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
