//! Keeps one machine in SQL: its journal, its rows, and the outbox of messages not sent yet.
//!
//! Promises, for any [`Sql`] whose caller drops the keeper when a call fails:
//! - A command's events, rows, answer and messages are stored together or not at all. They are one
//!   statement, which a trigger spreads over the tables, so this holds without a surrounding
//!   transaction.
//! - An operation ID that was carried out is not carried out again while the journal knows it
//!   ([`JOURNAL_SECS`]). With a different command, it is refused.
//! - A command touches O(1) rows, plus one per expired hold (each hold ends once).
//! - Waking an object reads, and an awake object keeps in memory, only what is open. Past rows are
//!   looked up by key.
//! - Everything stored is deleted at some point, except what is open and what counts forever;
//!   [`Keeper::tidy`] does so in bounded steps.
//! - Messages about lasting facts are sent again a few times after the change
//!   ([`TOLD_AGAIN_AFTER_SECS`]), because a queue may lose them for good.
//! - A failed read is an error and never yields the initial machine. Viewing an object that has
//!   never met a command stores nothing.

mod journal;
mod schema;
mod sql;
mod telling;
mod tidy;

pub use schema::STEP;
pub use sql::{KeeperError, Parameter, Row, Sql};
pub use telling::TOLD_AGAIN_AFTER_SECS;
pub use tidy::{FOLDED_BEHIND, JOURNAL_SECS, MOST_ENTRIES};

use crate::Timestamp;
use crate::machine::{Machine, Place, Reply, ReplyOf, Request};
use crate::news::ObjectEvent;
use serde::Serialize;
use sql::{number, pairs};

/// A machine and what is known of its stored form.
#[derive(Debug)]
pub struct Keeper<M> {
    name: String,
    fresh: M,
    machine: M,
    has_schema: bool,
    /// True while past rows are still stored among the open ones, as an earlier version did.
    is_moving: bool,
    has_news: bool,
    /// Number of the newest journal entry.
    newest: u64,
    /// Number of the last entry that the snapshot covers.
    folded_to: u64,
    /// Instant of the next step of [`Keeper::tidy`]; `None` means nothing will be due.
    tidy_at: Option<Timestamp>,
    /// Instant at which the last messages are sent again; `None` means never.
    tell_again_at: Option<Timestamp>,
}

impl<M: Machine> Keeper<M> {
    /// Reads the machine of the object `name`. `fresh` is its state before the first command.
    ///
    /// # Errors
    /// Fails if the database or a stored row can't be read.
    pub fn open(sql: &impl Sql, name: &str, fresh: M) -> Result<Self, KeeperError> {
        let standing = schema::standing(sql)?;
        let mut keeper = Self {
            name: name.to_owned(),
            machine: fresh.clone(),
            fresh,
            has_schema: standing.has_schema,
            is_moving: standing.is_moving,
            has_news: false,
            newest: 0,
            folded_to: 0,
            tidy_at: None,
            tell_again_at: None,
        };
        if keeper.has_schema {
            keeper.machine = keeper.fresh.clone().restore(&keeper.open_rows(sql)?)?;
            keeper.has_news = !sql.exec("SELECT 1 FROM outbox LIMIT 1", &[])?.is_empty();
            keeper.plan(sql)?;
            keeper.tell_again_at = schema::next_repeat_at(sql)?;
        }
        Ok(keeper)
    }

    /// Returns the machine in its current state.
    pub const fn machine(&self) -> &M {
        &self.machine
    }

    /// Returns the rows stored under `keys`, as the machine would store them.
    ///
    /// # Errors
    /// Fails if the database or a row can't be read.
    pub fn rows(
        &self,
        sql: &impl Sql,
        keys: &[String],
    ) -> Result<Vec<Option<String>>, KeeperError> {
        let past = self.past_rows(sql, keys)?;
        let of = |key: &String| {
            let looked_up = past.iter().rfind(|(known, _)| known == key);
            Ok(self
                .machine
                .row(key)?
                .or_else(|| looked_up.map(|(_, value)| value.clone())))
        };
        keys.iter().map(of).collect()
    }

    /// Returns true while messages wait to be sent.
    pub const fn has_news(&self) -> bool {
        self.has_news
    }

    /// Returns the next instant at which something expires or has to be tidied.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let others = self.tidy_at.into_iter().chain(self.tell_again_at);
        self.machine.wake_at().into_iter().chain(others).min()
    }

    /// Answers one request.
    ///
    /// 1. Whatever has expired is ended first, so that no command meets a hold whose time is up.
    /// 2. A known operation ID changes nothing more.
    /// 3. Decide, after loading the past rows that the command needs. A refusal leaves no trace.
    /// 4. Apply the events and store them with their rows and messages.
    ///
    /// # Errors
    /// [`KeeperError::OperationReused`]. Any other error means that the database has failed, and
    /// the caller must drop this keeper.
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
            return Ok(self.done());
        };
        let digest = M::digest(command)?;
        let keys = self.machine.asks_for(command);
        match self.look_up(sql, operation_id, &digest, &keys)? {
            Found::Answered(answer) => {
                let view = match answer {
                    Some(answer) => crate::json::read(&answer)?,
                    None => self.machine.view(),
                };
                let replayed = true;
                return Ok(Reply::Done { view, replayed });
            }
            Found::Past(rows) => self.recall(&rows)?,
        }
        let events = match self.machine.decide(command, now) {
            Ok(events) => events,
            Err(refusal) => {
                self.machine.let_go();
                return Ok(Reply::Refused { refusal });
            }
        };
        let operation = Operation {
            id: operation_id,
            digest: &digest,
            keeps_answer: M::keeps_answer(command),
        };
        self.record(sql, now, Some(operation), &events, &keys)?;
        Ok(self.done())
    }

    /// Records what has happened through the passing of time alone.
    ///
    /// # Errors
    /// Fails if the database fails. The caller must then drop this keeper.
    pub fn wake(&mut self, sql: &impl Sql, now: Timestamp) -> Result<(), KeeperError> {
        let events = self.machine.due(now);
        if events.is_empty() {
            return Ok(());
        }
        self.record(sql, now, None, &events, &[])
    }

    /// Returns the oldest messages not sent yet, each with its number.
    ///
    /// # Errors
    /// Fails if the database fails.
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

    /// Deletes messages up to and including number `seq`, once they have been sent.
    ///
    /// # Errors
    /// Fails if the database fails. The caller must then drop this keeper.
    pub fn heard(&mut self, sql: &impl Sql, seq: i64) -> Result<(), KeeperError> {
        sql.exec(
            "DELETE FROM outbox WHERE seq <= ?",
            &[Parameter::Integer(seq)],
        )?;
        self.has_news = !sql.exec("SELECT 1 FROM outbox LIMIT 1", &[])?.is_empty();
        Ok(())
    }

    fn record(
        &mut self,
        sql: &impl Sql,
        now: Timestamp,
        operation: Option<Operation<'_>>,
        events: &[M::Event],
        in_hand: &[String],
    ) -> Result<(), KeeperError> {
        let mut missing: Vec<String> = events.iter().filter_map(M::builds_on).collect();
        missing.retain(|key| !in_hand.contains(key));
        self.recall(&self.past_rows(sql, &missing)?)?;
        let before = self.machine.view();
        for event in events {
            self.machine.apply(event, now);
        }
        let keeps_answer = operation.as_ref().is_some_and(|it| it.keeps_answer);
        let answer = keeps_answer
            .then(|| serde_json::to_string(&self.machine.view()))
            .transpose()?;
        let entry = NewEntry {
            operation,
            events,
            answer,
            keys: keys_of::<M>(events),
            news: self.machine.news(&self.name, &before, events),
        };
        self.write(sql, now, entry)?;
        self.machine.let_go();
        Ok(())
    }

    fn write(
        &mut self,
        sql: &impl Sql,
        now: Timestamp,
        entry: NewEntry<'_, M::Event>,
    ) -> Result<(), KeeperError> {
        if !self.has_schema {
            schema::create(sql)?;
            self.has_schema = true;
        }
        let (open_rows, past_rows) = self.rows_under(entry.keys, now)?;
        let again_at = self.first_repeat_of(&entry.news, now);
        let (operation_id, digest) = entry.operation.map(|it| (it.id, it.digest)).unzip();
        sql.exec(
            "INSERT INTO written (at, operation_id, digest, events, answer, open_rows, past_rows, news, again_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            &[
                Parameter::Integer(now.as_millis()),
                operation_id.map_or(Parameter::Null, Parameter::Text),
                digest.map_or(Parameter::Null, Parameter::Text),
                Parameter::Text(&serde_json::to_string(entry.events)?),
                entry.answer.as_deref().map_or(Parameter::Null, Parameter::Text),
                Parameter::Text(&open_rows),
                Parameter::Text(&past_rows),
                Parameter::Text(&serde_json::to_string(&entry.news)?),
                again_at.map_or(Parameter::Null, |at| Parameter::Integer(at.as_millis())),
            ],
        )?;
        self.has_news |= !entry.news.is_empty();
        self.tell_again_at = again_at.or(self.tell_again_at);
        self.entry_was_written(now);
        Ok(())
    }

    /// Returns the rows under `keys` as two JSON objects: open rows, with `null` for those that are
    /// gone or past, and past rows, with the instant at which they may be deleted.
    fn rows_under(
        &mut self,
        keys: Vec<String>,
        now: Timestamp,
    ) -> Result<(String, String), KeeperError> {
        let mut open_rows = vec![];
        let mut past_rows = vec![];
        for key in keys {
            let row = self.machine.row(&key)?;
            let value = row.as_deref().unwrap_or("null");
            let name = serde_json::to_string(&key)?;
            match self.machine.place(&key) {
                Place::Open => open_rows.push(format!("{name}:{value}")),
                Place::Past { forget_at } => {
                    let forget_at = forget_at.map(|at| at.max(now));
                    let end = serde_json::to_string(&forget_at)?;
                    past_rows.push(format!("{name}:[{end},{value}]"));
                    open_rows.push(format!("{name}:null"));
                    self.will_be_forgotten(forget_at);
                }
            }
        }
        let object = |rows: Vec<String>| format!("{{{}}}", rows.join(","));
        Ok((object(open_rows), object(past_rows)))
    }

    fn recall(&mut self, rows: &[(String, String)]) -> Result<(), KeeperError> {
        for (key, value) in rows {
            self.machine.recall(key, value)?;
        }
        Ok(())
    }

    fn open_rows(&self, sql: &impl Sql) -> Result<Vec<(String, String)>, KeeperError> {
        let rows = if self.is_moving {
            let past = past_among_open::<M>();
            sql.exec(
                &format!("SELECT key, value FROM state WHERE NOT ({past})"),
                &[],
            )?
        } else {
            sql.exec("SELECT key, value FROM state", &[])?
        };
        pairs(rows, "state")
    }

    /// Returns the past rows under `keys`. If a row is stored twice, the newer one comes last.
    fn past_rows(
        &self,
        sql: &impl Sql,
        keys: &[String],
    ) -> Result<Vec<(String, String)>, KeeperError> {
        if keys.is_empty() || !self.has_schema {
            return Ok(vec![]);
        }
        let keys = serde_json::to_string(keys)?;
        let rows = sql.exec(
            if self.is_moving {
                "SELECT key, value FROM state WHERE key IN (SELECT value FROM json_each(?1))
                 UNION ALL SELECT key, value FROM past WHERE key IN (SELECT value FROM json_each(?1))"
            } else {
                "SELECT key, value FROM past WHERE key IN (SELECT value FROM json_each(?1))"
            },
            &[Parameter::Text(&keys)],
        )?;
        pairs(rows, "past")
    }

    /// Looks up the operation and the past rows that it needs.
    fn look_up(
        &self,
        sql: &impl Sql,
        operation_id: &str,
        digest: &str,
        keys: &[String],
    ) -> Result<Found, KeeperError> {
        if !self.has_schema {
            return Ok(Found::Past(vec![]));
        }
        if keys.is_empty() || self.is_moving {
            let known = sql.exec(
                "SELECT NULL, digest, answer FROM journal WHERE operation_id = ?",
                &[Parameter::Text(operation_id)],
            )?;
            return match found(known, digest)? {
                Found::Past(_) => Ok(Found::Past(self.past_rows(sql, keys)?)),
                answered => Ok(answered),
            };
        }
        let keys = serde_json::to_string(keys)?;
        let known = sql.exec(
            "SELECT NULL, digest, answer FROM journal WHERE operation_id = ?
             UNION ALL SELECT key, value, NULL FROM past WHERE key IN (SELECT value FROM json_each(?))",
            &[Parameter::Text(operation_id), Parameter::Text(&keys)],
        )?;
        found(known, digest)
    }

    fn done(&self) -> ReplyOf<M> {
        Reply::Done {
            view: self.machine.view(),
            replayed: false,
        }
    }
}

/// An operation as its journal entry identifies it.
struct Operation<'a> {
    id: &'a str,
    digest: &'a str,
    keeps_answer: bool,
}

/// A journal entry about to be written, with its rows and messages.
struct NewEntry<'a, E: Serialize> {
    operation: Option<Operation<'a>>,
    events: &'a [E],
    answer: Option<String>,
    /// Keys of the rows to write.
    keys: Vec<String>,
    news: Vec<ObjectEvent>,
}

/// Knowledge of an operation before it is carried out.
enum Found {
    /// Carried out before; `None` means that the view of that time was not kept.
    Answered(Option<String>),
    /// Not carried out yet; the past rows that it needs.
    Past(Vec<(String, String)>),
}

/// Splits the rows of the query into those of the journal (which have no key) and past rows.
fn found(rows: Vec<Row>, digest: &str) -> Result<Found, KeeperError> {
    let mut past = vec![];
    for row in rows {
        match <[Option<String>; 3]>::try_from(row) {
            Ok([None, Some(known), _]) if known != digest => {
                return Err(KeeperError::OperationReused);
            }
            Ok([None, Some(_), answer]) => return Ok(Found::Answered(answer)),
            Ok([Some(key), Some(value), _]) => past.push((key, value)),
            _ => return Err(KeeperError::Shape("journal or past")),
        }
    }
    Ok(Found::Past(past))
}

/// Returns the SQL condition that selects past rows in `state`; false for a machine that never
/// stored any there.
fn past_among_open<M: Machine>() -> String {
    let patterns = M::PAST_AMONG_OPEN.iter();
    let conditions =
        patterns.map(|(key, value)| format!("(key GLOB '{key}' AND value GLOB '{value}')"));
    let conditions: Vec<String> = conditions.collect();
    match conditions.len() {
        0 => "false".to_owned(),
        _ => conditions.join(" OR "),
    }
}

fn keys_of<M: Machine>(events: &[M::Event]) -> Vec<String> {
    let mut keys: Vec<String> = events.iter().flat_map(M::touched).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
