//! The end of what is kept for a while: how long each kind is kept, and why. Once a minute one kind
//! has its turn, in rows so many at a time, so that neither a shop at rest nor one with a backlog
//! asks the database for much. Forgetting twice, or at once, changes nothing.
//!
//! What is kept for good, and which columns hold what of a person, stands in `docs/retention.md`.

use crate::error::Result;
use crate::operations::idempotency;
use crate::orders::findings;
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that is kept for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The last time that each cart was left alone.
    AbandonedCarts,
    /// First answers to requests with a key.
    Answers,
    /// Requests by which orders were placed.
    Checkouts,
    /// Dead letters that nobody has dealt with.
    DeadLetters,
    /// Events of the payment provider that were dealt with.
    Events,
    /// Failures of messages.
    Failures,
    /// Findings of sweeps.
    Findings,
    /// Names that an import has met.
    ImportNames,
    /// Letters that were sent.
    Letters,
    /// Guesses at the codes of orders, by network.
    OrderCodeTries,
    /// Checkouts that were refused.
    Refusals,
    /// Dead letters that staff have dealt with.
    ResolvedLetters,
    /// Prices for a while, once that is over.
    ScheduledPrices,
    /// Tasks of orders that are done, and the request for a payment that has ended.
    Tasks,
    /// Orders that showed no proof, by network.
    UnprovedOrders,
    /// Events of the payment provider that nobody has dealt with.
    UnseenEvents,
}

/// The record of what is kept for a while.
pub trait RetentionRecord {
    /// Gives the kind its turn that has waited longest; none while there is none that this version
    /// knows.
    async fn take_turn(&self, now: Timestamp) -> Result<Option<Kind>>;
    /// Forgets what ended before `before`, of the next `limit` rows, and returns how many rows that
    /// were. Nothing goes that anything still depends on.
    async fn forget(&self, kind: Kind, before: Timestamp, limit: u32) -> Result<u32>;
}

/// Rows that are looked at in one go.
const AT_ONCE: u32 = 1_000;

/// Most goes of one turn.
const MAX_GOES: u32 = 10;

/// Rows forgotten in one go that make another worth its trip.
const WORTH_ANOTHER: u32 = 50;

const DAY_SECS: u32 = 24 * 60 * 60;

impl Kind {
    /// Every kind.
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

    /// Seconds from the end of one until it is forgotten.
    #[must_use]
    pub const fn kept_secs(self) -> u32 {
        match self {
            // As long as repeats are promised the first answer.
            Self::Answers => idempotency::KEPT_SECS,
            // As long as an import may take; far longer than guesses, and orders without a proof,
            // count.
            Self::ImportNames | Self::OrderCodeTries | Self::UnprovedOrders => DAY_SECS,
            // Longer than any task of a refused checkout, or of an order, is tried again.
            Self::Refusals | Self::Tasks => 7 * DAY_SECS,
            // As long as the provider can deliver an event again, and lists it.
            Self::Events => 30 * DAY_SECS,
            // For who looks into what has gone wrong.
            Self::Failures => 30 * DAY_SECS,
            Self::Findings => findings::KEPT_SECS,
            // A week longer than a cart, so that news on their way do not bring back one that is
            // gone.
            Self::AbandonedCarts => 37 * DAY_SECS,
            // Longer than a cart can be sent again under the same key, and a letter tried again.
            Self::Checkouts | Self::Letters => 90 * DAY_SECS,
            // For who asks what became of one.
            Self::ResolvedLetters => 90 * DAY_SECS,
            // What nobody has looked at in a year has no other end.
            Self::DeadLetters | Self::UnseenEvents => 365 * DAY_SECS,
            // For a look back at last year's sale.
            Self::ScheduledPrices => 365 * DAY_SECS,
        }
    }
}

/// Gives one kind its turn; which, and how many rows it forgot.
///
/// # Errors
/// When the database can't be written; the next turn goes on.
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
