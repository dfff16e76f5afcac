//! Cart of an order: thawed if the order is not placed or ends unpaid, emptied of what was bought
//! when it is paid.

use crate::cart::CartObjects;
use crate::cart::ports::CartPorts;
use crate::error::Result;
use crate::values::ids::{CartId, OrderId};
use durable::cart::{Change, Command};
use durable::{Timestamp, cart};

/// Thaws the cart that an order has frozen. Each call is a new operation, because an earlier one
/// may have come before the freeze.
///
/// # Errors
/// Fails if a port fails; thawing again is safe.
pub async fn thaw_cart(
    ports: &impl CartPorts,
    cart_id: &CartId,
    order_id: &OrderId,
    now: Timestamp,
) -> Result<()> {
    let operation_id = format!("{order_id}:thaw:{}", now.as_millis());
    let thaw = Change::Thaw {
        order_id: order_id.as_str().to_owned(),
        alone: false,
    };
    ask(ports, cart_id, operation_id, thaw).await?;
    Ok(())
}

/// Removes the ordered lines from the cart that an order has frozen.
///
/// # Errors
/// Fails if a port fails; calling it again is safe.
pub async fn complete_cart(
    ports: &impl CartPorts,
    cart_id: &CartId,
    order_id: &OrderId,
) -> Result<()> {
    let complete = Change::Complete {
        order_id: order_id.as_str().to_owned(),
    };
    ask(ports, cart_id, format!("{order_id}:complete"), complete).await?;
    Ok(())
}

pub(crate) async fn ask(
    ports: &impl CartPorts,
    cart_id: &CartId,
    operation_id: String,
    change: Change,
) -> Result<cart::Reply> {
    let command = Command {
        if_version: None,
        change,
    };
    ports.carts().ask(cart_id, operation_id, command).await
}
