//! Keeps one machine in SQL: its journal, its rows, the first answer to every operation id, and the news that are not sent yet.
//!
//! Promises, for any [`Sql`] whose caller forgets the keeper when a call fails:
//! - a command's events, rows, answer and news are stored together or not at all: they are one statement, which a trigger
//!   spreads over the tables, so that it holds without a transaction around it;
//! - an operation id that was carried out is answered with its first answer, whatever has happened since; with another command
//!   it is refused;
//! - a command touches O(1) rows, plus one per hold that time has ended (each hold ends once);
//! - a failed read is an error, never the fresh machine; looking at an object that never met a command stores nothing.

use crate::Timestamp;
use crate::machine::{Checkup, Entry, Machine, Reply, ReplyOf, Request};
use crate::news::News;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The SQL a keeper needs, synchronous: SQLite inside a Durable Object, or in memory in a test. A statement runs whole or not
/// at all.
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

/// Why a machine could not be read or written, or was not asked to.
#[derive(Debug)]
pub enum KeeperError {
    /// The database refused a statement.
    Sql(String),
    /// A stored row does not read, or an answer does not write.
    Format(serde_json::Error),
    /// A query answered in a shape it cannot have.
    Shape(&'static str),
    /// The operation id belongs to another command; nothing was read or written beside it.
    OperationReused,
}

impl fmt::Display for KeeperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(message) => write!(f, "sql: {message}"),
            Self::Format(error) => write!(f, "stored format: {error}"),
            Self::Shape(what) => write!(f, "unexpected rows: {what}"),
            Self::OperationReused => write!(f, "the operation id belongs to another command"),
        }
    }
}

impl std::error::Error for KeeperError {}

impl From<serde_json::Error> for KeeperError {
    fn from(error: serde_json::Error) -> Self {
        Self::Format(error)
    }
}

/// The tables of every object. `state` is what a machine is now; `journal` is how it came to be, and what was answered; `outbox`
/// is what the shop has not heard yet. Who inserts into `entry` writes all three.
const SCHEMA: [&str; 5] = [
    "CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS journal (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        operation_id TEXT UNIQUE, -- NULL for what time alone has done
        digest TEXT,              -- names the operation's command
        events TEXT NOT NULL,
        answer TEXT
    )",
    "CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL)",
    "CREATE VIEW IF NOT EXISTS entry AS
        SELECT at, operation_id, digest, events, answer, '{}' AS changed_rows, '[]' AS news FROM journal",
    "CREATE TRIGGER IF NOT EXISTS record INSTEAD OF INSERT ON entry BEGIN
        INSERT INTO journal (at, operation_id, digest, events, answer)
            VALUES (NEW.at, NEW.operation_id, NEW.digest, NEW.events, NEW.answer);
        INSERT INTO state (key, value)
            SELECT key, value FROM json_each(NEW.changed_rows) WHERE type <> 'null'
            ON CONFLICT (key) DO UPDATE SET value = excluded.value;
        DELETE FROM state WHERE key IN (SELECT key FROM json_each(NEW.changed_rows) WHERE type = 'null');
        INSERT INTO outbox (message) SELECT value FROM json_each(NEW.news);
    END",
];

/// Journal entries that a fold reads at once.
const FOLD_PAGE: u32 = 1000;

/// A machine and what is known of its stored form.
#[derive(Debug)]
pub struct Keeper<M> {
    name: String,
    fresh: M,
    machine: M,
    has_schema: bool,
    has_news: bool,
}

impl<M: Machine> Keeper<M> {
    /// Reads the machine of the object `name`; `fresh` is what it is before its first command.
    ///
    /// # Errors
    /// When the database or a stored row can't be read.
    pub fn open(sql: &impl Sql, name: &str, fresh: M) -> Result<Self, KeeperError> {
        let tables = sql.exec(
            "SELECT 1 FROM sqlite_master WHERE name IN ('state', 'journal', 'outbox', 'entry', 'record')",
            &[],
        )?;
        let has_schema = !tables.is_empty();
        if has_schema && tables.len() < SCHEMA.len() {
            create_schema(sql)?;
        }
        let (rows, has_news) = if has_schema {
            let news = sql.exec("SELECT 1 FROM outbox LIMIT 1", &[])?;
            (stored_rows(sql)?, !news.is_empty())
        } else {
            (vec![], false)
        };
        Ok(Self {
            name: name.to_owned(),
            machine: fresh.clone().restore(&rows)?,
            fresh,
            has_schema,
            has_news,
        })
    }

    /// The machine as it stands.
    pub const fn machine(&self) -> &M {
        &self.machine
    }

    /// What stands under each of `keys`, as the machine would store it.
    ///
    /// # Errors
    /// When a row does not write as JSON.
    pub fn rows(&self, keys: &[String]) -> Result<Vec<Option<String>>, KeeperError> {
        let rows = keys.iter().map(|key| self.machine.row(key));
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether the shop has not heard all news yet.
    pub const fn has_news(&self) -> bool {
        self.has_news
    }

    /// Answers one request.
    ///
    /// 1. What time has ended is ended first, so that no command meets a hold that has lapsed.
    /// 2. A known operation id is answered as it was.
    /// 3. Decide; a refusal leaves nothing behind.
    /// 4. Apply the events and store them with their rows, the answer and the news.
    ///
    /// # Errors
    /// [`KeeperError::OperationReused`]; else the database has failed: forget this keeper.
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
        let digest = M::digest(command)?;
        if let Some(answer) = self.first_answer(sql, operation_id, &digest)? {
            let view = crate::json::read(&answer)?;
            return Ok(Reply::Done {
                view,
                replayed: true,
            });
        }
        let events = match self.machine.decide(command, now) {
            Ok(events) => events,
            Err(refusal) => return Ok(Reply::Refused { refusal }),
        };
        self.record(sql, now, Some((operation_id, &digest)), &events)?;
        Ok(self.done(false))
    }

    /// Records what time alone has brought about.
    ///
    /// # Errors
    /// When the database fails: forget this keeper.
    pub fn wake(&mut self, sql: &impl Sql, now: Timestamp) -> Result<(), KeeperError> {
        let events = self.machine.due(now);
        if events.is_empty() {
            return Ok(());
        }
        self.record(sql, now, None, &events)
    }

    /// The oldest news that the shop has not heard, each with its number.
    ///
    /// # Errors
    /// When the database fails.
    pub fn news(&self, sql: &impl Sql, limit: u32) -> Result<Vec<(i64, String)>, KeeperError> {
        if !self.has_news {
            return Ok(vec![]);
        }
        let limit = Parameter::Integer(limit.into());
        sql.exec(
            "SELECT seq, message FROM outbox ORDER BY seq LIMIT ?",
            &[limit],
        )?
        .into_iter()
        .map(|row| match <[Option<String>; 2]>::try_from(row) {
            Ok([Some(seq), Some(message)]) => Ok((number(&seq)?, message)),
            _ => Err(KeeperError::Shape("outbox")),
        })
        .collect()
    }

    /// Forgets the news up to number `seq`: the shop has heard them.
    ///
    /// # Errors
    /// When the database fails: forget this keeper.
    pub fn heard(&mut self, sql: &impl Sql, seq: i64) -> Result<(), KeeperError> {
        sql.exec(
            "DELETE FROM outbox WHERE seq <= ?",
            &[Parameter::Integer(seq)],
        )?;
        self.has_news = !sql.exec("SELECT 1 FROM outbox LIMIT 1", &[])?.is_empty();
        Ok(())
    }

    /// Journal entries before `before`, newest first.
    ///
    /// # Errors
    /// When the database or an entry can't be read.
    pub fn log(
        &self,
        sql: &impl Sql,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Entry<M::Event>>, KeeperError> {
        if !self.has_schema {
            return Ok(vec![]);
        }
        let before = before.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
        let parameters = [
            Parameter::Integer(before.min(LAST_SEQ)),
            Parameter::Integer(limit.into()),
        ];
        sql.exec(
            "SELECT seq, at, operation_id, events FROM journal WHERE seq < ? ORDER BY seq DESC LIMIT ?",
            &parameters,
        )?
        .into_iter()
        .map(entry)
        .collect()
    }

    /// Folds the journal from its beginning and compares it with what is stored, row by row.
    ///
    /// # Errors
    /// When the database or a row can't be read.
    pub fn check(&self, sql: &impl Sql) -> Result<Checkup<M::View>, KeeperError> {
        let Compared { checkup, .. } = self.compare(sql)?;
        Ok(checkup)
    }

    /// Stores what the journal tells; each repair is an entry without events, whatever it found. Returns what was found.
    ///
    /// # Errors
    /// When the database fails: forget this keeper.
    pub fn repair(
        &mut self,
        sql: &impl Sql,
        now: Timestamp,
    ) -> Result<Checkup<M::View>, KeeperError> {
        let Compared {
            checkup,
            folded,
            wrong,
        } = self.compare(sql)?;
        let before = std::mem::replace(&mut self.machine, folded).view();
        let news = self.machine.news(&self.name, &before, &[]);
        self.write(sql, now, None, &[], None, wrong, &news)?;
        Ok(checkup)
    }

    fn compare(&self, sql: &impl Sql) -> Result<Compared<M>, KeeperError> {
        let folded = self.fold(sql)?;
        let rows = if self.has_schema {
            stored_rows(sql)?
        } else {
            vec![]
        };
        let mut stored = BTreeMap::new();
        for (key, value) in &rows {
            stored.insert(key.clone(), crate::json::read::<Value>(value)?);
        }
        let mut wrong = vec![];
        for key in folded.keys() {
            let told = folded
                .row(&key)?
                .map(|row| crate::json::read(&row))
                .transpose()?;
            if stored.remove(&key) != told {
                wrong.push(key);
            }
        }
        wrong.extend(stored.into_keys());
        let checkup = Checkup {
            consistent: wrong.is_empty() && folded == self.machine,
            wrong_rows: wrong.len(),
            stored: self.fresh.clone().restore(&rows)?.view(),
            folded: folded.view(),
        };
        Ok(Compared {
            checkup,
            folded,
            wrong,
        })
    }

    fn fold(&self, sql: &impl Sql) -> Result<M, KeeperError> {
        let mut machine = self.fresh.clone();
        let mut after = 0;
        if !self.has_schema {
            return Ok(machine);
        }
        loop {
            let page = sql.exec(
                "SELECT seq, at, operation_id, events FROM journal WHERE seq > ? ORDER BY seq LIMIT ?",
                &[Parameter::Integer(after), Parameter::Integer(FOLD_PAGE.into())],
            )?;
            if page.is_empty() {
                return Ok(machine);
            }
            for row in page {
                let entry: Entry<M::Event> = entry(row)?;
                after = i64::try_from(entry.seq).unwrap_or(i64::MAX);
                for event in &entry.events {
                    machine.apply(event, entry.at);
                }
            }
        }
    }

    fn record(
        &mut self,
        sql: &impl Sql,
        now: Timestamp,
        operation: Option<(&str, &str)>,
        events: &[M::Event],
    ) -> Result<(), KeeperError> {
        let before = self.machine.view();
        for event in events {
            self.machine.apply(event, now);
        }
        let answer = match operation {
            Some(_) => Some(serde_json::to_string(&self.machine.view())?),
            None => None,
        };
        let news = self.machine.news(&self.name, &before, events);
        self.write(
            sql,
            now,
            operation,
            events,
            answer.as_deref(),
            keys_of::<M>(events),
            &news,
        )
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one entry")]
    fn write(
        &mut self,
        sql: &impl Sql,
        now: Timestamp,
        operation: Option<(&str, &str)>,
        events: &[M::Event],
        answer: Option<&str>,
        keys: Vec<String>,
        news: &[News],
    ) -> Result<(), KeeperError> {
        if !self.has_schema {
            create_schema(sql)?;
            self.has_schema = true;
        }
        let (operation_id, digest) = operation.unzip();
        sql.exec(
            "INSERT INTO entry (at, operation_id, digest, events, answer, changed_rows, news) VALUES (?, ?, ?, ?, ?, ?, ?)",
            &[
                Parameter::Integer(now.as_millis()),
                operation_id.map_or(Parameter::Null, Parameter::Text),
                digest.map_or(Parameter::Null, Parameter::Text),
                Parameter::Text(&serde_json::to_string(events)?),
                answer.map_or(Parameter::Null, Parameter::Text),
                Parameter::Text(&self.rows_under(keys)?),
                Parameter::Text(&serde_json::to_string(news)?),
            ],
        )?;
        self.has_news |= !news.is_empty();
        Ok(())
    }

    /// A JSON object of the rows under `keys`, `null` for those that are gone.
    fn rows_under(&self, keys: Vec<String>) -> Result<String, KeeperError> {
        let mut rows = vec![];
        for key in keys {
            let value = self.machine.row(&key)?;
            let value = value.as_deref().unwrap_or("null");
            rows.push(format!("{}:{value}", serde_json::to_string(&key)?));
        }
        Ok(format!("{{{}}}", rows.join(",")))
    }

    fn first_answer(
        &self,
        sql: &impl Sql,
        operation_id: &str,
        digest: &str,
    ) -> Result<Option<String>, KeeperError> {
        if !self.has_schema {
            return Ok(None);
        }
        let rows = sql.exec(
            "SELECT digest, answer FROM journal WHERE operation_id = ?",
            &[Parameter::Text(operation_id)],
        )?;
        let Some(row) = rows.into_iter().next() else {
            return Ok(None);
        };
        match <[Option<String>; 2]>::try_from(row) {
            Ok([Some(known), _]) if known != digest => Err(KeeperError::OperationReused),
            Ok([Some(_), Some(answer)]) => Ok(Some(answer)),
            _ => Err(KeeperError::Shape("journal answer")),
        }
    }

    fn done(&self, replayed: bool) -> ReplyOf<M> {
        Reply::Done {
            view: self.machine.view(),
            replayed,
        }
    }
}

/// What a comparison of the journal with the stored rows found.
struct Compared<M: Machine> {
    checkup: Checkup<M::View>,
    folded: M,
    /// Keys of the rows that differ.
    wrong: Vec<String>,
}

/// The largest number that JavaScript counts exactly.
const LAST_SEQ: i64 = 9_007_199_254_740_991;

fn create_schema(sql: &impl Sql) -> Result<(), KeeperError> {
    for statement in SCHEMA {
        sql.exec(statement, &[])?;
    }
    Ok(())
}

fn stored_rows(sql: &impl Sql) -> Result<Vec<(String, String)>, KeeperError> {
    sql.exec("SELECT key, value FROM state", &[])?
        .into_iter()
        .map(|row| match <[Option<String>; 2]>::try_from(row) {
            Ok([Some(key), Some(value)]) => Ok((key, value)),
            _ => Err(KeeperError::Shape("state")),
        })
        .collect()
}

fn entry<E: serde::de::DeserializeOwned>(row: Row) -> Result<Entry<E>, KeeperError> {
    match <[Option<String>; 4]>::try_from(row) {
        Ok([Some(seq), Some(at), operation_id, Some(events)]) => Ok(Entry {
            seq: number(&seq)?,
            at: Timestamp::from_millis(number(&at)?),
            operation_id,
            events: crate::json::read(&events)?,
        }),
        _ => Err(KeeperError::Shape("journal")),
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, KeeperError> {
    text.parse().map_err(|_| KeeperError::Shape("a number"))
}

fn keys_of<M: Machine>(events: &[M::Event]) -> Vec<String> {
    let mut keys: Vec<String> = events.iter().flat_map(M::touched).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
