//! Findings for staff: work that a sweep found unfinished, and matters that a person must decide.
//! Each is written in the same transaction as the event it reports, so that neither is stored
//! without the other.

use crate::codes::Code;
use crate::error::{Error, Result};
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// Seconds for which a finding is stored.
pub const KEPT_SECS: u32 = 30 * 24 * 60 * 60;

/// Maximum length of a note in characters.
pub const MAX_NOTE_CHARS: usize = 500;

/// Kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A checkout that stopped half way. No longer reported, because everything a checkout leaves
    /// behind now expires by itself.
    StuckCheckout,
    /// An event that no consumer has processed.
    UnseenEvent,
    /// An order with tasks left to carry out.
    UndoneTasks,
    /// A pending order whose payment session has ended.
    OverdueOrder,
    /// A refund that the provider could not make.
    RefundFailed,
    /// An order for which a different amount or currency was paid.
    PaymentReview,
    /// A payment that the shopper's bank disputes.
    DisputeOpened,
    /// A dispute that was lost, and its money with it.
    DisputeLost,
    /// Messages that failed permanently.
    DeadLetter,
    /// A database that is filling up.
    Storage,
    /// Payment provider failing so often that calls to it are paused.
    ProviderBreaker,
    /// A paid session that names an order but is not that order's session.
    StrayPayment,
    /// An event that the provider could not deliver.
    UndeliveredEvent,
    /// An email that will not be sent: its address is rejected, or an attempt long ago may already
    /// have sent it.
    LetterFailed,
    /// A balance transaction at the provider that is missing from the ledger or differs from it.
    BalanceDiffers,
}

/// Something found, and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Kind of the finding.
    pub kind: FindingKind,
    /// Id of the order or event, or name of the queue or provider. Contains no personal data.
    pub subject: String,
    /// Reason why it could not be finished. `None` means it is finished.
    pub error: Option<String>,
    /// Time at which it was found.
    pub found_at: Timestamp,
}

/// Channel for notifying staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Email to the address in `FINDINGS_MAIL`.
    Mail,
    /// Request to `FINDINGS_WEBHOOK_URL`.
    Webhook,
}

/// A stored finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFinding {
    /// Sequential id.
    pub id: i64,
    /// The finding as first reported.
    pub finding: Finding,
    /// Number of times that it was found on that day.
    pub times: u32,
    /// Time at which it was last found.
    pub last_at: Timestamp,
    /// Channels that could not be notified.
    pub untold: Vec<Channel>,
    /// Closing by staff. `None` means that staff have not closed it.
    pub closing: Option<Closing>,
}

/// Closing of a finding by staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Time of closing.
    pub at: Timestamp,
    /// Name of the staff member.
    pub by: String,
    /// Note on what they found out or did.
    pub note: String,
}

/// Filter for a list of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingStatus {
    /// Findings that someone should look into.
    Open,
    /// Findings that staff closed or that the shop resolved by itself.
    Closed,
}

/// Number of findings of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct FindingCount {
    /// Kind of finding.
    pub kind: FindingKind,
    /// Number of times found.
    pub found: u32,
    /// Number of those that could not be finished at once.
    pub unfinished: u32,
}

/// Store of findings.
pub trait FindingRecord {
    /// Saves the findings of a sweep, and deletes those older than `forget_before`.
    async fn save_findings(&self, findings: &[Finding], forget_before: Timestamp) -> Result<()>;
    /// Returns findings with ids below `before`, newest first.
    async fn findings(
        &self,
        status: FindingStatus,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<KeptFinding>>;
    /// Counts the findings of each kind, and those among them that could not be finished.
    async fn finding_counts(&self) -> Result<Vec<FindingCount>>;
    /// Closes a finding unless it is already closed, and returns it.
    async fn close_finding(&self, id: i64, closing: &Closing) -> Result<Option<KeptFinding>>;
}

/// Closes a finding. Safe to repeat: the first closing stays. If the same thing is found again,
/// that becomes a new, open finding.
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

/// Public id of a finding, `fnd_…`, used in the API, emails and messages.
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
        let detail = format!("Must be 1 to {MAX_NOTE_CHARS} characters long.");
        return Err(Error::invalid("note", Code::InvalidNote, detail));
    }
    Ok(note.to_owned())
}

impl FindingKind {
    /// Kinds found by the sweep, which usually resolves them by itself.
    pub const OF_THE_SWEEP: [Self; 5] = [
        Self::StuckCheckout,
        Self::UnseenEvent,
        Self::UndoneTasks,
        Self::OverdueOrder,
        Self::UndeliveredEvent,
    ];

    /// Number of times on one day that a finding must be left unfinished before staff are notified.
    /// `None` means never. Work taken up by the sweep is reported after five failed attempts; by
    /// then it has been stuck for about [`crate::operations::sweep::bounds::BOUND_SECS`].
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
    /// Builds a finding that a person must look into.
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
            assert_eq!(checked_note(note).unwrap_err().code(), Code::InvalidNote);
        }
    }
}
