//! Store of stray payments.

use crate::error::Result;
use crate::orders::findings::Finding;
use crate::orders::ledger::Journal;
use crate::orders::order::{Refund, RefundStatus};
use crate::payments::provider::ProviderId;
use crate::values::ids::OrderId;
use crate::values::money::Money;
use crate::values::written::Written;
use durable::Timestamp;

/// A paid session that names an order but is not its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrayPayment {
    /// The provider's id of the session.
    pub session_id: String,
    /// Provider of the session.
    pub provider: ProviderId,
    /// Id of the order that it names.
    pub order_id: OrderId,
    /// The provider's reference for the payment.
    pub payment_ref: String,
    /// Amount received.
    pub amount: Money,
    /// Refund of the whole amount. `None` means that the shop did not open the session.
    pub refund: Option<Refund>,
    /// Version, which increases with each booking.
    pub version: i64,
}

/// Store of stray payments. Each write is one transaction.
pub trait StrayPayments {
    /// Returns the stray payment of a session.
    async fn stray_payment(&self, session_id: &str) -> Result<Option<StrayPayment>>;
    /// Saves a new stray payment with its journals, the task that refunds it, and its finding for
    /// staff. `Lost` means that it already exists.
    async fn keep_stray_payment(
        &self,
        stray: &StrayPayment,
        journals: &[Journal],
        finding: &Finding,
        now: Timestamp,
    ) -> Result<Written>;
    /// Writes the new status of the refund. `Lost` means that it has changed since `stray` was
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
