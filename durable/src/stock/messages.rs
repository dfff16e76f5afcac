//! What a stock object is asked, what has happened to it, why it refuses, and how it looks.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Most units one command may move; far below what would lose precision in a JavaScript number.
pub const MAX_QUANTITY: u32 = 1_000_000;

/// Most bytes of a reason.
pub const MAX_REASON_BYTES: usize = 200;

/// Free units at which stock is `low`, unless configured.
pub const LOW_THRESHOLD: u32 = 5;

/// What stock is asked to do. A `hold_id` names order and attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Units arrived.
    Receive {
        /// Units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
    },
    /// Correct the count.
    Adjust {
        /// Units more or, negative, fewer; never 0.
        by: i32,
        /// The reason.
        reason: String,
    },
    /// Set the count to what is in the building.
    Count {
        /// Units, at most [`MAX_QUANTITY`] more or fewer than counted so far.
        quantity: u32,
        /// The reason.
        reason: String,
    },
    /// Units are spoilt or lost.
    WriteOff {
        /// Units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
        /// The reason.
        reason: String,
    },
    /// Shipped units came back and can be sold again.
    Return {
        /// Units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
        /// The reason.
        reason: String,
    },
    /// Sell by these rules from now on.
    Configure {
        /// The rules.
        settings: Settings,
    },
    /// Reserve units for a checkout, for `ttl_secs` seconds unless pinned.
    Hold {
        /// Order and attempt.
        hold_id: String,
        /// Units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
        /// Seconds until the hold lapses by itself.
        ttl_secs: u32,
        /// Whom the purchase limit counts, by a digest; none: each hold for itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
    },
    /// Give a reserved hold `ttl_secs` seconds from now, if that is later than its end.
    Extend {
        /// Which hold.
        hold_id: String,
        /// Seconds until the hold lapses by itself.
        ttl_secs: u32,
    },
    /// Take the hold off its clock: a payment session that can be paid is about to exist.
    Pin {
        /// Which hold.
        hold_id: String,
    },
    /// Give the units back.
    Release {
        /// Which hold.
        hold_id: String,
    },
    /// The order is paid: the units are its own.
    Commit {
        /// Which hold.
        hold_id: String,
    },
    /// A paid order was cancelled: what has not left yet is free again.
    Restock {
        /// Which hold.
        hold_id: String,
    },
    /// Units of a paid order left the building.
    Ship {
        /// Which hold.
        hold_id: String,
        /// Units, 1 to what is still committed.
        quantity: u32,
    },
}

impl Command {
    /// The hold that it is about.
    pub(super) fn hold_id(&self) -> Option<&str> {
        match self {
            Self::Hold { hold_id, .. }
            | Self::Extend { hold_id, .. }
            | Self::Pin { hold_id }
            | Self::Release { hold_id }
            | Self::Commit { hold_id }
            | Self::Restock { hold_id }
            | Self::Ship { hold_id, .. } => Some(hold_id),
            Self::Receive { .. }
            | Self::Adjust { .. }
            | Self::Count { .. }
            | Self::WriteOff { .. }
            | Self::Return { .. }
            | Self::Configure { .. } => None,
        }
    }
}

/// The rules by which a SKU is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Free units at which the public reads `low`.
    pub low_threshold: u32,
    /// Units that may be sold beyond those on hand.
    pub backorder_cap: u32,
    /// When backordered units are promised.
    pub promise_at: Option<Timestamp>,
    /// Most units that one customer may hold and buy in all; at least 1.
    pub purchase_limit: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            low_threshold: LOW_THRESHOLD,
            backorder_cap: 0,
            promise_at: None,
            purchase_limit: None,
        }
    }
}

/// What has happened to the stock of a SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Units arrived.
    Received {
        /// Units.
        quantity: u32,
    },
    /// The count was corrected.
    Adjusted {
        /// Units more or fewer.
        by: i32,
        /// The reason.
        reason: String,
    },
    /// Units were spoilt or lost.
    WrittenOff {
        /// Units.
        quantity: u32,
        /// The reason.
        reason: String,
    },
    /// Shipped units came back.
    Returned {
        /// Units.
        quantity: u32,
        /// The reason.
        reason: String,
    },
    /// The rules changed.
    Configured {
        /// The rules.
        settings: Settings,
    },
    /// Units were reserved.
    Held {
        /// Which hold.
        hold_id: String,
        /// Units.
        quantity: u32,
        /// When it lapses unless pinned.
        expires_at: Timestamp,
        /// Whom the purchase limit counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
    },
    /// The hold lapses later.
    Extended {
        /// Which hold.
        hold_id: String,
        /// When.
        expires_at: Timestamp,
    },
    /// The hold was taken off its clock.
    Pinned {
        /// Which hold.
        hold_id: String,
    },
    /// The hold ended and its units are free again; the id is remembered until `forget_at`.
    Released {
        /// Which hold.
        hold_id: String,
        /// Who ended it.
        reason: ReleaseReason,
        /// When the tombstone goes.
        forget_at: Timestamp,
        /// Whom the purchase limit counts no longer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
    },
    /// The hold became part of a paid order.
    Committed {
        /// Which hold.
        hold_id: String,
    },
    /// Units of a paid order left the building.
    Shipped {
        /// Which hold.
        hold_id: String,
        /// Units.
        quantity: u32,
        /// When the id is forgotten, if these were the last.
        forget_at: Timestamp,
    },
    /// A tombstone went; written by earlier versions only.
    Forgotten {
        /// Which hold.
        hold_id: String,
    },
}

/// Who ended a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// The checkout let go.
    Cancelled,
    /// Its time was up.
    Expired,
    /// It was released before it was ever held.
    NeverHeld,
    /// Its paid order was cancelled.
    Restocked,
}

/// Why stock said no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Not enough free units.
    Short {
        /// Units asked for.
        wanted: u32,
        /// Units free now.
        available: i64,
        /// True while other checkouts hold units on the clock, which may come back within minutes.
        contended: bool,
        /// Changes of the stock so far: what is said of a higher one is newer.
        #[serde(default)]
        version: u64,
    },
    /// The customer would have more than one customer may.
    OverLimit {
        /// The most for one customer.
        limit: u32,
        /// What this customer may still take.
        left: u32,
    },
    /// The quantity is 0 or above [`MAX_QUANTITY`].
    QuantityOutOfRange {
        /// The most allowed.
        max: u32,
    },
    /// There is no reason, or it is longer than [`MAX_REASON_BYTES`].
    ReasonOutOfRange {
        /// The most bytes allowed.
        max: usize,
    },
    /// A cap or threshold above [`MAX_QUANTITY`], or a purchase limit of 0.
    SettingsOutOfRange {
        /// The most allowed.
        max: u32,
    },
    /// Fewer units would be left than are promised to checkouts and orders.
    BelowPromised {
        /// Units held and committed.
        promised: i64,
    },
    /// The units were ordered ahead and have not arrived yet.
    NotOnHand {
        /// Units in the building.
        on_hand: i64,
    },
    /// No such hold, or it has ended: hold again under a new attempt.
    HoldEnded,
    /// The hold is committed to a paid order and can't be released.
    AlreadyCommitted,
    /// The hold belongs to no paid order.
    NotCommitted,
    /// The id names a hold that lives with another quantity.
    HoldMismatch,
}

/// What the public may know of the units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// More are free than the low threshold.
    InStock,
    /// The last are free.
    Low,
    /// None is free.
    #[default]
    Out,
    /// None is free on hand, but some may be ordered ahead.
    Preorder,
}

/// What the public may know of a SKU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicStock {
    /// The word.
    pub stock: Availability,
    /// When ordered-ahead units are promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise_at: Option<Timestamp>,
    /// Most units for one customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_limit: Option<u32>,
    /// Grows with every change of the stock: the higher is the newer.
    pub version: u64,
}

/// What staff and the shop's own use cases may know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Units in the building.
    pub on_hand: i64,
    /// Units held for checkouts, on the clock or pinned.
    pub held: i64,
    /// Those of the held that are on the clock: they may come back within minutes.
    pub reserved: i64,
    /// Units of paid orders that have not left yet.
    pub committed: i64,
    /// Units free to hold, with those that may be backordered.
    pub available: i64,
    /// The rules it is sold by.
    #[serde(flatten)]
    pub settings: Settings,
    /// What the public reads.
    pub stock: Availability,
    /// Changes so far.
    pub version: u64,
}

impl View {
    /// What of this the public may know.
    #[must_use]
    pub const fn public(&self) -> PublicStock {
        PublicStock {
            stock: self.stock,
            promise_at: match self.stock {
                Availability::Preorder => self.settings.promise_at,
                _ => None,
            },
            purchase_limit: self.settings.purchase_limit,
            version: self.version,
        }
    }
}

impl PublicStock {
    /// Whether the public reads the same, whatever the version.
    #[must_use]
    pub fn reads_like(&self, other: &Self) -> bool {
        let version = self.version;
        *self == Self { version, ..*other }
    }
}
