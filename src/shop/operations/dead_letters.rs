//! Messages that failed for good: kept with every error, until staff sends them once more or lets
//! them go, for a reason that is written down.

use crate::error::{Error, Result};
use crate::values::written::Written;
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Most letters that one request replays.
pub const MAX_REPLAYS: u32 = 500;

/// Most characters of a reason.
pub const MAX_REASON_CHARS: usize = 500;

/// A message that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// `dl_…`
    pub id: String,
    /// The dead-letter queue that it came by.
    pub queue: String,
    /// The message.
    pub body: String,
    /// Number of attempts.
    pub attempts: u32,
    /// Reason why the last attempt failed.
    pub last_error: Option<String>,
    /// Instant at which it was given up.
    pub buried_at: Timestamp,
    /// State of the letter.
    pub status: LetterStatus,
    /// Instant at which staff dealt with it.
    pub resolved_at: Option<Timestamp>,
    /// Action that staff took.
    pub resolution: Option<Resolution>,
}

/// State of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LetterStatus {
    /// It waits for staff.
    Dead,
    /// It was sent once more; should that fail, it comes back as another.
    Replayed,
    /// It was let go.
    Discarded,
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Instant of the action.
    pub at: Timestamp,
    /// The reason.
    pub error: String,
}

/// Action of staff on a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// State that the letter takes.
    pub status: LetterStatus,
    /// Member of staff who acts.
    pub actor: String,
    /// The reason.
    pub reason: Option<String>,
}

/// Sends a letter's message once more. It is marked first: should the queue refuse, an event is
/// still found by the sweep, since it is due again, and any other letter is marked dead again.
///
/// # Errors
/// 404; 409 `already_resolved`.
pub async fn replay_dead_letter(
    letters: &impl DeadLetters,
    queues: &impl MessageQueues,
    id: &str,
    actor: &str,
    now: Timestamp,
) -> Result<DeadLetter> {
    let replay = Resolution {
        status: LetterStatus::Replayed,
        actor: actor.to_owned(),
        reason: None,
    };
    let letter = resolve(letters, id, &replay, now).await?;
    if let Err(error) = queues.send(origin(&letter.queue), &letter.body).await {
        letters.revive(id).await?;
        return Err(error);
    }
    Ok(letter)
}

/// Sends every dead letter once more, and counts them.
///
/// # Errors
/// When a queue refuses; those before it are sent.
pub async fn replay_dead_letters(
    letters: &impl DeadLetters,
    queues: &impl MessageQueues,
    actor: &str,
    now: Timestamp,
) -> Result<u32> {
    let mut replayed: u32 = 0;
    for letter in letters.dead(MAX_REPLAYS).await? {
        match replay_dead_letter(letters, queues, &letter, actor, now).await {
            Ok(_) => replayed = replayed.saturating_add(1),
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(replayed)
}

/// Lets a letter go.
///
/// # Errors
/// 404; 409 `already_resolved`; 422 without a reason.
pub async fn discard_dead_letter(
    letters: &impl DeadLetters,
    id: &str,
    actor: &str,
    reason: &str,
    now: Timestamp,
) -> Result<DeadLetter> {
    let discard = Resolution {
        status: LetterStatus::Discarded,
        actor: actor.to_owned(),
        reason: Some(checked_reason(reason)?),
    };
    resolve(letters, id, &discard, now).await
}

/// A person's reason for what they do.
///
/// # Errors
/// 422 when it is empty or too long.
pub fn checked_reason(reason: &str) -> Result<String> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS {
        let detail = format!("1 to {MAX_REASON_CHARS} characters.");
        return Err(Error::invalid("reason", "invalid_reason", detail));
    }
    Ok(reason.to_owned())
}

async fn resolve(
    letters: &impl DeadLetters,
    id: &str,
    resolution: &Resolution,
    now: Timestamp,
) -> Result<DeadLetter> {
    let written = letters.resolve(id, resolution, now).await?;
    let letter = letters
        .letter(id)
        .await?
        .ok_or(Error::NotFound("dead letter"))?;
    if written == Written::Landed(()) {
        return Ok(letter);
    }
    Err(Error::conflict(
        "already_resolved",
        "This letter was dealt with before.",
        json!({"dead_letter_status": letter.status}),
    ))
}

/// The queue that a dead-letter queue stands behind.
fn origin(queue: &str) -> &str {
    queue.strip_suffix(DEAD_SUFFIX).unwrap_or(queue)
}

/// The dead-letter queue of a queue; one that is such a queue is its own.
#[must_use]
pub fn dead_queue(queue: &str) -> String {
    format!("{}{DEAD_SUFFIX}", origin(queue))
}

/// End of the name of a dead-letter queue.
pub const DEAD_SUFFIX: &str = "-dead";

/// Messages that failed, once or for good.
pub trait DeadLetters {
    /// Notes that an attempt at a message failed, and returns how many have.
    async fn failed(&self, message: &str, error: &str, now: Timestamp) -> Result<u32>;
    /// Keeps a message that failed for good.
    async fn bury(&self, queue: &str, message_id: &str, body: &str, now: Timestamp) -> Result<()>;
    /// The ids of letters that wait for staff, oldest first.
    async fn dead(&self, limit: u32) -> Result<Vec<String>>;
    /// Letters, newest first, from the one after a letter's id on.
    async fn letters(
        &self,
        status: LetterStatus,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>>;
    /// Counts the letters.
    async fn count(&self, status: LetterStatus) -> Result<u32>;
    /// One letter.
    async fn letter(&self, id: &str) -> Result<Option<DeadLetter>>;
    /// The last failures of a message, oldest first.
    async fn history(&self, message: &str) -> Result<Vec<Failure>>;
    /// Notes what staff does with a letter; lost when it was dealt with before.
    async fn resolve(&self, id: &str, resolution: &Resolution, now: Timestamp) -> Result<Written>;
    /// Takes a replay back whose queue refused.
    async fn revive(&self, id: &str) -> Result<()>;
}

/// The shop's queues, by name.
pub trait MessageQueues {
    /// Puts a message into a queue.
    async fn send(&self, queue: &str, body: &str) -> Result<()> {
        self.send_later(queue, body, 0).await
    }
    /// Puts a message into a queue, which hands it out after a delay.
    async fn send_later(&self, queue: &str, body: &str, delay_secs: u32) -> Result<()>;
    /// Puts messages into a queue, at most a hundred.
    async fn send_all(&self, queue: &str, bodies: &[String]) -> Result<()>;
}
