//! Commands, events and answers of a promotion.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Maximum number of uses; `None` means unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Maximum number of uses in total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// Maximum number of uses by each customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_customer: Option<u32>,
}

/// A command to a promotion. A `hold_id` names order and attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Holds a use for a checkout, for `ttl_secs` seconds unless pinned.
    Hold {
        /// ID of the hold, which names the order and the attempt.
        hold_id: String,
        /// Digest that identifies the customer.
        customer: String,
        /// Limits that apply to this hold.
        limits: Limits,
        /// Seconds until the hold expires.
        ttl_secs: u32,
    },
    /// Stops the hold from expiring, because a payment session that can be paid is about to exist.
    Pin {
        /// ID of the hold.
        hold_id: String,
    },
    /// Releases the use.
    Release {
        /// ID of the hold.
        hold_id: String,
    },
    /// Consumes the use, because the order is paid.
    Consume {
        /// ID of the hold.
        hold_id: String,
    },
    /// Returns the use, because the whole paid order was cancelled.
    Return {
        /// ID of the hold.
        hold_id: String,
    },
}

impl Command {
    pub(super) fn hold_id(&self) -> &str {
        match self {
            Self::Hold { hold_id, .. }
            | Self::Pin { hold_id }
            | Self::Release { hold_id }
            | Self::Consume { hold_id }
            | Self::Return { hold_id } => hold_id,
        }
    }
}

/// An event in the life of a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A use was held.
    Held {
        /// ID of the hold.
        hold_id: String,
        /// Digest of the customer.
        customer: String,
        /// Instant at which it expires unless pinned.
        expires_at: Timestamp,
    },
    /// A hold was pinned and no longer expires.
    Pinned {
        /// ID of the hold.
        hold_id: String,
    },
    /// A hold ended and its use is free again. The ID is remembered until `forget_at`.
    Released {
        /// ID of the hold.
        hold_id: String,
        /// Digest of the customer; `None` means the use was never held.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
        /// Instant from which the tombstone may be deleted.
        forget_at: Timestamp,
        /// True when the use had been consumed by a paid order. Absent in events of earlier
        /// versions.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        was_consumed: bool,
    },
    /// The use belongs to a paid order. It can be returned until `settles_at`.
    Consumed {
        /// ID of the hold.
        hold_id: String,
        /// Instant from which it counts for good.
        settles_at: Timestamp,
    },
    /// The ID is no longer remembered. Written by earlier versions only.
    Forgotten {
        /// ID of the hold.
        hold_id: String,
    },
}

/// Reason why a promotion refused a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The promotion has been used as often as its limit allows.
    UsedUp {
        /// True while other checkouts have holds that expire, so that a use may become free within
        /// minutes.
        contended: bool,
    },
    /// This customer has used the promotion as often as the limit allows.
    UsedUpByCustomer,
    /// There is no such hold, or it has ended; hold again under a new attempt.
    HoldEnded,
    /// The use belongs to a paid order and can't be released.
    AlreadyConsumed,
    /// The use belongs to no paid order.
    NotConsumed,
    /// The ID names a hold of another customer.
    HoldMismatch,
}

/// State as shown to the shop's use cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Number of uses held for checkouts, expiring or pinned.
    pub held: u32,
    /// Number of held uses that still expire.
    pub reserved: u32,
    /// Number of uses consumed by paid orders.
    pub consumed: u32,
    /// Number of changes so far.
    pub version: u64,
}

impl View {
    /// Returns true when nobody can use the promotion now.
    #[must_use]
    pub fn is_used_up(&self, limits: Limits) -> bool {
        let taken = self.held.saturating_add(self.consumed);
        limits.total.is_some_and(|total| taken >= total)
    }
}
