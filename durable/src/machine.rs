//! What every machine is: a pure judge ([`Machine::decide`]) and a pure recorder ([`Machine::apply`]).
//!
//! A machine has no clock, no entropy and no I/O, so that any run can be replayed. Its state is written down as small keyed
//! rows: a command rewrites only the rows its events touched, whatever the history or the number of open holds.

use crate::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A state machine whose state must be right after a crash.
pub trait Machine: Default {
    /// What it is asked to do, in the imperative.
    type Command: Serialize + DeserializeOwned;
    /// What has happened, in the past tense; the only thing that changes the state.
    type Event: Serialize + DeserializeOwned;
    /// Why a command was not carried out; an answer, not an error.
    type Refusal: Serialize + DeserializeOwned;
    /// What a caller is told of the state.
    type View: Serialize + DeserializeOwned;

    /// Judges `command` at `now`: the events that carry it out, none when it is already so.
    ///
    /// # Errors
    /// The refusal, when the state does not allow the command. Nothing has changed then.
    fn decide(
        &self,
        command: &Self::Command,
        now: Timestamp,
    ) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// Records `event`. Never judges: an event that was written down has happened.
    fn apply(&mut self, event: &Self::Event);

    /// What time alone has brought about by `now`; bounded, so that a burst is spread over several wakes.
    fn due(&self, now: Timestamp) -> Vec<Self::Event>;

    /// When [`Machine::due`] next has something to say.
    fn wake_at(&self) -> Option<Timestamp>;

    /// What a caller may know.
    fn view(&self) -> Self::View;

    /// Keys of the stored rows that `event` may have changed.
    fn touched(event: &Self::Event) -> Vec<String>;

    /// The stored row under `key`, as JSON; `None` when there is none (any more).
    ///
    /// # Errors
    /// When the row can't be written as JSON.
    fn row(&self, key: &str) -> Result<Option<String>, serde_json::Error>;

    /// The machine whose stored rows are `rows`; no rows are the machine that never met a command.
    ///
    /// # Errors
    /// When a row is not what [`Machine::row`] writes.
    fn restore(rows: &[(String, String)]) -> Result<Self, serde_json::Error>;
}

/// What a caller sends to an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request<C> {
    /// Look, change nothing.
    View,
    /// Carry out `command`, once per `operation_id`: a repeat is answered with the first answer.
    Do {
        /// Names the intent (order, attempt, step, SKU), so that a new attempt never gets an old one's answer.
        operation_id: String,
        /// What to do.
        command: C,
    },
}

/// What an object answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply<V, R> {
    /// Done, now or by an earlier request with the same operation id.
    Done {
        /// The state right after the command.
        view: V,
        /// True when this repeats the first answer.
        replayed: bool,
    },
    /// Refused; nothing has changed, and the operation id is free to try again.
    Refused {
        /// Why.
        refusal: R,
    },
}

/// The reply that machine `M` gives.
pub type ReplyOf<M> = Reply<<M as Machine>::View, <M as Machine>::Refusal>;
