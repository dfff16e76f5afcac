//! What staff should know: what a sweep found half done, and what is for a person to decide. Each is written in the transaction of
//! what it tells of, so that neither happens without the other.

use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// Seconds that a finding is kept.
pub const KEPT_SECS: u32 = 30 * 24 * 60 * 60;

/// What kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A checkout that had stopped half way. Not found any more: what a checkout leaves has a clock.
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
    /// A letter that will not be sent: its address is refused, or an attempt long ago may have sent it.
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
#[cfg_attr(test, derive(utoipa::ToSchema))]
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
}

/// How often a kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct FindingCount {
    /// What kind of thing.
    pub kind: FindingKind,
    /// How often.
    pub found: u32,
    /// How often it could not be finished at once.
    pub unfinished: u32,
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
