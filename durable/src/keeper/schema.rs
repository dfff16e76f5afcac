//! The tables of every object. `state` holds what is open now, `past` what has ended or counts
//! forever, `journal` the events that led there, `outbox` the messages not sent yet, `telling` the
//! instant at which the last messages are sent again, and `snapshot` the result of the journal
//! entries that were folded. An insert into `written` writes journal, rows and messages together.
//!
//! An object of an earlier version has a view `entry`, and past rows in `state`. It keeps the view
//! until the last of these rows has been moved ([`super::tidy`]).

use super::sql::{KeeperError, Sql, number};
use crate::Timestamp;

const SCHEMA: [&str; 8] = [
    "CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS journal (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        operation_id TEXT UNIQUE, -- NULL for what time alone has done
        digest TEXT,              -- names the operation's command
        events TEXT NOT NULL,
        answer TEXT               -- NULL where a repeat is answered with the present
    )",
    "CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS past (key TEXT PRIMARY KEY, value TEXT NOT NULL, forget_at INTEGER) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS past_by_end ON past (forget_at) WHERE forget_at IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS snapshot (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS telling (id INTEGER PRIMARY KEY CHECK (id = 1), times INTEGER NOT NULL, again_at INTEGER NOT NULL)",
    "CREATE VIEW IF NOT EXISTS written AS
        SELECT at, operation_id, digest, events, answer, '{}' AS open_rows, '{}' AS past_rows, '[]' AS news, NULL AS again_at FROM journal",
];

/// Past rows are written as `[forget_at, row]`. An open row that has ended is written as `null`
/// among the open ones.
const TRIGGER: &str = "CREATE TRIGGER IF NOT EXISTS write_down INSTEAD OF INSERT ON written BEGIN
        INSERT INTO journal (at, operation_id, digest, events, answer)
            VALUES (NEW.at, NEW.operation_id, NEW.digest, NEW.events, NEW.answer);
        INSERT INTO state (key, value)
            SELECT key, value FROM json_each(NEW.open_rows) WHERE type <> 'null'
            ON CONFLICT (key) DO UPDATE SET value = excluded.value;
        DELETE FROM state WHERE key IN (SELECT key FROM json_each(NEW.open_rows) WHERE type = 'null');
        INSERT INTO past (key, value, forget_at)
            SELECT key, value -> 1, value ->> 0 FROM json_each(NEW.past_rows) WHERE true
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, forget_at = excluded.forget_at;
        INSERT INTO outbox (message) SELECT value FROM json_each(NEW.news);
        INSERT INTO telling (id, times, again_at) SELECT 1, 0, NEW.again_at WHERE NEW.again_at IS NOT NULL
            ON CONFLICT (id) DO UPDATE SET times = excluded.times, again_at = excluded.again_at;
    END";

const NAMES: &str = "SELECT name FROM sqlite_master WHERE name IN
    ('state', 'journal', 'outbox', 'past', 'past_by_end', 'snapshot', 'telling', 'written', 'write_down', 'entry')";

/// State of the tables.
pub(super) struct Standing {
    pub(super) has_schema: bool,
    /// True while past rows are still stored among the open ones.
    pub(super) is_moving: bool,
}

/// Inspects the tables and migrates those of an earlier version. Creates none where there are none.
pub(super) fn standing(sql: &impl Sql) -> Result<Standing, KeeperError> {
    let mut names: Vec<String> = sql
        .exec(NAMES, &[])?
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    let has_schema = !names.is_empty();
    let is_moving = names.iter().any(|name| name == "entry");
    names.retain(|name| name != "entry");
    if has_schema && names.len() <= SCHEMA.len() {
        create(sql)?;
    }
    Ok(Standing {
        has_schema,
        is_moving,
    })
}

pub(super) fn create(sql: &impl Sql) -> Result<(), KeeperError> {
    for statement in SCHEMA.into_iter().chain([TRIGGER]) {
        sql.exec(statement, &[])?;
    }
    Ok(())
}

/// Number of rows or entries that one step handles.
pub const STEP: u32 = 1_000;

/// Key of the snapshot row that holds the number of the last entry covered. No machine has a row of
/// this name.
pub(super) const POSITION: &str = "seq";

/// Returns the instant at which the last messages are sent again; `None` means never.
pub(super) fn next_repeat_at(sql: &impl Sql) -> Result<Option<Timestamp>, KeeperError> {
    let rows = sql.exec("SELECT again_at FROM telling", &[])?;
    let at = rows.into_iter().flatten().flatten().next();
    at.as_deref()
        .map(|at| number(at).map(Timestamp::from_millis))
        .transpose()
}
