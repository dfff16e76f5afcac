//! Keeps one machine in SQL: its journal, its rows, and the first answer to every operation id.
//!
//! Promises, for any [`Sql`] whose caller runs [`Keeper::carry_out`] and [`Keeper::wake`] inside one transaction and
//! forgets the keeper when either fails:
//! - a command's events, rows and answer are stored together or not at all;
//! - an operation id that was carried out is answered with its first answer, whatever has happened since;
//! - a command touches O(1) rows, plus one per hold that time has ended (each hold ends once);
//! - a failed read is an error, never the empty machine.

use crate::Timestamp;
use crate::machine::{Machine, Reply, ReplyOf, Request};
use std::fmt;

/// The SQL a keeper needs, synchronous: SQLite inside a Durable Object, or in memory in a test.
pub trait Sql {
    /// Runs one statement with positional parameters and returns its rows, every column as text (`NULL` as none).
    ///
    /// # Errors
    /// What the database said.
    fn exec(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, KeeperError>;
}

/// One row; every column as text.
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

/// Why a machine could not be read or written.
#[derive(Debug)]
pub enum KeeperError {
    /// The database refused a statement.
    Sql(String),
    /// A stored row does not read, or an answer does not write.
    Format(serde_json::Error),
    /// A query answered in a shape it cannot have.
    Shape(&'static str),
}

impl fmt::Display for KeeperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(message) => write!(f, "sql: {message}"),
            Self::Format(error) => write!(f, "stored format: {error}"),
            Self::Shape(what) => write!(f, "unexpected rows: {what}"),
        }
    }
}

impl std::error::Error for KeeperError {}

impl From<serde_json::Error> for KeeperError {
    fn from(error: serde_json::Error) -> Self {
        Self::Format(error)
    }
}

/// The tables of every object. `state` is what a machine is now; `journal` is how it came to be, and what was answered.
pub const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS journal (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        operation_id TEXT UNIQUE, -- NULL for what time alone has done
        events TEXT NOT NULL,
        answer TEXT
    )",
];

/// A machine and what is known of its stored form.
#[derive(Debug, Default)]
pub struct Keeper<M> {
    machine: M,
}

impl<M: Machine> Keeper<M> {
    /// Creates the tables where they lack, and reads the machine.
    ///
    /// # Errors
    /// When the database or a stored row can't be read.
    pub fn open(sql: &impl Sql) -> Result<Self, KeeperError> {
        for statement in SCHEMA {
            sql.exec(statement, &[])?;
        }
        let rows = sql
            .exec("SELECT key, value FROM state", &[])?
            .into_iter()
            .map(|row| match <[Option<String>; 2]>::try_from(row) {
                Ok([Some(key), Some(value)]) => Ok((key, value)),
                _ => Err(KeeperError::Shape("state")),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let machine = M::restore(&rows)?;
        Ok(Self { machine })
    }

    /// The machine as it stands.
    pub const fn machine(&self) -> &M {
        &self.machine
    }

    /// Answers one request. Run it inside a transaction.
    ///
    /// 1. What time has ended is ended first, so that no command meets a hold that has lapsed.
    /// 2. A known operation id is answered as it was.
    /// 3. Decide; a refusal leaves nothing behind.
    /// 4. Apply the events and store them with their rows and the answer.
    ///
    /// # Errors
    /// When the database fails: roll back and forget this keeper.
    pub fn carry_out(
        &mut self,
        sql: &impl Sql,
        request: &Request<M::Command>,
        now: Timestamp,
    ) -> Result<ReplyOf<M>, KeeperError> {
        self.wake(sql, now)?;
        let Request::Do {
            operation_id,
            command,
        } = request
        else {
            return Ok(self.done(false));
        };
        if let Some(answer) = first_answer(sql, operation_id)? {
            let view = serde_json::from_str(&answer)?;
            return Ok(Reply::Done {
                view,
                replayed: true,
            });
        }
        let events = match self.machine.decide(command, now) {
            Ok(events) => events,
            Err(refusal) => return Ok(Reply::Refused { refusal }),
        };
        self.record(sql, now, Some(operation_id), &events)?;
        Ok(self.done(false))
    }

    /// Records what time alone has brought about. Run it inside a transaction.
    ///
    /// # Errors
    /// When the database fails: roll back and forget this keeper.
    pub fn wake(&mut self, sql: &impl Sql, now: Timestamp) -> Result<(), KeeperError> {
        let events = self.machine.due(now);
        if events.is_empty() {
            return Ok(());
        }
        self.record(sql, now, None, &events)
    }

    fn record(
        &mut self,
        sql: &impl Sql,
        now: Timestamp,
        operation_id: Option<&str>,
        events: &[M::Event],
    ) -> Result<(), KeeperError> {
        for event in events {
            self.machine.apply(event);
        }
        for key in keys_of::<M>(events) {
            self.store_row(sql, &key)?;
        }
        let events = serde_json::to_string(events)?;
        let answer = match operation_id {
            Some(_) => Some(serde_json::to_string(&self.machine.view())?),
            None => None,
        };
        sql.exec(
            "INSERT INTO journal (at, operation_id, events, answer) VALUES (?, ?, ?, ?)",
            &[
                Parameter::Integer(now.as_millis()),
                operation_id.map_or(Parameter::Null, Parameter::Text),
                Parameter::Text(&events),
                answer.as_deref().map_or(Parameter::Null, Parameter::Text),
            ],
        )?;
        Ok(())
    }

    fn store_row(&self, sql: &impl Sql, key: &str) -> Result<(), KeeperError> {
        match self.machine.row(key)? {
            Some(value) => sql.exec(
                "INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                &[Parameter::Text(key), Parameter::Text(&value)],
            )?,
            None => sql.exec("DELETE FROM state WHERE key = ?", &[Parameter::Text(key)])?,
        };
        Ok(())
    }

    fn done(&self, replayed: bool) -> ReplyOf<M> {
        Reply::Done {
            view: self.machine.view(),
            replayed,
        }
    }
}

fn first_answer(sql: &impl Sql, operation_id: &str) -> Result<Option<String>, KeeperError> {
    let rows = sql.exec(
        "SELECT answer FROM journal WHERE operation_id = ?",
        &[Parameter::Text(operation_id)],
    )?;
    match rows.into_iter().next() {
        None => Ok(None),
        Some(row) => match row.into_iter().next() {
            Some(Some(answer)) => Ok(Some(answer)),
            _ => Err(KeeperError::Shape("journal answer")),
        },
    }
}

fn keys_of<M: Machine>(events: &[M::Event]) -> Vec<String> {
    let mut keys: Vec<String> = events.iter().flat_map(M::touched).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
