//! The ports of an order's cart.

use crate::cart::CartObjects;
use crate::orders::ports::OrderPorts;

/// The ports of an order's cart.
pub trait CartPorts: OrderPorts {
    /// The cart objects.
    fn carts(&self) -> impl CartObjects;
}
