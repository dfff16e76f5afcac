//! The ports of holds.

use crate::inventory::objects::{PromotionObjects, StockObjects};
use crate::inventory::refusals::RefusalMemory;
use crate::orders::ports::OrderPorts;

/// The ports of holds.
pub trait StockPorts: OrderPorts {
    /// The stock objects.
    fn stock(&self) -> impl StockObjects;
    /// The isolate's memory of their refusals.
    fn refusals(&self) -> impl RefusalMemory;
    /// The objects of promotions that can be used up.
    fn promotions(&self) -> impl PromotionObjects;
}
