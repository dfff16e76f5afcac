//! Uses of a promotion, as they are kept.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Use {
    pub(super) status: UseStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) customer: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum UseStatus {
    Reserved { expires_at: Timestamp },
    Pinned,
    Consumed { settles_at: Timestamp },
    Tombstone { forget_at: Timestamp },
}

impl UseStatus {
    /// Returns the instant from which the ID may be forgotten; `None` means it is still held. A
    /// consumed use still counts, in total and for its customer.
    pub(super) const fn forget_at(self) -> Option<Timestamp> {
        match self {
            Self::Consumed { settles_at } => Some(settles_at),
            Self::Tombstone { forget_at } => Some(forget_at),
            Self::Reserved { .. } | Self::Pinned => None,
        }
    }
}
