//! Store of the provider's balance transactions for reconciliation, and of the runs of jobs.

use crate::error::Result;
use crate::orders::ledger::Journal;
use crate::payments::BalanceEntry;
use crate::payments::provider::ProviderId;
use durable::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Maximum number of payments per slice that are compared one by one; more than staff could handle.
pub const MAX_SUSPECTS: u32 = 1000;

/// A movement of the clearing account in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Booked {
    /// The provider's reference for the payment.
    pub payment_ref: String,
    /// Amount in minor units.
    pub amount: i64,
    /// ISO 4217 code of the currency.
    pub currency: String,
    /// Time of booking.
    pub at: Timestamp,
}

/// The provider's fee for a balance transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    /// The provider's id of the transaction.
    pub entry_id: String,
    /// The provider's reference for the payment.
    pub payment_ref: String,
    /// Journal that books the fee.
    pub journal: Journal,
    /// Time of the transaction.
    pub at: Timestamp,
}

/// Movements on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BalanceMovements {
    /// Transactions at the provider.
    pub provider: Vec<BalanceEntry>,
    /// Bookings in the ledger.
    pub ledger: Vec<Booked>,
}

/// Store of periodic jobs and their progress, and of the balance transactions they compare.
pub trait Jobs {
    /// Starts a run of a job that is due, and returns its saved progress. `None` means that it is
    /// not due, or that another run is active. The run counts as lost at `lost_at`.
    async fn take_turn<P: DeserializeOwned + Default>(
        &self,
        job: &str,
        lost_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<P>>;
    /// Ends the run that was started with `lost_at`, and saves its progress and the time at which
    /// it is next due. Returns false, and saves nothing, if the run took so long that it counts as
    /// lost and another may have started.
    async fn end_turn<P: Serialize>(
        &self,
        job: &str,
        lost_at: Timestamp,
        progress: &P,
        due_at: Timestamp,
    ) -> Result<bool>;
    /// Books fees of orders' payments, each once.
    async fn book_fees(&self, fees: &[Fee]) -> Result<()>;
    /// Saves balance transactions, each once.
    async fn keep_entries(&self, provider: ProviderId, entries: &[BalanceEntry]) -> Result<()>;
    /// Deletes some of the provider's transactions older than `before`.
    async fn forget_entries(&self, provider: ProviderId, before: Timestamp) -> Result<()>;
    /// Returns up to [`MAX_SUSPECTS`] of the provider's payments with movements in `slice` whose
    /// two sides differ in total over `window`.
    async fn suspects(
        &self,
        provider: ProviderId,
        slice: &Range<Timestamp>,
        window: &Range<Timestamp>,
    ) -> Result<Vec<String>>;
    /// Returns the movements of these payments in `window` at the provider and in the ledger.
    async fn movements(
        &self,
        payment_refs: &[String],
        window: &Range<Timestamp>,
    ) -> Result<BalanceMovements>;
}
