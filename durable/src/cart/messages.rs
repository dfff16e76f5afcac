//! Commands of a cart, its events, and its refusals.

use serde::{Deserialize, Serialize};

/// Maximum number of different SKUs in a cart.
pub const MAX_LINES: usize = 100;

/// Maximum number of units of one SKU in a cart.
pub const MAX_QUANTITY: u32 = 99;

/// Maximum length of a note in bytes.
pub const MAX_NOTE_BYTES: usize = 1000;

/// A command to a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Cart version that the change is based on; a cart at any other version refuses it. `None`
    /// means the change applies to any version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<u64>,
    /// The change.
    pub change: Change,
}

/// A change to a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Adds units of a SKU, up to the maximum for a line.
    Add {
        /// Stock keeping unit.
        sku: String,
        /// Number of units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
        /// Maximum number of units for one customer. Not part of the command's digest.
        #[serde(default = "max_quantity")]
        at_most: u32,
    },
    /// Sets the quantity of a SKU, up to the maximum for a line; 0 removes the line.
    Set {
        /// Stock keeping unit.
        sku: String,
        /// Number of units, up to [`MAX_QUANTITY`].
        quantity: u32,
        /// Maximum number of units for one customer. Not part of the command's digest.
        #[serde(default = "max_quantity")]
        at_most: u32,
    },
    /// Removes a line. Removing a line that isn't there is not an error.
    Remove {
        /// Stock keeping unit.
        sku: String,
    },
    /// Removes all lines and the note.
    Clear,
    /// Sets the shopper's note to the merchant; an empty note removes it.
    Note {
        /// Text, at most [`MAX_NOTE_BYTES`] long.
        note: String,
    },
    /// Merges another cart into this one. Each SKU gets the larger of the two quantities, new lines
    /// are appended while there is room, and the other note is taken only if there is none here.
    /// Merging the same cart twice therefore changes nothing.
    Merge {
        /// Lines of the other cart.
        lines: Vec<Line>,
        /// Note of the other cart.
        note: String,
    },
    /// Freezes the cart while `order_id` is placed and paid. If another request of the same
    /// checkout has already frozen it, this one joins that order.
    Freeze {
        /// ID of the order.
        order_id: String,
        /// The checkout that freezes the cart; `None` means no other request can join.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkout: Option<CheckoutName>,
    },
    /// Unfreezes the cart, because `order_id` did not go through.
    Thaw {
        /// ID of the order.
        order_id: String,
        /// True to unfreeze only if no other request has joined since the cart was frozen.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        alone: bool,
    },
    /// Removes the lines of the paid order `order_id` and unfreezes the cart.
    Complete {
        /// ID of the order.
        order_id: String,
    },
}

/// Identifies a checkout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutName {
    /// Digest of the caller's idempotency key.
    pub key: String,
    /// Digest of the request sent with that key.
    pub request: String,
}

/// An event in the life of a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The cart now has `quantity` units of `sku`.
    LineSet {
        /// Stock keeping unit.
        sku: String,
        /// Number of units, at least 1.
        quantity: u32,
    },
    /// A line was removed.
    LineRemoved {
        /// Stock keeping unit.
        sku: String,
    },
    /// All lines and the note were removed.
    Cleared,
    /// The note was set.
    Noted {
        /// Text; empty means the note was removed.
        note: String,
    },
    /// The cart was frozen.
    Frozen {
        /// ID of the order.
        order_id: String,
        /// The checkout that froze it; `None` means no other request can join.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkout: Option<CheckoutName>,
    },
    /// Another request of the same checkout joined the order.
    Joined,
    /// The cart was unfrozen with its lines unchanged.
    Thawed {
        /// ID of the order.
        order_id: String,
    },
    /// The cart was unfrozen, and the lines it was frozen with were removed.
    Completed {
        /// ID of the order.
        order_id: String,
    },
    /// A cart with lines was left unchanged long enough to count as abandoned.
    Abandoned,
    /// The cart was frozen for so long that it asked what became of the order.
    AskedAfterOrder,
    /// The cart was left unchanged until its retention time ran out, and was deleted.
    Deleted,
}

/// Reason why a cart refused a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The quantity is 0 or above the maximum.
    QuantityOutOfRange {
        /// Maximum allowed.
        max: u32,
    },
    /// The cart would hold too many different SKUs.
    TooManyLines {
        /// Maximum allowed.
        max: usize,
    },
    /// The note is too long.
    NoteTooLong {
        /// Maximum length in bytes.
        max: usize,
    },
    /// The cart is empty, so there is nothing to order.
    Empty,
    /// An order has frozen the cart.
    FrozenBy {
        /// ID of the order.
        order_id: String,
    },
    /// The idempotency key froze the cart for a different request.
    KeyReused,
    /// Another request of the same checkout has joined since the cart was frozen.
    Joined,
    /// The cart has changed since the version that the command is based on.
    Stale {
        /// Current version of the cart.
        version: u64,
    },
}

/// A line of a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Stock keeping unit.
    pub sku: String,
    /// Number of units, at least 1.
    pub quantity: u32,
}

const fn max_quantity() -> u32 {
    MAX_QUANTITY
}
