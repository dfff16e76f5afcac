//! What the objects tell the rest of the shop: written with the change itself, sent by a queue at
//! least once and in any order.
//!
//! Each piece carries the version of what it tells about, so that a reader keeps the newest and
//! forgets repeats.

use crate::Timestamp;
use crate::cart::messages::Line;
use crate::stock::messages::PublicStock;
use serde::{Deserialize, Serialize};

/// A piece of news.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectEvent {
    /// What the public may know of a SKU has changed.
    StockChanged {
        /// Stock keeping unit.
        sku: String,
        /// What it is now.
        stock: PublicStock,
    },
    /// A cart with something in it has been left alone; told once, until the shopper comes back and
    /// leaves again.
    CartAbandoned {
        /// Which cart.
        cart_id: String,
        /// Its version.
        version: u64,
        /// What is in it.
        lines: Vec<Line>,
        /// When it was last changed.
        idle_since: Timestamp,
    },
    /// An order has had a cart for long: what has become of it?
    CartFrozen {
        /// Which cart.
        cart_id: String,
        /// The order.
        order_id: String,
    },
    /// A cart was left alone for so long that it is gone.
    CartDeleted {
        /// Which cart.
        cart_id: String,
        /// Its last version.
        version: u64,
    },
}
