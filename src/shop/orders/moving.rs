//! Transitions of an order, decided again if it has changed in between.

use crate::codes::Code;
use crate::error::{Error, Result};
use crate::orders::moves::Transition;
use crate::orders::order::Order;
use crate::orders::ports::OrderPorts;
use crate::orders::record::Orders;
use crate::orders::transitions::{OrderStatus, STATUSES, event_towards};
use crate::values::ids::OrderId;
use crate::values::written::Written;
use durable::Timestamp;
use serde_json::json;

/// Maximum number of attempts if other writers keep changing the order first.
const MAX_JUDGEMENTS: u32 = 5;

/// Applies the transition that `decide` returns for the current order, and retries if another
/// writer changed it first. If `decide` returns `None`, the order is returned unchanged.
///
/// # Errors
/// The error of `decide` or of a port.
pub async fn move_order(
    ports: &impl OrderPorts,
    mut order: Order,
    now: Timestamp,
    decide: impl Fn(&Order) -> Result<Option<Transition>>,
) -> Result<Order> {
    for _ in 0..MAX_JUDGEMENTS {
        let Some(transition) = decide(&order)? else {
            return Ok(order);
        };
        if let Written::Landed(moved) = ports.orders().transition(&transition, now).await? {
            return Ok(moved);
        }
        order = find_order(ports, &order.id).await?;
    }
    Err(moved_meanwhile())
}

/// Returns the order with this id.
///
/// # Errors
/// 404.
pub async fn find_order(ports: &impl OrderPorts, order_id: &OrderId) -> Result<Order> {
    ports
        .orders()
        .order(order_id)
        .await?
        .ok_or(Error::NotFound("order"))
}

/// Returns a 503 for a caller that lost to other writers and should try again.
pub const fn moved_meanwhile() -> Error {
    Error::Unavailable {
        code: Code::OrderBusy,
        retry_after_secs: 1,
    }
}

/// Returns a 409 that lists the statuses the order can be given.
pub fn not_allowed(order: &Order) -> Error {
    let allowed: Vec<OrderStatus> = STATUSES
        .into_iter()
        .filter(|to| {
            event_towards(order.status, *to).is_some_and(|happening| order.allows(happening))
        })
        .collect();
    Error::conflict(
        Code::TransitionNotAllowed,
        "The order's current status does not allow this.",
        json!({"order_id": order.id, "order_status": order.status, "allowed": allowed}),
    )
}
