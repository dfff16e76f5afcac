//! A record made of an order, once per key.

use crate::error::{Result, key_reused};
use crate::orders::moves::Transition;
use crate::orders::order::Order;

/// An order, and whether an earlier request with the same key made the record.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The order in its current state.
    pub order: Order,
    /// True when nothing was changed.
    pub replayed: bool,
}

/// A repeat changes nothing; another request under the same key is refused.
pub fn same_record(same: bool) -> Result<Option<Transition>> {
    if same {
        return Ok(None);
    }
    Err(key_reused())
}
