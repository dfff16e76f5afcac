//! The record of the provider's balance for reconciliation, and the turns of jobs.

use crate::error::Result;
use crate::orders::ledger::Journal;
use crate::payments::BalanceEntry;
use crate::payments::provider::ProviderId;
use durable::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Most payments of a slice that are looked at one by one: more than staff would.
pub const MAX_SUSPECTS: u32 = 1000;

/// A movement of the clearing account in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Booked {
    /// The money that moved.
    pub payment_ref: String,
    /// Minor units.
    pub amount: i64,
    /// An ISO 4217 code.
    pub currency: String,
    /// The instant at which it was booked.
    pub at: Timestamp,
}

/// The provider's fee for a movement of its balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    /// The provider's id of the movement.
    pub entry_id: String,
    /// The money that moved.
    pub payment_ref: String,
    /// The amount that is booked for it.
    pub journal: Journal,
    /// The instant at which the money moved.
    pub at: Timestamp,
}

/// Movements on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BalanceMovements {
    /// At the provider.
    pub provider: Vec<BalanceEntry>,
    /// In the ledger.
    pub ledger: Vec<Booked>,
}

/// Jobs that run now and then, as far as each has come, and what they look at.
pub trait Jobs {
    /// Takes the turn of a job that is due, with what it kept of its progress; none when it is not
    /// due, or another has the turn, which counts as lost at `lost_at`.
    async fn take_turn<P: DeserializeOwned + Default>(
        &self,
        job: &str,
        lost_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<P>>;
    /// Ends the turn that was taken with `lost_at`: how far the job is, and when it is due again.
    /// False when it took so long that it counts as lost, and perhaps another has its turn: then
    /// nothing is noted.
    async fn end_turn<P: Serialize>(
        &self,
        job: &str,
        lost_at: Timestamp,
        progress: &P,
        due_at: Timestamp,
    ) -> Result<bool>;
    /// Books fees of orders' payments, each once.
    async fn book_fees(&self, fees: &[Fee]) -> Result<()>;
    /// Keeps what the provider's balance moved, each movement once.
    async fn keep_entries(&self, provider: ProviderId, entries: &[BalanceEntry]) -> Result<()>;
    /// Forgets some of the provider's movements from before then.
    async fn forget_entries(&self, provider: ProviderId, before: Timestamp) -> Result<()>;
    /// Of the provider's payments that moved in `slice`, those whose two sides differ by what they moved in
    /// `window`: no more than [`MAX_SUSPECTS`].
    async fn suspects(
        &self,
        provider: ProviderId,
        slice: &Range<Timestamp>,
        window: &Range<Timestamp>,
    ) -> Result<Vec<String>>;
    /// Movements of these payments in `window`, by the provider and by the ledger.
    async fn movements(
        &self,
        payment_refs: &[String],
        window: &Range<Timestamp>,
    ) -> Result<BalanceMovements>;
}
