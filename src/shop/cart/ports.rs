//! Ports needed for the cart of an order.

use crate::cart::CartObjects;
use crate::orders::ports::OrderPorts;

/// Ports needed for the cart of an order.
pub trait CartPorts: OrderPorts {
    /// Cart objects.
    fn carts(&self) -> impl CartObjects;
}
