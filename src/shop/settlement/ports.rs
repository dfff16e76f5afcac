//! Ports needed for settlement.

use crate::cart::ports::CartPorts;
use crate::error::Result;
use crate::inventory::ports::StockPorts;
use crate::messages::mail::Mail;
use crate::payments::Payments;
use crate::payments::inbox::Inbox;
use crate::payments::provider::ProviderId;
use crate::settlement::strays::StrayPayments;

/// Ports needed for settlement.
pub trait SettlementPorts: StockPorts + CartPorts {
    /// Store of stray payments.
    fn stray_payments(&self) -> impl StrayPayments;
    /// A payment provider.
    ///
    /// # Errors
    /// 503 `payments_not_configured` when the shop has no such provider.
    fn payments(&self, provider: ProviderId) -> Result<impl Payments>;
    /// The inbox of the providers' events.
    fn inbox(&self) -> impl Inbox;
    /// Emails to shoppers.
    fn mail(&self) -> impl Mail;
}
