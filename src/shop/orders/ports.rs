//! Ports needed to change orders.

use crate::orders::findings::FindingRecord;
use crate::orders::record::Orders;
use crate::values::clock::Clock;

/// Ports needed to change orders.
pub trait OrderPorts: Clock {
    /// Store of orders and their tasks.
    fn orders(&self) -> impl Orders;
    /// Store of findings for staff.
    fn findings(&self) -> impl FindingRecord;
}
