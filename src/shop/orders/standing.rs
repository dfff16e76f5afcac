//! Current state of an order, for a page that waits for it. Such a page asks again and again, so an
//! answer must cost next to nothing.
//!
//! 5,000 waiting pages cost the database at most 50 reads a second:
//!
//! - A page asks after 2, 3, 5 and then every 10 seconds ([`PAUSES_SECS`]), each give or take a
//!   fifth, while it is visible, for half an hour ([`WATCHED_SECS`]). It starts over when something
//!   has changed. In total the shop is asked 500 times a second.
//! - Each page waits for a different order, so caching the orders would not help. But they can
//!   share the read: among all requests in one isolate, one reads on behalf of all who wait, once
//!   in [`READ_EVERY_MS`] ([`SharedReads`]). A hundred isolates with five requests a second each
//!   thus need 50 reads; the platform gathers a Worker's requests in few isolates per location, so
//!   in practice there are fewer.
//! - If nobody has asked within that time, nothing waits: the first request reads at once.
//!
//! A read fetches two rows per order, each by its key. No request is answered from a read that
//! began before the request.
//!
//! [`SharedReads`]: crate::orders::shared_reads::SharedReads
//! [`READ_EVERY_MS`]: crate::orders::shared_reads::READ_EVERY_MS

use crate::error::Result;
use crate::orders::transitions::OrderStatus;
use crate::payments::PaymentStatus;
use crate::values::ids::{CartId, OrderId};
use durable::Timestamp;

/// Seconds until a page asks again; the last value repeats for as long as it waits.
pub const PAUSES_SECS: [u32; 4] = [2, 3, 5, 10];

/// Seconds for which a visible page keeps asking.
pub const WATCHED_SECS: u32 = 30 * 60;

/// Current state of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderStanding {
    /// Cart that it was placed from.
    pub cart_id: CartId,
    /// Time at which it was placed.
    pub created_at: Timestamp,
    /// Status of the order.
    pub status: OrderStatus,
    /// Number of transitions applied.
    pub version: u64,
    /// Status of its payment.
    pub payment_status: PaymentStatus,
    /// URL of its payment page. `None` means not yet known.
    pub payment_url: Option<String>,
    /// Time at which its payment session ends.
    pub payment_expires_at: Timestamp,
}

/// Source of the current states of orders, read on behalf of all who ask.
pub trait OrderStandings {
    /// Returns the state of an order, read after this call began. `None` means there is no such
    /// order.
    async fn standing(&self, order_id: &OrderId) -> Result<Option<OrderStanding>>;
}
