//! Money that arrives for an order that has already released its stock. If the stock can be held
//! again, the order is revived; otherwise the money is refunded in full, once.
//!
//! Each run begins a new attempt, with a transition that releases the attempt before it. The
//! transition that ends the run is written only at the version of that attempt, so that an order is
//! confirmed only with pinned holds of its own.

use crate::error::Result;
use crate::inventory::holds::Holds;
use crate::inventory::order_stock::hold_again;
use crate::orders::moves::{Transition, with_money};
use crate::orders::moving::moved_meanwhile;
use crate::orders::order::{Actor, Order};
use crate::orders::record::Orders;
use crate::orders::records::record_id;
use crate::orders::transitions::OrderEventKind;
use crate::settlement::ports::SettlementPorts;
use crate::settlement::refunds::promised;
use crate::values::written::Written;
use durable::Timestamp;

/// Holds the goods of late money again, or refunds it.
///
/// # Errors
/// Fails if a port fails or the units may still come back; retry later.
pub async fn settle_late_money(
    ports: &impl SettlementPorts,
    order: &Order,
    now: Timestamp,
) -> Result<()> {
    if !order.status.is_dead() || order.kept().is_none() {
        return Ok(());
    }
    let given_up = order.attempt;
    let order = begin_attempt(ports, order, now).await?;
    // Units held by the old attempt would be missing from stock now.
    Holds::of_attempt(&order, given_up).release(ports).await?;
    if !hold_again(ports, &order, paid_at(&order), now).await? {
        return give_back(ports, &order, now).await;
    }
    if !Holds::of(&order).pin(ports).await? {
        return Err(moved_meanwhile());
    }
    let transition = Transition::of(&order, OrderEventKind::ConfirmedLate, Actor::Shop, now)
        .ok_or_else(moved_meanwhile)?;
    write(ports, with_money(&order, transition, "", now)?, now)
        .await
        .map(drop)
}

async fn begin_attempt(
    ports: &impl SettlementPorts,
    order: &Order,
    now: Timestamp,
) -> Result<Order> {
    let mut transition = Transition::of(order, OrderEventKind::LateAttempt, Actor::Shop, now)
        .ok_or_else(moved_meanwhile)?;
    transition.attempt = order.attempt.saturating_add(1);
    write(ports, transition, now).await
}

/// Increases the attempt number, so that the transition also releases the holds of this attempt.
async fn give_back(ports: &impl SettlementPorts, order: &Order, now: Timestamp) -> Result<()> {
    let Some(amount) = order.refundable() else {
        return Ok(());
    };
    let mut transition = Transition::of(order, OrderEventKind::TooLate, Actor::Shop, now)
        .ok_or_else(moved_meanwhile)?;
    transition.attempt = order.attempt.saturating_add(1);
    let refund_id = record_id("re", &order.id, "too late");
    write(
        ports,
        promised(order, transition, &refund_id, amount, now)?,
        now,
    )
    .await
    .map(drop)
}

async fn write(
    ports: &impl SettlementPorts,
    transition: Transition,
    now: Timestamp,
) -> Result<Order> {
    match ports.orders().transition(&transition, now).await? {
        Written::Landed(order) => Ok(order),
        Written::Lost => Err(moved_meanwhile()),
    }
}

fn paid_at(order: &Order) -> Option<Timestamp> {
    let paid = order
        .events
        .iter()
        .find(|event| event.happening == OrderEventKind::Paid);
    paid.map(|event| event.at)
}
