//! Events that the objects send to the rest of the shop: written together with the change, and
//! delivered by a queue at least once and in any order.
//!
//! Each event carries a version, so that a reader keeps the newest and ignores repeats.

use crate::Timestamp;
use crate::cart::messages::Line;
use crate::stock::messages::PublicStock;
use serde::{Deserialize, Serialize};

/// An event of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectEvent {
    /// The public stock of a SKU has changed.
    StockChanged {
        /// Stock keeping unit.
        sku: String,
        /// Current public stock.
        stock: PublicStock,
    },
    /// A cart with lines was abandoned. It is stored in D1, so it carries nothing that a person
    /// wrote. Sent once, until the shopper changes the cart and leaves again.
    CartAbandoned {
        /// ID of the cart.
        cart_id: String,
        /// Version of the cart.
        version: u64,
        /// Lines of the cart.
        lines: Vec<Line>,
        /// Instant of its last change.
        idle_since: Timestamp,
    },
    /// An order has kept a cart frozen for a long time; the shop should find out what became of it.
    CartFrozen {
        /// ID of the cart.
        cart_id: String,
        /// ID of the order.
        order_id: String,
    },
    /// A cart was left unchanged for so long that it was deleted.
    CartDeleted {
        /// ID of the cart.
        cart_id: String,
        /// Last version of the cart.
        version: u64,
    },
}
