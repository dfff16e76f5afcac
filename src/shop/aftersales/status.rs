//! Changes of an order's status by staff, and cancellation.

use crate::error::{Error, Result};
use crate::orders::moves::{Transition, with_money};
use crate::orders::moving::{find_order, move_order, not_allowed};
use crate::orders::order::{Actor, Order};
use crate::orders::transitions::{OrderStatus, event_towards};
use crate::settlement::effects;
use crate::settlement::ports::SettlementPorts;
use crate::values::ids::OrderId;
use crate::values::text::check_text;
use durable::Timestamp;

/// Details of a person's request about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Person who makes the request.
    pub actor: Actor,
    /// Reason in their words.
    pub note: Option<String>,
    /// Version that the order must be at. `None` means any.
    pub if_version: Option<u64>,
    /// Id of the refund that may result.
    pub refund_id: String,
}

/// Gives an order the status requested by staff, as far as the table permits. A pending order is
/// cancelled only once the provider has ended its session, because until then it can still be paid.
///
/// # Errors
/// 404; 409 `transition_not_allowed` with the allowed statuses; 412 for a stale version.
pub async fn set_order_status(
    ports: &impl SettlementPorts,
    order_id: &OrderId,
    status: OrderStatus,
    instruction: Instruction,
    now: Timestamp,
) -> Result<Order> {
    check_text("note", instruction.note.as_deref())?;
    let order = find_order(ports, order_id).await?;
    let order = move_order(ports, order, now, |order| {
        let waits_for_it = status == OrderStatus::Cancelled && order.is_cancel_requested();
        if order.status == status || (order.status == OrderStatus::PendingPayment && waits_for_it) {
            return Ok(None);
        }
        instruction.check_version(order)?;
        let transition = event_towards(order.status, status)
            .filter(|happening| order.allows(*happening))
            .and_then(|happening| Transition::of(order, happening, instruction.actor.clone(), now))
            .ok_or_else(|| not_allowed(order))?;
        let transition = transition.noted(instruction.note.clone());
        with_money(order, transition, &instruction.refund_id, now).map(Some)
    })
    .await?;
    Ok(effects::drive_or_leave(ports, order, now).await)
}

/// Cancels an order of which nothing has been shipped.
///
/// # Errors
/// Same as [`set_order_status`]. An order that has already expired or been cancelled is left
/// unchanged.
pub async fn cancel_order(
    ports: &impl SettlementPorts,
    order_id: &OrderId,
    instruction: Instruction,
    now: Timestamp,
) -> Result<Order> {
    let order = find_order(ports, order_id).await?;
    if order.status.is_dead() {
        return Ok(order);
    }
    set_order_status(ports, order_id, OrderStatus::Cancelled, instruction, now).await
}

impl Instruction {
    fn check_version(&self, order: &Order) -> Result<()> {
        match self.if_version {
            Some(version) if version != order.version => Err(Error::PreconditionFailed {
                version: order.version,
            }),
            _ => Ok(()),
        }
    }
}
