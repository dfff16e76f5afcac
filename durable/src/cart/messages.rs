//! Commands of a cart, its events, and its refusals.

use serde::{Deserialize, Serialize};

/// Most different SKUs in a cart.
pub const MAX_LINES: usize = 100;

/// Most units of one SKU in a cart.
pub const MAX_QUANTITY: u32 = 99;

/// Most bytes of a note.
pub const MAX_NOTE_BYTES: usize = 1000;

/// A command to a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Refuse when the cart is no longer at this version; `None` to change whatever there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<u64>,
    /// The change.
    pub change: Change,
}

/// A change to a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// So many units more, up to the most that a line takes.
    Add {
        /// Stock keeping unit.
        sku: String,
        /// Units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
        /// Most units of it for one customer; beside the intent of the command.
        #[serde(default = "max_quantity")]
        at_most: u32,
    },
    /// So many units, from now on, up to the most that a line takes; 0 removes the line.
    Set {
        /// Stock keeping unit.
        sku: String,
        /// Units, up to [`MAX_QUANTITY`].
        quantity: u32,
        /// Most units of it for one customer; beside the intent of the command.
        #[serde(default = "max_quantity")]
        at_most: u32,
    },
    /// No units; removing what isn't there is fine.
    Remove {
        /// Stock keeping unit.
        sku: String,
    },
    /// No lines and no note.
    Clear,
    /// Words for the merchant; empty takes them back.
    Note {
        /// Up to [`MAX_NOTE_BYTES`].
        note: String,
    },
    /// Take over another cart: of each SKU the larger quantity of the two, new lines at the end
    /// while there is room, its note where there is none. So merging again changes nothing.
    Merge {
        /// The other's lines.
        lines: Vec<Line>,
        /// The other's note.
        note: String,
    },
    /// Stand still while `order_id` is placed and paid; while it does so for another request of the
    /// same checkout, join that.
    Freeze {
        /// The order.
        order_id: String,
        /// The checkout; none: nobody joins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkout: Option<CheckoutName>,
    },
    /// Move again: `order_id` came to nothing.
    Thaw {
        /// The order.
        order_id: String,
        /// Only while nobody has joined since it was frozen.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        alone: bool,
    },
    /// `order_id` is paid: drop its lines and move again.
    Complete {
        /// The order.
        order_id: String,
    },
}

/// A name that tells a checkout from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutName {
    /// Digest of the caller's key.
    pub key: String,
    /// Digest of what was asked under it.
    pub request: String,
}

/// An event in a cart's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The cart now has `quantity` units of `sku`.
    LineSet {
        /// Stock keeping unit.
        sku: String,
        /// Units, at least 1.
        quantity: u32,
    },
    /// The line is gone.
    LineRemoved {
        /// Stock keeping unit.
        sku: String,
    },
    /// Lines and note are gone.
    Cleared,
    /// The note is this now.
    Noted {
        /// May be empty.
        note: String,
    },
    /// The cart stands still.
    Frozen {
        /// The order.
        order_id: String,
        /// The checkout.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkout: Option<CheckoutName>,
    },
    /// Another request of the checkout works on the same order.
    Joined,
    /// The cart moves again, its lines as they were.
    Thawed {
        /// The order.
        order_id: String,
    },
    /// The cart moves again, without the lines it was frozen with.
    Completed {
        /// The order.
        order_id: String,
    },
    /// Left alone with something in it.
    Abandoned,
    /// Frozen for so long that it asks after the order.
    AskedAfterOrder,
    /// Left alone for so long that it is gone.
    Deleted,
}

/// The reason of a cart's refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The quantity is 0 or more than a cart takes.
    QuantityOutOfRange {
        /// The most allowed.
        max: u32,
    },
    /// Too many different SKUs.
    TooManyLines {
        /// The most allowed.
        max: usize,
    },
    /// The note is too long.
    NoteTooLong {
        /// The most bytes allowed.
        max: usize,
    },
    /// There is nothing to order.
    Empty,
    /// An order has frozen the cart.
    FrozenBy {
        /// The order.
        order_id: String,
    },
    /// The key has frozen the cart for another request.
    KeyReused,
    /// Another request of its checkout has joined since the cart was frozen.
    Joined,
    /// The cart has changed since.
    Stale {
        /// Its version now.
        version: u64,
    },
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Stock keeping unit.
    pub sku: String,
    /// Units, at least 1.
    pub quantity: u32,
}

const fn max_quantity() -> u32 {
    MAX_QUANTITY
}
