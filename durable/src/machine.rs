//! What every machine is: a pure judge ([`Machine::decide`]) and a pure recorder
//! ([`Machine::apply`]).
//!
//! A machine has no clock, no entropy and no I/O, so that any run can be replayed. Its state is
//! written down as small keyed rows: a command rewrites only the rows its events touched, whatever
//! the history or the number of open holds.
//!
//! Rows have a [`Place`]. What is open is in memory while the object is awake. What has ended, and
//! what is counted for ever, is past: its keeper looks it up by key for the command that asks for
//! it ([`Machine::asks_for`]), and takes it out of memory again ([`Machine::let_go`]). So memory
//! and waking are as large as what is open, whatever the history.

use crate::Timestamp;
use crate::news::ObjectEvent;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Place of a stored row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory as long as the object is awake.
    Open,
    /// Looked up by its key when a command asks for it.
    Past {
        /// Instant from which it may go; `None` means never.
        forget_at: Option<Timestamp>,
    },
}

/// A state machine whose state must be right after a crash. A fresh one is configured but has met
/// no command.
pub trait Machine: Clone + PartialEq {
    /// What it is asked to do, in the imperative.
    type Command: Serialize + DeserializeOwned;
    /// What has happened, in the past tense; the only thing that changes the state.
    type Event: Serialize + DeserializeOwned;
    /// Why a command was not carried out; an answer, not an error.
    type Refusal: Serialize + DeserializeOwned;
    /// What a caller is told of the state.
    type View: Serialize + DeserializeOwned;

    /// Patterns (`GLOB`) of key and value of the past rows that an earlier version kept among the
    /// open ones.
    const PAST_AMONG_OPEN: &'static [(&'static str, &'static str)] = &[];

    /// Judges `command` at `now`: the events that carry it out, none when it is already so. Past
    /// rows that it asks for are in hand.
    ///
    /// # Errors
    /// The refusal, when the state does not allow the command. Nothing has changed then.
    fn decide(
        &self,
        command: &Self::Command,
        now: Timestamp,
    ) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// Records `event`, written down at `at`. Never judges: an event that was written down has
    /// happened.
    fn apply(&mut self, event: &Self::Event, at: Timestamp);

    /// What time alone has brought about by `now`; bounded, so that a burst is spread over several
    /// wakes.
    fn due(&self, now: Timestamp) -> Vec<Self::Event>;

    /// When [`Machine::due`] next has something to say.
    fn wake_at(&self) -> Option<Timestamp>;

    /// What a caller may know.
    fn view(&self) -> Self::View;

    /// What the rest of the shop must hear, now that `events` have changed what was `before`.
    /// `name` is the object's own.
    fn news(&self, name: &str, before: &Self::View, events: &[Self::Event]) -> Vec<ObjectEvent>;

    /// News that stay true, to be told again some time after their change, in case they were lost
    /// on the way; `None` means none.
    fn standing_news(&self, _name: &str) -> Option<ObjectEvent> {
        None
    }

    /// True when nothing is left that is worth keeping.
    fn is_over(&self) -> bool {
        false
    }

    /// Names the intent of `command`, to tell a repeat from another command under the same
    /// operation id.
    ///
    /// # Errors
    /// When the command can't be written as JSON.
    fn digest(command: &Self::Command) -> Result<String, serde_json::Error> {
        digest_of(command)
    }

    /// True when a repeat of `command` needs the view of then; else it is answered with the present
    /// one.
    fn keeps_answer(_command: &Self::Command) -> bool {
        false
    }

    /// Keys of the past rows that judging `command` needs.
    fn asks_for(&self, _command: &Self::Command) -> Vec<String> {
        vec![]
    }

    /// Key of the past row whose next value `event` makes from its last one.
    fn builds_on(_event: &Self::Event) -> Option<String> {
        None
    }

    /// Takes the stored row under `key` in hand, whatever its place.
    ///
    /// # Errors
    /// When the row is not what [`Machine::row`] writes.
    fn recall(&mut self, key: &str, value: &str) -> Result<(), serde_json::Error>;

    /// Drops the past rows in hand.
    fn let_go(&mut self) {}

    /// The place of the row under `key`, as the machine now has it in hand.
    fn place(&self, _key: &str) -> Place {
        Place::Open
    }

    /// Keys of the stored rows that `event` may have changed.
    fn touched(event: &Self::Event) -> Vec<String>;

    /// Keys of all rows in hand.
    fn keys(&self) -> Vec<String>;

    /// The stored row under `key`, as JSON; `None` when there is none (any more).
    ///
    /// # Errors
    /// When the row can't be written as JSON.
    fn row(&self, key: &str) -> Result<Option<String>, serde_json::Error>;

    /// This fresh machine with the stored `rows`; no rows leave it fresh.
    ///
    /// # Errors
    /// When a row is not what [`Machine::row`] writes.
    fn restore(mut self, rows: &[(String, String)]) -> Result<Self, serde_json::Error> {
        for (key, value) in rows {
            self.recall(key, value)?;
        }
        Ok(self)
    }
}

/// A short name for the JSON of `value` (FNV-1a): callers only ever compare with what they sent
/// under the same id themselves.
///
/// # Errors
/// When the value can't be written as JSON.
pub fn digest_of(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let json = serde_json::to_vec(value)?;
    Ok(format!("{:016x}", fnv1a(&json)))
}

/// The 64-bit FNV-1a hash.
#[must_use]
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What a caller sends to an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request<C> {
    /// Look, change nothing.
    View,
    /// Carry out `command`, once per `operation_id`: a repeat changes nothing.
    Do {
        /// Names the intent (order, attempt, step, SKU), so that a new attempt never gets an old
        /// one's answer.
        operation_id: String,
        /// The command.
        command: C,
    },
}

/// What staff ask of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inspection {
    /// The journal, newest entry first.
    Log {
        /// Only entries before this one.
        before: Option<u64>,
        /// Most entries.
        limit: u32,
    },
    /// Does the journal tell what is stored?
    Check,
    /// Store what the journal tells.
    Repair,
    /// What stands under each of these keys.
    Rows {
        /// In order.
        keys: Vec<String>,
    },
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<E> {
    /// Counts the entries.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The operation that asked for it; none for what time alone has done.
    pub operation_id: Option<String>,
    /// What happened.
    pub events: Vec<E>,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkup<V> {
    /// Whether what is stored is what the journal tells.
    pub consistent: bool,
    /// Rows that differ.
    pub wrong_rows: usize,
    /// What the stored rows tell.
    pub stored: V,
    /// What the journal tells.
    pub folded: V,
}

/// What an object answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply<V, R> {
    /// Done, now or by an earlier request with the same operation id.
    Done {
        /// The state right after the command; of a repeat, the state now, unless
        /// [`Machine::keeps_answer`].
        view: V,
        /// True when an earlier request with this operation id has done it.
        replayed: bool,
    },
    /// Refused; nothing has changed, and the operation id is free to try again.
    Refused {
        /// The reason.
        refusal: R,
    },
}

/// The reply that machine `M` gives.
pub type ReplyOf<M> = Reply<<M as Machine>::View, <M as Machine>::Refusal>;
