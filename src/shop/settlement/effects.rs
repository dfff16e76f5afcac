//! Effects of a transition, carried out until done. A task is safe to carry out twice, even at the
//! same time: each caller carries out everything outstanding in an order, and records successes and
//! failures together.

use crate::cart::of_order::{complete_cart, thaw_cart};
use crate::error::{Error, Result};
use crate::inventory::holds::Holds;
use crate::inventory::order_stock::{restock_return, ship_stock};
use crate::messages::email::EmailJob;
use crate::messages::mail::Mail;
use crate::orders::order::{Order, Task};
use crate::orders::record::{Orders, TaskOutcomes};
use crate::orders::transitions::Effect;
use crate::payments::Session;
use crate::settlement::late_payments::settle_late_money;
use crate::settlement::ports::SettlementPorts;
use crate::settlement::refunds::pay_refund;
use crate::settlement::session::{close_payment, open_payment};
use crate::settlement::stray_payments::give_back;
use durable::Timestamp;

/// Carries out all outstanding tasks of an order, and those that result from them. A failed task is
/// recorded and retried later; the others continue.
///
/// # Errors
/// The first failure, after all tasks were tried.
pub async fn drive_tasks(
    ports: &impl SettlementPorts,
    order: Order,
    now: Timestamp,
) -> Result<Order> {
    let (order, failure) = drive(ports, order, now).await?;
    failure.map_or(Ok(order), Err)
}

/// Same as [`drive_tasks`], for callers that must answer even if a task fails: the failure is
/// recorded with its task, and the sweep retries it.
pub async fn drive_or_leave(ports: &impl SettlementPorts, order: Order, now: Timestamp) -> Order {
    match drive(ports, order.clone(), now).await {
        Ok((driven, _)) => driven,
        Err(_) => order,
    }
}

async fn drive(
    ports: &impl SettlementPorts,
    mut order: Order,
    now: Timestamp,
) -> Result<(Order, Option<Error>)> {
    let mut given_up: Vec<Task> = Vec::new();
    let mut failure = None;
    loop {
        let tasks: Vec<Task> = order
            .tasks
            .iter()
            .filter(|task| !given_up.contains(task))
            .cloned()
            .collect();
        if tasks.is_empty() {
            return Ok((order, failure));
        }
        let mut round = TaskOutcomes::default();
        for task in tasks {
            match carry_out(ports, &order, &task, now).await {
                Ok(opened) => {
                    round.opened = round.opened.or(opened);
                    round.done.push(task);
                }
                Err(error) => {
                    round.failed.push((task.clone(), error.to_string()));
                    given_up.push(task);
                    failure.get_or_insert(error);
                }
            }
        }
        order = ports.orders().finish_round(&order.id, &round, now).await?;
    }
}

/// Carries out one task. Returns the session if the task has opened one.
async fn carry_out(
    ports: &impl SettlementPorts,
    order: &Order,
    task: &Task,
    now: Timestamp,
) -> Result<Option<Session>> {
    let subject = task.subject.as_str();
    match task.effect {
        Effect::OpenPayment => return open_payment(ports, order, now).await,
        Effect::ClosePayment => return close_payment(ports, order, now).await,
        Effect::CommitStock => Holds::of(order).commit(ports).await?,
        Effect::CompleteCart => complete_cart(ports, &order.cart_id, &order.id).await?,
        // Releases the attempt that the task names, since late money may have begun another. Older
        // tasks name none.
        Effect::ReleaseStock | Effect::ReleaseAttempt => {
            let attempt = subject.parse().unwrap_or(order.attempt);
            Holds::of_attempt(order, attempt).release(ports).await?;
        }
        Effect::ThawCart => thaw_cart(ports, &order.cart_id, &order.id, now).await?,
        Effect::RestockOrder => Holds::of(order).restock(ports).await?,
        Effect::ShipStock => ship_stock(ports, order, subject).await?,
        Effect::RestockReturn => restock_return(ports, order, subject).await?,
        Effect::PayRefund => pay_refund(ports, order, subject, now).await?,
        Effect::RefundStray => give_back(ports, subject, now).await?,
        Effect::SettleLateMoney => settle_late_money(ports, order, now).await?,
        // Done once the email is queued; the email itself is done once it is sent (`mail`).
        Effect::SendConfirmation | Effect::SendRefund | Effect::SendPaymentProblem => {
            if let Some(letter) = EmailJob::of_task(&order.id, task) {
                ports.mail().post(&letter).await?;
            }
        }
    }
    Ok(None)
}
