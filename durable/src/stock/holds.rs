//! Counting: the totals, and each hold in one of them.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    pub(super) on_hand: i64,
    pub(super) reserved: i64,
    pub(super) pinned: i64,
    pub(super) committed: i64,
    pub(super) version: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hold {
    pub(super) quantity: u32,
    pub(super) status: HoldStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) customer: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HoldStatus {
    Reserved { expires_at: Timestamp },
    Pinned,
    Committed,
    Shipped { forget_at: Timestamp },
    Tombstone { forget_at: Timestamp },
}

impl Hold {
    pub(super) const fn tombstone(forget_at: Timestamp) -> Self {
        Self {
            quantity: 0,
            status: HoldStatus::Tombstone { forget_at },
            customer: None,
        }
    }
}

impl HoldStatus {
    pub(super) const fn expires_at(self) -> Option<Timestamp> {
        match self {
            Self::Reserved { expires_at } => Some(expires_at),
            _ => None,
        }
    }

    /// Returns the instant from which the ID may be forgotten; `None` means it is still open.
    pub(super) const fn forget_at(self) -> Option<Timestamp> {
        match self {
            Self::Shipped { forget_at } | Self::Tombstone { forget_at } => Some(forget_at),
            Self::Reserved { .. } | Self::Pinned | Self::Committed => None,
        }
    }
}
