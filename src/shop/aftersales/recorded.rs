//! Record added to an order, once per key.

use crate::error::{Result, key_reused};
use crate::orders::moves::Transition;
use crate::orders::order::Order;

/// Result of adding a record to an order.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The order in its current state.
    pub order: Order,
    /// True if an earlier request with the same key added the record.
    pub replayed: bool,
}

/// Returns no transition for a repeat, and an error for a different request with the same key.
pub fn same_record(same: bool) -> Result<Option<Transition>> {
    if same {
        return Ok(None);
    }
    Err(key_reused())
}
