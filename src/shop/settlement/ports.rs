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
    /// Returns a payment provider.
    ///
    /// # Errors
    /// 503 `payments_not_configured` if the shop does not use this provider.
    fn payments(&self, provider: ProviderId) -> Result<impl Payments>;
    /// Inbox of the providers' events.
    fn inbox(&self) -> impl Inbox;
    /// Emails to shoppers.
    fn mail(&self) -> impl Mail;
}
