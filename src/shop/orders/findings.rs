//! What staff should know: what a sweep found half done, and what is for a person to decide. Each
//! is written in the transaction of what it tells of, so that neither happens without the other.

use crate::error::{Error, Result};
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// Seconds that a finding is kept.
pub const KEPT_SECS: u32 = 30 * 24 * 60 * 60;

/// Most characters of a note.
pub const MAX_NOTE_CHARS: usize = 500;

/// What kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A checkout that had stopped half way. Not found any more: what a checkout leaves has a
    /// clock.
    StuckCheckout,
    /// An event that no consumer had seen.
    UnseenEvent,
    /// An order with tasks to carry out.
    UndoneTasks,
    /// A pending order whose session has ended.
    OverdueOrder,
    /// Money that could not go back.
    RefundFailed,
    /// An order that was paid otherwise than it was ordered.
    PaymentReview,
    /// A payment that the shopper's bank disputes.
    DisputeOpened,
    /// A dispute that took the money for good.
    DisputeLost,
    /// Messages that failed for good.
    DeadLetter,
    /// A database that fills.
    Storage,
    /// The payment provider failed so often that it is left alone for a while.
    ProviderBreaker,
    /// A paid session that names an order and is not its own.
    StrayPayment,
    /// An event that the provider could not deliver.
    UndeliveredEvent,
    /// A letter that will not be sent: its address is refused, or an attempt long ago may have sent
    /// it.
    LetterFailed,
    /// A movement of the balance at the provider that the ledger does not have, or has otherwise.
    BalanceDiffers,
}

/// Something that was found, and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// Id of the order or the event, name of the queue or the provider: nothing of a person.
    pub subject: String,
    /// Why it could not be finished; none: it is.
    pub error: Option<String>,
    /// When.
    pub found_at: Timestamp,
}

/// A way to tell staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// To the address of `FINDINGS_MAIL`.
    Mail,
    /// To `FINDINGS_WEBHOOK_URL`.
    Webhook,
}

/// A finding as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFinding {
    /// Counts up.
    pub id: i64,
    /// What was found.
    pub finding: Finding,
    /// How often on that day.
    pub times: u32,
    /// When last.
    pub last_at: Timestamp,
    /// The channels that could not be told.
    pub untold: Vec<Channel>,
    /// That staff have dealt with it.
    pub closing: Option<Closing>,
}

/// A finding closed by staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Note of what they found out or did.
    pub note: String,
}

/// Choice of findings to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingStatus {
    /// Those that someone should look into.
    Open,
    /// Those that staff closed, or the shop finished by itself.
    Closed,
}

/// How often a kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct FindingCount {
    /// What kind of thing.
    pub kind: FindingKind,
    /// How often.
    pub found: u32,
    /// How often it could not be finished at once.
    pub unfinished: u32,
}

/// Findings, kept for staff and read by them.
pub trait FindingRecord {
    /// Keeps what a sweep found, and forgets what is older than `forget_before`.
    async fn save_findings(&self, findings: &[Finding], forget_before: Timestamp) -> Result<()>;
    /// Findings, the newest first, with smaller ids than `before`.
    async fn findings(
        &self,
        status: FindingStatus,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<KeptFinding>>;
    /// Counts the findings of each kind, and those of them that could not be finished.
    async fn finding_counts(&self) -> Result<Vec<FindingCount>>;
    /// Closes a finding, unless it is closed; the finding as it is then.
    async fn close_finding(&self, id: i64, closing: &Closing) -> Result<Option<KeptFinding>>;
}

/// Closes a finding. Safe to repeat: the first closing stays. Should the same thing be found again,
/// that is another finding, and open.
///
/// # Errors
/// 404; 422 `invalid_note`.
pub async fn close_finding(
    record: &impl FindingRecord,
    id: &str,
    by: &str,
    note: &str,
    now: Timestamp,
) -> Result<KeptFinding> {
    let closing = Closing {
        at: now,
        by: by.to_owned(),
        note: checked_note(note)?,
    };
    let id = read_finding_id(id).ok_or(Error::NotFound("finding"))?;
    let closed = record.close_finding(id, &closing).await?;
    closed.ok_or(Error::NotFound("finding"))
}

/// `fnd_…`: what staff, mails and messages call a finding.
#[must_use]
pub fn finding_id(id: i64) -> String {
    format!("{ID_PREFIX}{id}")
}

fn read_finding_id(id: &str) -> Option<i64> {
    let digits = id.strip_prefix(ID_PREFIX)?;
    let is_plain = digits.bytes().all(|it| it.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}

const ID_PREFIX: &str = "fnd_";

fn checked_note(note: &str) -> Result<String> {
    let note = note.trim();
    if note.is_empty() || note.chars().count() > MAX_NOTE_CHARS {
        let detail = format!("1 to {MAX_NOTE_CHARS} characters.");
        return Err(Error::invalid("note", "invalid_note", detail));
    }
    Ok(note.to_owned())
}

impl FindingKind {
    /// Kinds that the sweep finds, and finishes by itself as a rule.
    pub const OF_THE_SWEEP: [Self; 5] = [
        Self::StuckCheckout,
        Self::UnseenEvent,
        Self::UndoneTasks,
        Self::OverdueOrder,
        Self::UndeliveredEvent,
    ];

    /// Number of times that something must be found and left unfinished on one day before staff are
    /// told; none: never. What the sweep takes up is told when five tries have failed, by which
    /// time it is stuck for about [`crate::operations::sweep::bounds::BOUND_SECS`].
    #[must_use]
    pub const fn told_from(self) -> Option<u32> {
        match self {
            Self::StuckCheckout => None,
            Self::UnseenEvent | Self::UndoneTasks | Self::OverdueOrder | Self::UndeliveredEvent => {
                Some(5)
            }
            Self::RefundFailed
            | Self::PaymentReview
            | Self::DisputeOpened
            | Self::DisputeLost
            | Self::DeadLetter
            | Self::Storage
            | Self::ProviderBreaker
            | Self::StrayPayment
            | Self::LetterFailed
            | Self::BalanceDiffers => Some(1),
        }
    }
}

impl Finding {
    /// Something for a person to look into.
    #[must_use]
    pub fn for_staff(
        kind: FindingKind,
        subject: impl Into<String>,
        error: impl Into<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            kind,
            subject: subject.into(),
            error: Some(error.into()),
            found_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_it_was_written() {
        assert_eq!(read_finding_id(&finding_id(12)), Some(12));
        for id in [
            "",
            "12",
            "fnd_",
            "fnd_-1",
            "fnd_+1",
            "fnd_x",
            "fnd_99999999999999999999",
        ] {
            assert_eq!(read_finding_id(id), None, "{id}");
        }
    }

    #[test]
    fn a_note_has_some_words() {
        assert_eq!(checked_note(" asked the bank ").unwrap(), "asked the bank");
        for note in ["", " \n", &"x".repeat(501)] {
            assert_eq!(checked_note(note).unwrap_err().code(), "invalid_note");
        }
    }
}
