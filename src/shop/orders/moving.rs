//! Moves of an order, judged again when it has moved in between.

use crate::error::{Error, Result};
use crate::orders::moves::Transition;
use crate::orders::order::Order;
use crate::orders::ports::OrderPorts;
use crate::orders::record::Orders;
use crate::orders::transitions::{OrderStatus, STATUSES, event_towards};
use crate::values::written::Written;
use durable::Timestamp;
use serde_json::json;

/// Attempts at a move that lost against another, before giving up.
const MAX_JUDGEMENTS: u32 = 5;

/// Moves an order by what `decide` makes of it as it stands, again when it has moved in between;
/// nothing when that is none.
///
/// # Errors
/// What `decide` says, or a port's failure.
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

/// The order with this id.
///
/// # Errors
/// 404.
pub async fn find_order(ports: &impl OrderPorts, order_id: &str) -> Result<Order> {
    ports
        .orders()
        .order(order_id)
        .await?
        .ok_or(Error::NotFound("order"))
}

/// 503 for who lost against another move and should look again.
pub const fn moved_meanwhile() -> Error {
    Error::Unavailable {
        code: "order_busy",
        retry_after_secs: 1,
    }
}

/// 409 with the statuses that the order can be given.
pub fn not_allowed(order: &Order) -> Error {
    let allowed: Vec<OrderStatus> = STATUSES
        .into_iter()
        .filter(|to| {
            event_towards(order.status, *to).is_some_and(|happening| order.allows(happening))
        })
        .collect();
    Error::conflict(
        "transition_not_allowed",
        "The order does not allow this as it stands.",
        json!({"order_id": order.id, "order_status": order.status, "allowed": allowed}),
    )
}
