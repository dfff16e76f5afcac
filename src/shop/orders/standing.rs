//! Standing of an order, for whoever waits for it: what a waiting page asks again and again, so
//! that it costs next to nothing.
//!
//! 5,000 pages that wait cost the database 50 reads a second at most:
//!
//! - A page asks after 2, 3, 5 and then every 10 s ([`PAUSES_SECS`]), each a fifth more or less,
//!   while someone looks at it, for half an hour ([`WATCHED_SECS`]); it begins anew when something
//!   has changed. So the shop is asked 500 times a second.
//! - Each page waits for another order, so that no memory of an order serves two. What can be
//!   shared is the read: of all that ask one isolate, one reads for all who wait, once in
//!   [`READ_EVERY_MS`] ([`SharedReads`]). So a hundred isolates, five questions a second each, come
//!   to 50 reads; and as the platform gathers the requests for a Worker in few isolates of a place,
//!   they are fewer.
//! - Where nobody asked within that time, there is no waiting: the first reads at once.
//!
//! A read finds two rows an order, each by its key. None is answered from what was read before it
//! was asked.
//!
//! [`SharedReads`]: crate::orders::shared_reads::SharedReads
//! [`READ_EVERY_MS`]: crate::orders::shared_reads::READ_EVERY_MS

use crate::error::Result;
use crate::orders::transitions::OrderStatus;
use crate::payments::PaymentStatus;
use durable::Timestamp;

/// Seconds until a page asks again; the last for as long as it waits.
pub const PAUSES_SECS: [u32; 4] = [2, 3, 5, 10];

/// Seconds for which a page that someone looks at asks.
pub const WATCHED_SECS: u32 = 30 * 60;

/// Standing of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderStanding {
    /// The cart it was placed from.
    pub cart_id: String,
    /// Instant at which it was placed.
    pub created_at: Timestamp,
    /// Its status.
    pub status: OrderStatus,
    /// Moves so far.
    pub version: u64,
    /// Status of its payment.
    pub payment_status: PaymentStatus,
    /// Address of its payment page, once known.
    pub payment_url: Option<String>,
    /// Instant at which its session ends.
    pub payment_expires_at: Timestamp,
}

/// Standings of orders, read for all who ask.
pub trait OrderStandings {
    /// Standing of an order, no earlier than this was asked; none where there is none.
    async fn standing(&self, order_id: &str) -> Result<Option<OrderStanding>>;
}
