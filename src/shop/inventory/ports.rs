//! Ports needed for holds.

use crate::inventory::objects::{PromotionObjects, StockObjects};
use crate::inventory::refusals::RefusalMemory;
use crate::orders::ports::OrderPorts;

/// Ports needed for holds.
pub trait StockPorts: OrderPorts {
    /// Stock objects.
    fn stock(&self) -> impl StockObjects;
    /// The isolate's memory of refusals.
    fn refusals(&self) -> impl RefusalMemory;
    /// Promotion objects.
    fn promotions(&self) -> impl PromotionObjects;
}
