//! The ports of moves of orders.

use crate::orders::findings::FindingRecord;
use crate::orders::record::Orders;
use crate::values::clock::Clock;

/// The ports of moves of orders.
pub trait OrderPorts: Clock {
    /// Checkouts, orders, their effects.
    fn orders(&self) -> impl Orders;
    /// Findings, kept for staff.
    fn findings(&self) -> impl FindingRecord;
}
