//! Retention: how long each kind of temporary data is kept, and why. Once a minute, one kind is
//! purged, a limited number of rows at a time, so that neither an idle shop nor one with a backlog
//! puts load on the database. Purging twice, or twice at the same time, changes nothing.
//!
//! Data that is kept forever, and the columns with personal data, are listed in
//! `docs/retention.md`.

use crate::error::Result;
use crate::operations::idempotency;
use crate::orders::findings;
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// A kind of data that is kept for a limited time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Time at which each cart was last abandoned.
    AbandonedCarts,
    /// Stored responses to requests with an idempotency key.
    Answers,
    /// Requests that placed orders.
    Checkouts,
    /// Dead letters that nobody has dealt with.
    DeadLetters,
    /// Processed events of the payment provider.
    Events,
    /// Failed attempts at messages.
    Failures,
    /// Findings.
    Findings,
    /// Names claimed by an import.
    ImportNames,
    /// Emails that were sent.
    Letters,
    /// Attempts at order codes, by network.
    OrderCodeTries,
    /// Checkouts that were refused.
    Refusals,
    /// Dead letters that staff have dealt with.
    ResolvedLetters,
    /// Scheduled prices whose period is over.
    ScheduledPrices,
    /// Completed tasks of orders, and requests for payments that have ended.
    Tasks,
    /// Orders without a solved challenge, by network.
    UnprovedOrders,
    /// Events of the payment provider that nobody has processed.
    UnseenEvents,
}

/// Store of temporary data.
pub trait RetentionRecord {
    /// Claims the kind that has waited longest to be purged. `None` means that this version knows
    /// none.
    async fn take_turn(&self, now: Timestamp) -> Result<Option<Kind>>;
    /// Deletes, among the next `limit` rows, those that ended before `before`, and returns how many
    /// rows were deleted. Rows that something still depends on are never deleted.
    async fn forget(&self, kind: Kind, before: Timestamp, limit: u32) -> Result<u32>;
}

/// Number of rows examined at once.
const AT_ONCE: u32 = 1_000;

/// Maximum number of batches per run.
const MAX_GOES: u32 = 10;

/// Number of deleted rows in a batch that makes another batch worthwhile.
const WORTH_ANOTHER: u32 = 50;

const DAY_SECS: u32 = 24 * 60 * 60;

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 16] = [
        Self::AbandonedCarts,
        Self::Answers,
        Self::Checkouts,
        Self::DeadLetters,
        Self::Events,
        Self::Failures,
        Self::Findings,
        Self::ImportNames,
        Self::Letters,
        Self::OrderCodeTries,
        Self::Refusals,
        Self::ResolvedLetters,
        Self::ScheduledPrices,
        Self::Tasks,
        Self::UnprovedOrders,
        Self::UnseenEvents,
    ];

    /// Seconds for which data is kept after it has ended.
    #[must_use]
    pub const fn kept_secs(self) -> u32 {
        match self {
            // Stored as long as a repeat is promised the first response.
            Self::Answers => idempotency::KEPT_SECS,
            // As long as an import may take; far longer than attempts, and orders without a solved
            // challenge, are counted.
            Self::ImportNames | Self::OrderCodeTries | Self::UnprovedOrders => DAY_SECS,
            // Longer than any task of an order, or of a refused checkout, is retried.
            Self::Refusals | Self::Tasks => 7 * DAY_SECS,
            // As long as the provider may deliver an event again, and lists it.
            Self::Events => 30 * DAY_SECS,
            // For investigating what went wrong.
            Self::Failures => 30 * DAY_SECS,
            Self::Findings => findings::KEPT_SECS,
            // A week longer than a cart lasts, so that a late event does not bring back a cart that
            // is gone.
            Self::AbandonedCarts => 37 * DAY_SECS,
            // Longer than a checkout can be repeated with the same key, or an email retried.
            Self::Checkouts | Self::Letters => 90 * DAY_SECS,
            // For questions about what became of one.
            Self::ResolvedLetters => 90 * DAY_SECS,
            // What nobody has looked at in a year has no other end.
            Self::DeadLetters | Self::UnseenEvents => 365 * DAY_SECS,
            // For looking back at last year's sale.
            Self::ScheduledPrices => 365 * DAY_SECS,
        }
    }
}

/// Purges one kind. Returns the kind and the number of rows deleted.
///
/// # Errors
/// Fails if the database can't be written; the next run continues.
pub async fn purge(record: &impl RetentionRecord, now: Timestamp) -> Result<Option<(Kind, u32)>> {
    let Some(kind) = record.take_turn(now).await? else {
        return Ok(None);
    };
    let before = now.minus_secs(kind.kept_secs());
    let mut forgotten = 0_u32;
    for _ in 0..MAX_GOES {
        let rows = record.forget(kind, before, AT_ONCE).await?;
        forgotten = forgotten.saturating_add(rows);
        if rows < WORTH_ANOTHER {
            break;
        }
    }
    Ok(Some((kind, forgotten)))
}
