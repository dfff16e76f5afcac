//! Commands, events, refusals and views of a stock object.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Maximum number of units that one command may move; far below the precision of a JavaScript
/// number.
pub const MAX_QUANTITY: u32 = 1_000_000;

/// Maximum length of a reason in bytes.
pub const MAX_REASON_BYTES: usize = 200;

/// Default threshold of free units at which stock is shown as `low`.
pub const LOW_THRESHOLD: u32 = 5;

/// A command to a stock object. A `hold_id` names order and attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Adds units that have arrived.
    Receive {
        /// Number of units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
    },
    /// Corrects the count.
    Adjust {
        /// Difference in units, positive or negative; never 0.
        by: i32,
        /// Reason for the change, as written to the journal.
        reason: String,
    },
    /// Sets the count to the number of units in the building.
    Count {
        /// Number of units, at most [`MAX_QUANTITY`] away from the current count.
        quantity: u32,
        /// Reason for the change, as written to the journal.
        reason: String,
    },
    /// Removes units that are spoilt or lost.
    WriteOff {
        /// Number of units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
        /// Reason for the change, as written to the journal.
        reason: String,
    },
    /// Adds shipped units that came back and can be sold again.
    Return {
        /// Number of units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
        /// Reason for the change, as written to the journal.
        reason: String,
    },
    /// Changes the stock policy.
    Configure {
        /// The new policy.
        settings: Settings,
    },
    /// Holds units for a checkout, for `ttl_secs` seconds unless pinned.
    Hold {
        /// ID of the hold, which names the order and the attempt.
        hold_id: String,
        /// Number of units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
        /// Seconds until the hold expires, unless it is pinned.
        ttl_secs: u32,
        /// Digest of the customer whom the purchase limit counts; `None` means the limit applies to
        /// this hold alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
    },
    /// Makes a hold expire `ttl_secs` seconds from now, if that is later than before.
    Extend {
        /// ID of the hold.
        hold_id: String,
        /// Seconds until the hold expires, unless it is pinned.
        ttl_secs: u32,
    },
    /// Stops the hold from expiring, because a payment session that can be paid is about to exist.
    Pin {
        /// ID of the hold.
        hold_id: String,
    },
    /// Releases the units.
    Release {
        /// ID of the hold.
        hold_id: String,
    },
    /// Commits the units to their order, because it is paid.
    Commit {
        /// ID of the hold.
        hold_id: String,
    },
    /// Frees the units that have not shipped yet, because a paid order was cancelled.
    Restock {
        /// ID of the hold.
        hold_id: String,
    },
    /// Records that units of a paid order left the building.
    Ship {
        /// ID of the hold.
        hold_id: String,
        /// Number of units, 1 to the number still committed.
        quantity: u32,
    },
}

impl Command {
    /// Returns the ID of the hold that the command is about.
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

/// Policy by which a SKU is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Number of free units at or below which the public sees `low`.
    pub low_threshold: u32,
    /// Number of units that may be sold beyond those on hand.
    pub backorder_cap: u32,
    /// Instant at which backordered units are promised.
    pub promise_at: Option<Timestamp>,
    /// Maximum number of units that one customer may hold and buy in total; at least 1.
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

/// An event in the life of a SKU's stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Units arrived.
    Received {
        /// Number of units.
        quantity: u32,
    },
    /// The count was corrected.
    Adjusted {
        /// Difference in units.
        by: i32,
        /// Reason for the change, as written to the journal.
        reason: String,
    },
    /// Units were spoilt or lost.
    WrittenOff {
        /// Number of units.
        quantity: u32,
        /// Reason for the change, as written to the journal.
        reason: String,
    },
    /// Shipped units came back.
    Returned {
        /// Number of units.
        quantity: u32,
        /// Reason for the change, as written to the journal.
        reason: String,
    },
    /// The stock policy changed.
    Configured {
        /// The new policy.
        settings: Settings,
    },
    /// Units were held.
    Held {
        /// ID of the hold.
        hold_id: String,
        /// Number of units.
        quantity: u32,
        /// Instant at which it expires unless pinned.
        expires_at: Timestamp,
        /// Digest of the customer whom the purchase limit counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
    },
    /// The expiry of a hold was moved to a later time.
    Extended {
        /// ID of the hold.
        hold_id: String,
        /// Instant at which it now expires unless pinned.
        expires_at: Timestamp,
    },
    /// The hold was pinned and no longer expires.
    Pinned {
        /// ID of the hold.
        hold_id: String,
    },
    /// The hold ended and its units are free again. The ID is remembered until `forget_at`.
    Released {
        /// ID of the hold.
        hold_id: String,
        /// Reason why the hold ended.
        reason: ReleaseReason,
        /// Instant from which the tombstone may be deleted.
        forget_at: Timestamp,
        /// Digest of the customer whose purchase limit no longer counts these units.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
    },
    /// The hold was committed to a paid order.
    Committed {
        /// ID of the hold.
        hold_id: String,
    },
    /// Units of a paid order left the building.
    Shipped {
        /// ID of the hold.
        hold_id: String,
        /// Number of units.
        quantity: u32,
        /// Instant from which the ID may be forgotten, if these were the last units.
        forget_at: Timestamp,
    },
    /// A tombstone was deleted. Written by earlier versions only.
    Forgotten {
        /// ID of the hold.
        hold_id: String,
    },
}

/// Reason why a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// The checkout released it.
    Cancelled,
    /// It expired.
    Expired,
    /// It was released before it was ever held.
    NeverHeld,
    /// Its paid order was cancelled.
    Restocked,
}

/// Reason why a stock object refused a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Not enough units are free.
    Short {
        /// Number of units requested.
        wanted: u32,
        /// Number of units free now.
        available: i64,
        /// True while other checkouts have holds that expire, so that units may become free within
        /// minutes.
        contended: bool,
        /// Number of changes of the stock so far. A reply with a higher number is newer.
        #[serde(default)]
        version: u64,
    },
    /// The customer would exceed the purchase limit.
    OverLimit {
        /// Maximum number of units for one customer.
        limit: u32,
        /// Number of units that this customer may still buy.
        left: u32,
    },
    /// The quantity is 0 or above [`MAX_QUANTITY`].
    QuantityOutOfRange {
        /// Maximum allowed.
        max: u32,
    },
    /// There is no reason, or it is longer than [`MAX_REASON_BYTES`].
    ReasonOutOfRange {
        /// Maximum length in bytes.
        max: usize,
    },
    /// A cap or threshold is above [`MAX_QUANTITY`], or a purchase limit is 0.
    SettingsOutOfRange {
        /// Maximum allowed.
        max: u32,
    },
    /// Fewer units would be left than are promised to checkouts and orders.
    BelowPromised {
        /// Number of units held and committed.
        promised: i64,
    },
    /// The units were backordered and have not arrived yet.
    NotOnHand {
        /// Number of units in the building.
        on_hand: i64,
    },
    /// There is no such hold, or it has ended; hold again under a new attempt.
    HoldEnded,
    /// The hold is committed to a paid order and can't be released.
    AlreadyCommitted,
    /// The hold belongs to no paid order.
    NotCommitted,
    /// The ID names an active hold with another quantity.
    HoldMismatch,
}

/// Availability of a SKU as shown to the public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// More units are free than the low threshold.
    InStock,
    /// Only a few units are free: the low threshold or fewer.
    Low,
    /// No unit is free.
    #[default]
    Out,
    /// No unit on hand is free, but some can be pre-ordered.
    Preorder,
}

/// Public view of a SKU's stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicStock {
    /// Availability.
    pub stock: Availability,
    /// Instant at which pre-ordered units are promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise_at: Option<Timestamp>,
    /// Maximum number of units for one customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_limit: Option<u32>,
    /// Version, which grows with every change of the stock.
    pub version: u64,
}

/// View for staff and for the shop's own use cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Number of units in the building.
    pub on_hand: i64,
    /// Number of units held for checkouts, expiring or pinned.
    pub held: i64,
    /// Number of held units that still expire, and so may become free within minutes.
    pub reserved: i64,
    /// Number of units of paid orders that have not shipped yet.
    pub committed: i64,
    /// Number of units free to hold, including those that may be backordered.
    pub available: i64,
    /// Policy by which the SKU is sold.
    #[serde(flatten)]
    pub settings: Settings,
    /// Availability as shown to the public.
    pub stock: Availability,
    /// Number of changes so far.
    pub version: u64,
}

impl View {
    /// Returns the public view.
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
    /// Returns true when the public view is the same, apart from its version.
    #[must_use]
    pub fn reads_like(&self, other: &Self) -> bool {
        let version = self.version;
        *self == Self { version, ..*other }
    }
}
