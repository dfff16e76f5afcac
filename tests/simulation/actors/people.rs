//! Staff, the bank and the merchant.

use crate::actors::{instruction, publish};
use crate::ports::Sim;
use crate::provider::Other;
use crate::scheduler::request;
use shop::aftersales::fulfillments::{
    NewFulfillment, NewReturn, create_fulfillment, create_return, deliver_fulfillment,
};
use shop::aftersales::refunds::{AskedRefund, create_refund};
use shop::aftersales::status::set_order_status;
use shop::error::Result;
use shop::orders::order::Actor;
use shop::orders::ports::OrderPorts;
use shop::orders::record::Orders;
use shop::orders::records::{Tracking, Units};
use shop::orders::transitions::OrderStatus;
use shop::payments::RefundState;
use shop::values::ids::OrderId;
use shop::values::money::Money;
use shop::values::staff_name::StaffName;

/// Ships, delivers, takes back and cancels whatever it finds.
pub async fn staff(sim: Sim) {
    let world = &sim.0;
    if world.random.chance(300) {
        return;
    }
    let orders = world
        .db
        .ask("SELECT id FROM orders WHERE status IN ('confirmed', 'completed', 'payment_review') ORDER BY number");
    if orders.is_empty() {
        return;
    }
    let order_id = OrderId::from(world.random.pick(&orders).as_str().unwrap());
    let (mine, work) = (sim.clone(), world.random.below(8));
    request(world, async move { handle(&mine, &order_id, work).await }).await;
}

async fn handle(sim: &Sim, order_id: &OrderId, work: u64) {
    let world = &sim.0;
    let now = world.now();
    let Ok(Some(order)) = sim.orders().order(order_id).await else {
        return;
    };
    if order.status == OrderStatus::PaymentReview {
        return decide(sim, order_id).await;
    }
    let id = world.name("rec");
    let _ = match work {
        0 | 1 => {
            let mut lines = order.unshipped();
            lines.truncate(1);
            lines.iter_mut().for_each(|units| units.quantity = 1);
            ship(sim, order_id, &id, Some(lines)).await
        }
        2 => ship(sim, order_id, &id, None).await,
        3 => match order.fulfillments.first() {
            Some(parcel) => {
                deliver_fulfillment(sim, order_id, &parcel.id, &StaffName::default(), now)
                    .await
                    .map(drop)
            }
            None => Ok(()),
        },
        4 => {
            let new = NewReturn {
                lines: order.returnable(),
                restock: world.random.chance(500),
                reason: None,
            };
            create_return(sim, order_id, &id, new, &StaffName::default(), now)
                .await
                .map(drop)
        }
        6 if world.random.chance(500) => {
            let asked = AskedRefund {
                amount: Some(Money::new(100, order.currency)),
                reason: None,
            };
            create_refund(sim, order_id, &id, asked, &StaffName::default(), now)
                .await
                .map(drop)
        }
        6 => {
            if let Some(session_id) = &order.payment.session_id {
                let made = world.provider.borrow_mut().refund_elsewhere(session_id);
                world.note(format!("{session_id} is refunded elsewhere: {made}"));
            }
            Ok(())
        }
        5 => set_order_status(
            sim,
            order_id,
            OrderStatus::Completed,
            instruction(world, Actor::Staff(StaffName::default())),
            now,
        )
        .await
        .map(drop),
        _ if world.random.chance(300) => set_order_status(
            sim,
            order_id,
            OrderStatus::Cancelled,
            instruction(world, Actor::Staff(StaffName::default())),
            now,
        )
        .await
        .map(drop),
        _ => Ok(()),
    };
}

/// Decides on every order that was paid differently from how it was placed.
pub async fn decide_reviews(sim: Sim) {
    let left = "SELECT id FROM orders WHERE status = 'payment_review' ORDER BY number";
    for order_id in sim.0.db.ask(left) {
        decide(&sim, &order_id.as_str().unwrap().into()).await;
    }
}

async fn decide(sim: &Sim, order_id: &OrderId) {
    let world = &sim.0;
    let status = *world
        .random
        .pick(&[OrderStatus::Confirmed, OrderStatus::Cancelled]);
    let by_staff = instruction(world, Actor::Staff(StaffName::default()));
    let decided = set_order_status(sim, order_id, status, by_staff, world.now()).await;
    let outcome = decided.map(|order| order.status);
    world.note(format!(
        "staff decide that {order_id} is {status:?}: {outcome:?}"
    ));
}

/// Ships a parcel, which sometimes arrives at once.
async fn ship(sim: &Sim, order_id: &OrderId, id: &str, lines: Option<Vec<Units>>) -> Result<()> {
    let (world, by) = (&sim.0, StaffName::default());
    let new = NewFulfillment {
        lines,
        tracking: Tracking::default(),
    };
    create_fulfillment(sim, order_id, id, new, &by, world.now()).await?;
    if world.random.chance(500) {
        deliver_fulfillment(sim, order_id, id, &by, world.now()).await?;
    }
    Ok(())
}

/// Disputes payments, decides disputes, and returns refunds, even those that had arrived.
pub async fn bank(sim: Sim) {
    let world = &sim.0;
    if world.random.chance(980) {
        return;
    }
    let mut provider = world.provider.borrow_mut();
    let some = |ids: Vec<String>| {
        ids.get(world.random.below(ids.len() as u64) as usize)
            .cloned()
    };
    let told = match world.random.below(3) {
        0 => some(provider.sessions.keys().cloned().collect())
            .map(|id| format!("{id} is disputed: {}", provider.dispute(&id))),
        1 => some(provider.disputes.keys().cloned().collect()).map(|id| {
            let won = world.random.chance(500);
            format!("{id} is decided, won: {won}: {}", provider.decide(&id, won))
        }),
        _ => some(provider.refunds.keys().cloned().collect()).map(|id| {
            let failed = provider.end_refund(&id, RefundState::Failed);
            format!("{id} comes back: {failed}")
        }),
    };
    told.into_iter().for_each(|line| world.note(line));
}

/// Other businesses that use the same account, and name arbitrary orders. Occasionally, money
/// arrives through a session that the shop had abandoned.
pub async fn strangers(sim: Sim) {
    let world = &sim.0;
    if world.random.chance(985) {
        return;
    }
    let mut provider = world.provider.borrow_mut();
    let own: Vec<String> = provider.sessions.keys().cloned().collect();
    let own: Vec<String> = own.into_iter().filter(|id| provider.is_own(id)).collect();
    if own.is_empty() {
        return;
    }
    let beside = world.random.pick(&own);
    let other = *world
        .random
        .pick(&[Other::Shops, Other::Strangers, Other::OfNoOrder]);
    let amount = provider.sessions[beside].session.amount;
    let amount = *world.random.pick(&[amount, 100]);
    let id = provider.open_beside(beside, other, amount);
    let what = match world.random.below(6) {
        0..=2 => provider.pay(&id),
        3 => provider.pay(&id) && provider.refund_elsewhere(&id),
        4 => provider.end(&id).is_ok(),
        _ => provider.pay_slowly(&id),
    };
    world.note(format!("{id} of {other:?} beside {beside}: {what}"));
}

pub async fn merchant(sim: Sim) {
    let world = &sim.0;
    if world.random.chance(995) {
        return;
    }
    let seq = world.db.ask("SELECT MAX(seq) + 1 FROM publishes")[0]
        .as_i64()
        .unwrap();
    publish(world, seq, *world.random.pick(&[0, 900, 1000, 1100]));
    world.note(format!("publish {seq}"));
}
