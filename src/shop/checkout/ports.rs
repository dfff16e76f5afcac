//! The ports of checkout.

use crate::checkout::record::Checkouts;
use crate::customers::challenge::Challenge;
use crate::payments::provider::ProviderId;
use crate::pricing::price_list::Prices;
use crate::settlement::ports::SettlementPorts;

/// The ports of checkout.
pub trait CheckoutPorts: SettlementPorts {
    /// Published prices, shipping methods, tax.
    fn prices(&self) -> impl Prices;
    /// The provider that takes the payments of new orders.
    fn new_payments(&self) -> ProviderId;
    /// Checkouts.
    fn checkouts(&self) -> impl Checkouts;
    /// The challenge of checkout; none where the shop asks for none.
    fn challenge(&self) -> Option<impl Challenge>;
}
