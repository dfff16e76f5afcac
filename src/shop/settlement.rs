//! From a payment to a settled order: folds what the provider says now into the order, and carries out what must follow.
//!
//! A fold looks at the session as it stands, not at the event that called for it: any permutation and any duplication of
//! events ends in the same order. A move is written with the version it was judged at; who loses reads again. Effects are
//! written with the move and carried out until done, also by an event that finds the order already moved.

use crate::error::{Error, Result};
use crate::shop::checkout::{hold_id, hold_lines, release_lines, thaw_cart, tracked_lines};
use crate::shop::mail::{Letter, MailKind};
use crate::shop::orders::{Effect, Happening, Order, Payment, Status, Transition, judge};
use crate::shop::payments::{Notice, PaymentError, Session, SessionState};
use crate::shop::ports::{
    CartObjects, Inbox, Mail, Orders, Payments, Ports, StockObjects, Written,
};
use durable::machine::Reply;
use durable::{Timestamp, cart, stock};

/// How often a move that lost against another is judged again before giving up until the next event.
const MAX_JUDGEMENTS: u32 = 5;

/// Deals with one stored event: safe to repeat, since it folds the state it finds.
///
/// # Errors
/// When a port fails; the event is to be tried again.
pub async fn handle_event(ports: &impl Ports, event_id: &str, now: Timestamp) -> Result<()> {
    let inbox = ports.inbox();
    let payload = inbox
        .payload(event_id)
        .await?
        .ok_or_else(|| Error::internal(format!("event {event_id} is not in the inbox")))?;
    let outcome = match ports.payments().read_event(&payload)? {
        Notice::Session(session_id) => {
            let session = ports
                .payments()
                .session(&session_id)
                .await
                .map_err(PaymentError::into_error)?;
            settle_session(ports, &session, now).await?
        }
        Notice::Payment(payment_ref) => {
            let session = ports
                .payments()
                .session_of_payment(&payment_ref)
                .await
                .map_err(PaymentError::into_error)?;
            match session {
                Some(session) => settle_session(ports, &session, now).await?,
                None => "not_ours",
            }
        }
        Notice::Refund(_) | Notice::Dispute(_) | Notice::Other => "ignored",
    };
    inbox.processed(event_id, outcome, now).await
}

async fn settle_session(
    ports: &impl Ports,
    session: &Session,
    now: Timestamp,
) -> Result<&'static str> {
    let Some(order_id) = &session.order_id else {
        return Ok("not_ours");
    };
    settle_order(ports, order_id, session, now).await?;
    Ok("settled")
}

/// Folds `session` into its order, then carries out what is undone.
///
/// # Errors
/// When a port fails, or an effect does; repeating is safe.
pub async fn settle_order(
    ports: &impl Ports,
    order_id: &str,
    session: &Session,
    now: Timestamp,
) -> Result<()> {
    let order = find_order(ports, order_id).await?;
    let payment = find_payment(ports, order_id).await?;
    if payment.session_id.is_none() {
        ports
            .orders()
            .open_payment(&payment.id, session, now)
            .await?;
    }
    if let Some(happening) = happening_of(session, &order) {
        move_order(ports, order_id, happening, now).await?;
    }
    drive_effects(ports, order_id, now).await
}

/// Asks the provider how the session of a pending order stands, and folds the answer.
///
/// # Errors
/// As [`settle_order`].
pub async fn check_payment(ports: &impl Ports, order_id: &str, now: Timestamp) -> Result<()> {
    let payment = find_payment(ports, order_id).await?;
    let Some(session_id) = payment.session_id else {
        return drive_effects(ports, order_id, now).await;
    };
    let session = ports
        .payments()
        .session(&session_id)
        .await
        .map_err(PaymentError::into_error)?;
    settle_order(ports, order_id, &session, now).await
}

/// Carries out every undone effect of an order, and those that follow from carrying them out. One that fails is noted and tried
/// again later; the others go on.
///
/// # Errors
/// The first failure, after all were tried.
pub async fn drive_effects(ports: &impl Ports, order_id: &str, now: Timestamp) -> Result<()> {
    let orders = ports.orders();
    let mut failed = Vec::new();
    let mut first_error = None;
    loop {
        let undone = orders.undone_effects(order_id).await?;
        let Some(effect) = undone.into_iter().find(|effect| !failed.contains(effect)) else {
            return first_error.map_or(Ok(()), Err);
        };
        match carry_out(ports, order_id, effect, now).await {
            Ok(()) => orders.effect_done(order_id, effect, now).await?,
            Err(error) => {
                let message = error.to_string();
                orders
                    .effect_failed(order_id, effect, &message, now)
                    .await?;
                failed.push(effect);
                first_error.get_or_insert(error);
            }
        }
    }
}

async fn carry_out(
    ports: &impl Ports,
    order_id: &str,
    effect: Effect,
    now: Timestamp,
) -> Result<()> {
    let order = find_order(ports, order_id).await?;
    match effect {
        Effect::OpenPayment => open_payment(ports, &order, now).await,
        Effect::CommitStock => commit_stock(ports, &order).await,
        Effect::ReleaseStock => release_lines(ports, order_id, order.attempt, &order.lines).await,
        Effect::ThawCart => thaw_cart(ports, &order.cart_id, order_id).await,
        Effect::CompleteCart => complete_cart(ports, &order).await,
        Effect::SendConfirmation => {
            ports
                .mail()
                .post(&Letter::about(MailKind::OrderConfirmation, order_id))
                .await
        }
    }
}

/// Pins before the first call to the provider: from then on the session might be paid, and the holds have no clock.
async fn open_payment(ports: &impl Ports, order: &Order, now: Timestamp) -> Result<()> {
    if order.status != Status::PendingPayment {
        return Ok(());
    }
    if !pin_holds(ports, order).await? {
        return hold_anew(ports, order, now).await;
    }
    if order.totals.total == 0 {
        return move_order(ports, &order.id, Happening::Paid, now).await;
    }
    let payment = find_payment(ports, &order.id).await?;
    if payment.session_id.is_some() {
        return Ok(());
    }
    match ports
        .payments()
        .open_session(&payment.id, &payment.request)
        .await
    {
        Ok(session) => {
            ports
                .orders()
                .open_payment(&payment.id, &session, now)
                .await
        }
        Err(PaymentError::Refused(_)) => {
            move_order(ports, &order.id, Happening::PaymentRefused, now).await
        }
        Err(error) => Err(error.into_error()),
    }
}

/// False when a hold has ended on its clock, before it could be pinned.
async fn pin_holds(ports: &impl Ports, order: &Order) -> Result<bool> {
    for line in tracked_lines(&order.lines) {
        let hold_id = hold_id(&order.id, order.attempt);
        let operation_id = format!("{hold_id}:pin");
        let command = stock::Command::Pin { hold_id };
        match ports.stock().ask(&line.sku, operation_id, command).await? {
            Reply::Done { .. } => {}
            Reply::Refused {
                refusal: stock::Refusal::HoldEnded,
            } => return Ok(false),
            Reply::Refused { refusal } => {
                return Err(Error::internal(format!("pin of {}: {refusal:?}", order.id)));
            }
        }
    }
    Ok(true)
}

/// A hold lapsed before the provider was ever asked: gives the old attempt back and holds again under a new one. The
/// next drive pins it.
async fn hold_anew(ports: &impl Ports, order: &Order, now: Timestamp) -> Result<()> {
    release_lines(ports, &order.id, order.attempt, &order.lines).await?;
    let attempt = order.attempt.saturating_add(1);
    ports
        .orders()
        .next_attempt(&order.id, order.attempt)
        .await?;
    match hold_lines(ports, &order.id, attempt, &order.lines).await {
        Ok(()) => Err(Error::Unavailable {
            code: "held_anew",
            retry_after_secs: 1,
        }),
        Err(Error::Conflict { .. }) => {
            move_order(ports, &order.id, Happening::OutOfStock, now).await
        }
        Err(error) => Err(error),
    }
}

async fn commit_stock(ports: &impl Ports, order: &Order) -> Result<()> {
    for line in tracked_lines(&order.lines) {
        let hold_id = hold_id(&order.id, order.attempt);
        let operation_id = format!("{hold_id}:commit");
        let command = stock::Command::Commit { hold_id };
        let reply = ports.stock().ask(&line.sku, operation_id, command).await?;
        if let Reply::Refused { refusal } = reply {
            return Err(Error::internal(format!(
                "commit of {}: {refusal:?}",
                order.id
            )));
        }
    }
    Ok(())
}

async fn complete_cart(ports: &impl Ports, order: &Order) -> Result<()> {
    let command = cart::Command {
        if_version: None,
        change: cart::Change::Complete {
            order_id: order.id.clone(),
        },
    };
    ports
        .carts()
        .ask(&order.cart_id, format!("{}:complete", order.id), command)
        .await?;
    Ok(())
}

/// Moves an order by the table; nothing when the table says so.
async fn move_order(
    ports: &impl Ports,
    order_id: &str,
    happening: Happening,
    now: Timestamp,
) -> Result<()> {
    for _ in 0..MAX_JUDGEMENTS {
        let order = find_order(ports, order_id).await?;
        let Some(outcome) = judge(order.status, happening) else {
            return Ok(());
        };
        let transition = Transition {
            order_id: order.id,
            from_version: order.version,
            happening,
            outcome,
        };
        if ports.orders().transition(&transition, now).await? == Written::Landed {
            return Ok(());
        }
    }
    Err(Error::internal(format!("{order_id} moves too often")))
}

/// What the session says has happened to the order; none while it can still be paid.
fn happening_of(session: &Session, order: &Order) -> Option<Happening> {
    match session.state {
        SessionState::Open => None,
        SessionState::Processing => Some(Happening::PaymentProcessing),
        SessionState::Expired => Some(Happening::SessionExpired),
        SessionState::Paid
            if session.amount == order.totals.total
                && session.currency == order.currency.code() =>
        {
            Some(Happening::Paid)
        }
        SessionState::Paid => Some(Happening::PaidWrongAmount),
    }
}

async fn find_order(ports: &impl Ports, order_id: &str) -> Result<Order> {
    ports
        .orders()
        .order(order_id)
        .await?
        .ok_or_else(|| Error::internal(format!("no order {order_id}")))
}

async fn find_payment(ports: &impl Ports, order_id: &str) -> Result<Payment> {
    ports
        .orders()
        .payment(order_id)
        .await?
        .ok_or_else(|| Error::internal(format!("no payment of {order_id}")))
}
