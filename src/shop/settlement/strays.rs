//! The record of stray payments.

use crate::error::Result;
use crate::orders::findings::Finding;
use crate::orders::ledger::Journal;
use crate::orders::order::{Refund, RefundStatus};
use crate::payments::provider::ProviderId;
use crate::values::money::Money;
use crate::values::written::Written;
use durable::Timestamp;

/// A paid session that names an order and is not its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrayPayment {
    /// The provider's id of the session.
    pub session_id: String,
    /// The provider that has it.
    pub provider: ProviderId,
    /// The order that it names.
    pub order_id: String,
    /// The provider's name of the money.
    pub payment_ref: String,
    /// The amount that came in.
    pub amount: Money,
    /// The refund of all of it. None means that it is a stranger's.
    pub refund: Option<Refund>,
    /// Counts what was booked of it.
    pub version: i64,
}

/// The record of stray payments. Each write is one transaction.
pub trait StrayPayments {
    /// One by the id of its session.
    async fn stray_payment(&self, session_id: &str) -> Result<Option<StrayPayment>>;
    /// Keeps a new one with its journals, the task that gives it back, and what staff are told;
    /// lost when it is kept already.
    async fn keep_stray_payment(
        &self,
        stray: &StrayPayment,
        journals: &[Journal],
        finding: &Finding,
        now: Timestamp,
    ) -> Result<Written>;
    /// Writes how the refund stands from now on; lost when something was booked since `stray` was
    /// read.
    async fn move_stray_refund(
        &self,
        stray: &StrayPayment,
        to: RefundStatus,
        journals: &[Journal],
        finding: Option<&Finding>,
        now: Timestamp,
    ) -> Result<Written>;
}
