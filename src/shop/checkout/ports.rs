//! Ports needed for checkout.

use crate::checkout::record::Checkouts;
use crate::customers::challenge::Challenge;
use crate::payments::provider::ProviderId;
use crate::pricing::price_list::Prices;
use crate::settlement::ports::SettlementPorts;

/// Ports needed for checkout.
pub trait CheckoutPorts: SettlementPorts {
    /// Store of published prices, settings and quotes.
    fn prices(&self) -> impl Prices;
    /// Provider for the payments of new orders.
    fn new_payments(&self) -> ProviderId;
    /// Store of checkouts.
    fn checkouts(&self) -> impl Checkouts;
    /// Challenge of the checkout. `None` means that the shop requires none.
    fn challenge(&self) -> Option<impl Challenge>;
}
