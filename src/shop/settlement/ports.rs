//! The ports of settlement.

use crate::cart::ports::CartPorts;
use crate::inventory::ports::StockPorts;
use crate::messages::mail::Mail;
use crate::payments::{Inbox, Payments};
use crate::settlement::strays::StrayPayments;

/// The ports of settlement.
pub trait SettlementPorts: StockPorts + CartPorts {
    /// The record of stray payments.
    fn stray_payments(&self) -> impl StrayPayments;
    /// The payment provider.
    fn payments(&self) -> impl Payments;
    /// The inbox of the provider's events.
    fn inbox(&self) -> impl Inbox;
    /// Letters to shoppers.
    fn mail(&self) -> impl Mail;
}
