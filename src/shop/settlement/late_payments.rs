//! Money that arrives for an order that has let go of its stock: the stock is held again if it can
//! be, and the order lives; else the money goes back in full, once.
//!
//! Each run begins an attempt of its own, and the move that begins it has the attempt before it
//! released. The move that ends it holds only at the version that the attempt began, so that an
//! order is confirmed by holds that are its own and pinned, or not at all.

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

/// Holds again what the money is for, or gives it back.
///
/// # Errors
/// When a port fails or the units may still come back: to be tried again.
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
    // What it held would be missing now.
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

/// The attempt is counted up once more, so that what it holds is released with the move.
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
