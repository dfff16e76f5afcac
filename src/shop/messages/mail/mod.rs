//! Emails about an order, and the rules by which each is sent once.
//!
//! An email is done when it was sent, not when it was queued. Its row is written together with the
//! completion of its task. A sweep queues every email again that was not sent in time, so a lost
//! queue message delays an email but does not lose it. Before the provider is called, an email is
//! claimed by its row, unique per order, kind and subject; the row's id is the provider's
//! idempotency key. A sender that dies leaves a claim that lapses, and the next attempt uses the
//! same key. An email is thus sent exactly once if the provider supports such keys, and otherwise
//! at least once.
//!
//! Providers remember keys for a day. An email whose last attempt is older and may have succeeded
//! is not sent again blindly: it is given up, as is one whose address the provider rejects, and
//! staff are notified.

pub mod compose;
#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use crate::messages::email::{EmailJob, LinkRequest, Message};
use crate::messages::letterhead::Letterhead;
use crate::messages::mail::compose::compose;
use crate::orders::links::OrderLinks;
use crate::orders::record::Orders;
use durable::Timestamp;
use std::fmt;

/// Prefix of the name of the queue of outgoing email, in every environment.
pub const OUTGOING_QUEUE: &str = "outgoing";

/// Seconds after which a claim belongs to a sender that died.
pub const CLAIM_SECS: u32 = 60;

/// Seconds after an attempt, or after the message was queued, until the sweep queues an unsent
/// email again.
pub const SENT_WITHIN_SECS: u32 = 15 * 60;

/// Seconds for which a provider certainly remembers an idempotency key; Resend keeps them for 24
/// hours.
pub const KEY_KEPT_SECS: u32 = 23 * 60 * 60;

/// Maximum number of emails queued again by one sweep.
const QUEUED_AGAIN_AT_ONCE: u32 = 100;

/// Outcome of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The caller is to send the email.
    Yours,
    /// Another sender has claimed it.
    Taken,
    /// It was already sent.
    Sent,
    /// It will not be sent; staff have been notified.
    GivenUp,
    /// An attempt longer ago than providers remember keys may have sent it.
    Uncertain,
}

/// Outcome of sending an email.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum SendOutcome {
    /// It was sent, now or earlier.
    Sent,
    /// Another sender has claimed it, or the provider is busy: try again after this many seconds.
    Later(u32),
    /// It will not be sent; staff have been notified.
    GivenUp,
}

/// Reason why a provider did not accept an email.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailFailure {
    /// It will never accept this email, because it does not send to the address.
    Rejected(String),
    /// It is busy for this many seconds.
    Busy(u32),
    /// It refused for a reason that can be fixed: a key, a sender, a quota.
    Refused(String),
    /// It did not answer, or failed; the email may have been sent.
    Unknown(String),
}

impl MailFailure {
    /// True if the provider confirmed that it did not accept the email.
    const fn is_certain(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}

impl fmt::Display for MailFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(reason) | Self::Refused(reason) | Self::Unknown(reason) => {
                write!(f, "mail provider: {reason}")
            }
            Self::Busy(secs) => write!(f, "mail provider: busy for {secs} s"),
        }
    }
}

/// Sends an email, once.
///
/// # Errors
/// Fails if a port fails; retry later.
pub async fn send_letter(
    orders: &impl Orders,
    mails: &impl Mails,
    provider: &impl MailProvider,
    letter: &EmailJob,
    links: &OrderLinks,
    letterhead: &Letterhead<'_>,
    now: Timestamp,
) -> Result<SendOutcome> {
    match mails.claim(letter, now).await? {
        Claim::Sent => return Ok(SendOutcome::Sent),
        Claim::Taken => return Ok(SendOutcome::Later(CLAIM_SECS)),
        Claim::GivenUp => return Ok(SendOutcome::GivenUp),
        Claim::Uncertain => {
            let reason = "an attempt more than 23 hours ago may have sent it";
            mails.give_up(letter, reason, now).await?;
            return Ok(SendOutcome::GivenUp);
        }
        Claim::Yours => {}
    }
    let order = orders
        .order(&letter.order_id)
        .await?
        .ok_or_else(|| Error::internal(format!("no order {}", letter.order_id)))?;
    let message = compose(letter, &order, links, letterhead)?;
    let id = letter.id();
    match provider.send(&id, letter, &message).await {
        Ok(()) => {
            mails.sent(&id, now).await?;
            Ok(SendOutcome::Sent)
        }
        Err(MailFailure::Rejected(reason)) => {
            mails.give_up(letter, &reason, now).await?;
            Ok(SendOutcome::GivenUp)
        }
        Err(failure) => {
            let error = failure.to_string();
            mails.failed(&id, &error, failure.is_certain()).await?;
            match failure {
                MailFailure::Busy(secs) => Ok(SendOutcome::Later(secs)),
                _ => Err(Error::internal(error)),
            }
        }
    }
}

/// Queues again the emails that were not sent in time, and returns their number.
///
/// # Errors
/// Fails if a port fails; the claimed emails become due again later.
pub async fn queue_unsent_letters(
    mails: &impl Mails,
    mail: &impl Mail,
    now: Timestamp,
) -> Result<usize> {
    let letters = mails.take_due(QUEUED_AGAIN_AT_ONCE, now).await?;
    for letter in &letters {
        mail.post(letter).await?;
    }
    Ok(letters.len())
}

/// Queue of emails to shoppers. Each is sent later, once.
pub trait Mail {
    /// Queues an email.
    async fn post(&self, letter: &EmailJob) -> Result<()>;
    /// Queues a request for the link to an order.
    async fn ask_for_link(&self, request: &LinkRequest) -> Result<()>;
}

/// Store of emails. A row is written when its task is completed ([`Orders::finish_round`]), or else
/// by its first claim.
pub trait Mails {
    /// Claims an email: among simultaneous callers, only one may send it.
    async fn claim(&self, letter: &EmailJob, now: Timestamp) -> Result<Claim>;
    /// Records that an email was sent.
    async fn sent(&self, mail_id: &str, now: Timestamp) -> Result<()>;
    /// Records a failed attempt, and releases the claim. `certain` is true if the provider
    /// confirmed that it did not accept the email.
    async fn failed(&self, mail_id: &str, error: &str, certain: bool) -> Result<()>;
    /// Records that an email will not be sent, together with a finding for staff.
    async fn give_up(&self, letter: &EmailJob, reason: &str, now: Timestamp) -> Result<()>;
    /// Claims emails that should have been sent by `now`, longest-waiting first; each is given to
    /// one caller at a time.
    async fn take_due(&self, limit: u32, now: Timestamp) -> Result<Vec<EmailJob>>;
}

/// An email provider.
pub trait MailProvider {
    /// Sends an email; if the provider supports idempotency keys, the same key never sends two.
    async fn send(
        &self,
        idempotency_key: &str,
        letter: &EmailJob,
        message: &Message,
    ) -> Result<(), MailFailure>;
}
