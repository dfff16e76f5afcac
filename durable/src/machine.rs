//! The interface of every machine: a pure judge ([`Machine::decide`]) and a pure recorder
//! ([`Machine::apply`]).
//!
//! A machine has no clock, no entropy and no I/O, so that any run can be replayed. Its state is
//! stored as small rows with keys: a command rewrites only the rows that its events touch, however
//! long the history and however many holds are open.
//!
//! Each row has a [`Place`]. Open rows are in memory while the object is awake. Past rows, which
//! have ended or count forever, are looked up by key for the command that needs them
//! ([`Machine::asks_for`]) and then dropped from memory again ([`Machine::let_go`]). Memory use and
//! waking time therefore depend on what is open, not on the history.

use crate::Timestamp;
use crate::news::ObjectEvent;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Place of a stored row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory as long as the object is awake.
    Open,
    /// Looked up by its key when a command needs it.
    Past {
        /// Instant from which it may be deleted; `None` means never.
        forget_at: Option<Timestamp>,
    },
}

/// A state machine whose state must be right after a crash. A fresh one is configured but has
/// received no command.
pub trait Machine: Clone + PartialEq {
    /// Request to change something, in the imperative.
    type Command: Serialize + DeserializeOwned;
    /// Fact in the past tense; the only thing that changes the state.
    type Event: Serialize + DeserializeOwned;
    /// Reason why a command was not carried out; an answer, not an error.
    type Refusal: Serialize + DeserializeOwned;
    /// State as shown to callers.
    type View: Serialize + DeserializeOwned;

    /// Patterns (`GLOB`) of key and value of the past rows that an earlier version stored among the
    /// open ones.
    const PAST_AMONG_OPEN: &'static [(&'static str, &'static str)] = &[];

    /// Decides `command` at `now` and returns the events that carry it out; none when there is
    /// nothing left to do. The past rows that the command needs have been loaded.
    ///
    /// # Errors
    /// The refusal, when the state does not allow the command. Nothing has changed then.
    fn decide(
        &self,
        command: &Self::Command,
        now: Timestamp,
    ) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// Applies `event`, which was recorded at `at`. Never judges: a recorded event has happened.
    fn apply(&mut self, event: &Self::Event, at: Timestamp);

    /// Returns the events that are due by `now` through the passing of time alone. Bounded, so that
    /// a burst is spread over several alarms.
    fn due(&self, now: Timestamp) -> Vec<Self::Event>;

    /// Returns the instant at which [`Machine::due`] next returns an event.
    fn wake_at(&self) -> Option<Timestamp>;

    /// Returns the state as shown to callers.
    fn view(&self) -> Self::View;

    /// Returns the events that the rest of the shop must receive after `events` have changed the
    /// state from `before`. `name` is that of the object.
    fn news(&self, name: &str, before: &Self::View, events: &[Self::Event]) -> Vec<ObjectEvent>;

    /// Returns an event about a lasting fact, which is sent again some time after the change in
    /// case it was lost on the way; `None` means there is none.
    fn standing_news(&self, _name: &str) -> Option<ObjectEvent> {
        None
    }

    /// Returns true when nothing worth keeping is left.
    fn is_over(&self) -> bool {
        false
    }

    /// Returns a digest of the intent of `command`, which tells a repeat from a different command
    /// under the same operation ID.
    ///
    /// # Errors
    /// Fails if the command can't be written as JSON.
    fn digest(command: &Self::Command) -> Result<String, serde_json::Error> {
        digest_of(command)
    }

    /// Returns true when a repeat of `command` must be answered with the view of the first time;
    /// otherwise it is answered with the current one.
    fn keeps_answer(_command: &Self::Command) -> bool {
        false
    }

    /// Returns the keys of the past rows that deciding `command` needs.
    fn asks_for(&self, _command: &Self::Command) -> Vec<String> {
        vec![]
    }

    /// Returns the key of the past row that `event` updates on the basis of its last value.
    fn builds_on(_event: &Self::Event) -> Option<String> {
        None
    }

    /// Loads the stored row under `key` into memory, whatever its place.
    ///
    /// # Errors
    /// Fails if the row is not one that [`Machine::row`] writes.
    fn recall(&mut self, key: &str, value: &str) -> Result<(), serde_json::Error>;

    /// Drops the past rows from memory.
    fn let_go(&mut self) {}

    /// Returns the place of the row under `key` in the current state.
    fn place(&self, _key: &str) -> Place {
        Place::Open
    }

    /// Returns the keys of the stored rows that `event` may have changed.
    fn touched(event: &Self::Event) -> Vec<String>;

    /// Returns the keys of all rows in memory.
    fn keys(&self) -> Vec<String>;

    /// Returns the row to store under `key`, as JSON; `None` means there is no such row, or no
    /// longer.
    ///
    /// # Errors
    /// Fails if the row can't be written as JSON.
    fn row(&self, key: &str) -> Result<Option<String>, serde_json::Error>;

    /// Restores this fresh machine from the stored `rows`; without rows it stays fresh.
    ///
    /// # Errors
    /// Fails if a row is not one that [`Machine::row`] writes.
    fn restore(mut self, rows: &[(String, String)]) -> Result<Self, serde_json::Error> {
        for (key, value) in rows {
            self.recall(key, value)?;
        }
        Ok(self)
    }
}

/// Returns a short digest of the JSON of `value` (FNV-1a). Not cryptographic: callers only compare
/// it with what they themselves sent under the same ID.
///
/// # Errors
/// Fails if the value can't be written as JSON.
pub fn digest_of(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let json = serde_json::to_vec(value)?;
    Ok(format!("{:016x}", fnv1a(&json)))
}

/// Returns the 64-bit FNV-1a hash.
#[must_use]
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Request to an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request<C> {
    /// Returns the view and changes nothing.
    View,
    /// Carries out `command` once per `operation_id`; a repeat changes nothing.
    Do {
        /// Identifies the intent (order, attempt, step, SKU), so that a new attempt never gets the
        /// answer of an earlier one.
        operation_id: String,
        /// The command.
        command: C,
    },
}

/// Request of staff to inspect an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inspection {
    /// Returns the journal, newest entry first.
    Log {
        /// Limits the result to entries before this number.
        before: Option<u64>,
        /// Maximum number of entries.
        limit: u32,
    },
    /// Compares what is stored with what the journal yields.
    Check,
    /// Stores what the journal yields.
    Repair,
    /// Returns what is stored under each of these keys.
    Rows {
        /// Keys, in the order of the answer.
        keys: Vec<String>,
    },
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<E> {
    /// Number of the entry; sequential.
    pub seq: u64,
    /// Instant at which it was written.
    pub at: Timestamp,
    /// ID of the operation that caused it; `None` means it happened through the passing of time.
    pub operation_id: Option<String>,
    /// Events, in order.
    pub events: Vec<E>,
}

/// Result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkup<V> {
    /// True when what is stored is what the journal yields.
    pub consistent: bool,
    /// Number of rows that differ.
    pub wrong_rows: usize,
    /// View of what is stored.
    pub stored: V,
    /// View of what the journal yields.
    pub folded: V,
}

/// Reply of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply<V, R> {
    /// Carried out, now or by an earlier request with the same operation ID.
    Done {
        /// State right after the command. A repeat returns the current state, unless
        /// [`Machine::keeps_answer`] is true.
        view: V,
        /// True when an earlier request with this operation ID carried it out.
        replayed: bool,
    },
    /// Refused. Nothing has changed, and the operation ID can be used again.
    Refused {
        /// The reason.
        refusal: R,
    },
}

/// Reply of machine `M`.
pub type ReplyOf<M> = Reply<<M as Machine>::View, <M as Machine>::Refusal>;
