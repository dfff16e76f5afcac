//! Messages that failed permanently. They are stored with their errors until staff replay them, or
//! discard them with a written reason.

use crate::codes::Code;
use crate::error::{Error, Result};
use crate::values::written::Written;
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Maximum number of letters replayed by one request.
pub const MAX_REPLAYS: u32 = 500;

/// Maximum length of a reason in characters.
pub const MAX_REASON_CHARS: usize = 500;

/// A message that failed permanently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Id, `dl_…`.
    pub id: String,
    /// Dead-letter queue that delivered it.
    pub queue: String,
    /// Body of the message.
    pub body: String,
    /// Number of attempts.
    pub attempts: u32,
    /// Error of the last attempt.
    pub last_error: Option<String>,
    /// Time at which it was given up.
    pub buried_at: Timestamp,
    /// State of the letter.
    pub status: LetterStatus,
    /// Time at which staff dealt with it. `None` means not yet.
    pub resolved_at: Option<Timestamp>,
    /// Action taken by staff. `None` means none yet.
    pub resolution: Option<Resolution>,
}

/// State of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LetterStatus {
    /// Waiting for staff.
    Dead,
    /// Replayed; if that fails, it returns as another dead letter.
    Replayed,
    /// Discarded.
    Discarded,
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Time of the attempt.
    pub at: Timestamp,
    /// Error message.
    pub error: String,
}

/// Action by staff on a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// New state of the letter.
    pub status: LetterStatus,
    /// Member of staff who acts.
    pub actor: String,
    /// Reason; required to discard a letter.
    pub reason: Option<String>,
}

/// Replays a letter's message. The letter is marked first. If the queue then refuses the message,
/// the sweep still finds an event, because it is due again, and any other letter is marked dead
/// again.
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

/// Replays every dead letter, and returns their number.
///
/// # Errors
/// Fails if a queue refuses a message; those before it have been sent.
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

/// Discards a letter.
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

/// Returns the trimmed reason given by a person for an action.
///
/// # Errors
/// 422 if it is empty or too long.
pub fn checked_reason(reason: &str) -> Result<String> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS {
        let detail = format!("Must be 1 to {MAX_REASON_CHARS} characters long.");
        return Err(Error::invalid("reason", Code::InvalidReason, detail));
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
        Code::AlreadyResolved,
        "This message was already replayed or discarded.",
        json!({"dead_letter_status": letter.status}),
    ))
}

/// Returns the queue that a dead-letter queue belongs to.
fn origin(queue: &str) -> &str {
    queue.strip_suffix(DEAD_SUFFIX).unwrap_or(queue)
}

/// Returns the dead-letter queue of a queue; for a dead-letter queue, returns the queue itself.
#[must_use]
pub fn dead_queue(queue: &str) -> String {
    format!("{}{DEAD_SUFFIX}", origin(queue))
}

/// Suffix of the names of dead-letter queues.
pub const DEAD_SUFFIX: &str = "-dead";

/// Store of failed attempts and dead letters.
pub trait DeadLetters {
    /// Records a failed attempt at a message, and returns the number of failures.
    async fn failed(&self, message: &str, error: &str, now: Timestamp) -> Result<u32>;
    /// Stores a message that failed permanently.
    async fn bury(&self, queue: &str, message_id: &str, body: &str, now: Timestamp) -> Result<()>;
    /// Returns the ids of letters waiting for staff, oldest first.
    async fn dead(&self, limit: u32) -> Result<Vec<String>>;
    /// Returns letters, newest first, starting after the letter with the id `after`.
    async fn letters(
        &self,
        status: LetterStatus,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>>;
    /// Counts the letters with this status.
    async fn count(&self, status: LetterStatus) -> Result<u32>;
    /// Returns one letter.
    async fn letter(&self, id: &str) -> Result<Option<DeadLetter>>;
    /// Returns the last failures of a message, oldest first.
    async fn history(&self, message: &str) -> Result<Vec<Failure>>;
    /// Records an action by staff. `Lost` means that the letter was dealt with before.
    async fn resolve(&self, id: &str, resolution: &Resolution, now: Timestamp) -> Result<Written>;
    /// Undoes a replay whose queue refused the message.
    async fn revive(&self, id: &str) -> Result<()>;
}

/// The shop's queues, by name.
pub trait MessageQueues {
    /// Sends a message to a queue.
    async fn send(&self, queue: &str, body: &str) -> Result<()> {
        self.send_later(queue, body, 0).await
    }
    /// Sends a message to a queue, which delivers it after a delay.
    async fn send_later(&self, queue: &str, body: &str, delay_secs: u32) -> Result<()>;
    /// Sends up to a hundred messages to a queue.
    async fn send_all(&self, queue: &str, bodies: &[String]) -> Result<()>;
}
