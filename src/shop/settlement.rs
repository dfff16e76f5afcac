//! From a payment to a settled order: folds what the provider says now into the order, and carries out what must follow.
//!
//! A fold looks at the session as it stands, not at the event that called for it: any permutation and any duplication of
//! events ends in the same order. A move is written with the version it was judged at; who loses reads again. Tasks are
//! written with the move and carried out until done, also by an event that finds the order already moved.

mod fold;
mod goods;
mod session;
mod tasks;

pub use goods::hold_again;
pub use session::{CLOCKS_SECS, pin_holds};
pub use tasks::{Round, drive_or_leave, drive_tasks};

use crate::error::{Error, Result};
use crate::shop::disputes::settle_dispute;
use crate::shop::orders::{Order, find_order};
use crate::shop::payments::{Named, Notice, PaymentError, Session, SessionState};
use crate::shop::ports::{Inbox, Orders, Payments, Ports};
use crate::shop::refunds::settle_refund;
use crate::shop::stray_payments::settle_stray;
use durable::Timestamp;
use fold::{Whose, fold_session, whose};

/// Seconds that the news of a payment waits for that of its session, which comes at the same time and tells as much. Dealt with at once, the
/// two would do everything twice, up to the point where one finds that it lost.
const AFTER_SESSION_SECS: u32 = 5;

/// Seconds after which an event is dealt with.
#[must_use]
pub const fn delay_secs(notice: &Notice) -> u32 {
    match notice {
        Notice::Payment(_) => AFTER_SESSION_SECS,
        _ => 0,
    }
}

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
        Notice::Session { id, named } => settle_named(ports, &id, named, now).await?,
        Notice::Payment(payment_ref) => settle_payment(ports, &payment_ref, now).await?,
        Notice::Refund(refund_id) => word(settle_refund(ports, &refund_id, now).await?),
        Notice::Dispute(dispute_id) => word(settle_dispute(ports, &dispute_id, now).await?),
        Notice::Other => "ignored",
    };
    inbox.processed(event_id, outcome, now).await
}

const fn word(is_ours: bool) -> &'static str {
    if is_ours { "settled" } else { NOT_OURS }
}

/// The outcome of an event about what is no order's.
const NOT_OURS: &str = "not_ours";

/// Who paid money, as far as that concerns the shop.
pub enum Payer {
    /// An order, by its own session, which is folded in: what is said of its refunds may come before what is said of itself.
    Order(Box<Order>),
    /// A stray payment, of which it is written how its refund stands.
    Stray,
    /// Someone who ordered nothing here.
    Nobody,
}

/// Who paid this money.
///
/// # Errors
/// When a port fails; repeating is safe.
pub async fn payer_of(ports: &impl Ports, payment_ref: &str, now: Timestamp) -> Result<Payer> {
    let Some((order, session)) = session_of(ports, payment_ref).await? else {
        return Ok(Payer::Nobody);
    };
    if whose(&order, &session) == Whose::Own {
        let order = fold_session(ports, order, &session, now).await?;
        return Ok(Payer::Order(Box::new(order)));
    }
    match settle_session(ports, order, &session, now).await? {
        NOT_OURS => Ok(Payer::Nobody),
        _ => Ok(Payer::Stray),
    }
}

/// Of a session that names no order of the shop's, the provider is not asked.
async fn settle_named(
    ports: &impl Ports,
    session_id: &str,
    named: Named,
    now: Timestamp,
) -> Result<&'static str> {
    let fetch = async || {
        let session = ports.payments().session(session_id).await;
        session.map_err(PaymentError::into_error)
    };
    let (order, session) = match named {
        Named::Reference(order_id) => match named_order(ports, Some(&order_id)).await? {
            Some(order) => (Some(order), fetch().await?),
            None => return Ok(NOT_OURS),
        },
        Named::Nothing => return Ok(NOT_OURS),
        Named::Unsaid => {
            let session = fetch().await?;
            let order = named_order(ports, session.order_id.as_deref()).await?;
            (order, session)
        }
    };
    match order {
        Some(order) => settle_session(ports, order, &session, now).await,
        None => Ok(NOT_OURS),
    }
}

async fn settle_payment(
    ports: &impl Ports,
    payment_ref: &str,
    now: Timestamp,
) -> Result<&'static str> {
    match session_of(ports, payment_ref).await? {
        Some((order, session)) => settle_session(ports, order, &session, now).await,
        None => Ok(NOT_OURS),
    }
}

/// The session that took this money, with the order that it names.
async fn session_of(ports: &impl Ports, payment_ref: &str) -> Result<Option<(Order, Session)>> {
    let session = ports
        .payments()
        .session_of_payment(payment_ref)
        .await
        .map_err(PaymentError::into_error)?;
    let Some(session) = session else {
        return Ok(None);
    };
    let order = named_order(ports, session.order_id.as_deref()).await?;
    Ok(order.map(|order| (order, session)))
}

async fn named_order(ports: &impl Ports, order_id: Option<&str>) -> Result<Option<Order>> {
    match order_id {
        Some(order_id) => ports.orders().order(order_id).await,
        None => Ok(None),
    }
}

/// What a session means for the order that it names: its own moves it, money of any other goes back or is told.
async fn settle_session(
    ports: &impl Ports,
    order: Order,
    session: &Session,
    now: Timestamp,
) -> Result<&'static str> {
    match whose(&order, session) {
        Whose::Own => {
            settle_order(ports, order, session, now).await?;
            Ok("settled")
        }
        Whose::Shops | Whose::Strangers if session.state != SessionState::Paid => Ok(NOT_OURS),
        others => {
            settle_stray(ports, &order, session, others == Whose::Shops, now).await?;
            Ok("stray")
        }
    }
}

/// Folds the order's own session into it, then carries out what is undone.
///
/// # Errors
/// When a port fails, or a task does; repeating is safe.
pub async fn settle_order(
    ports: &impl Ports,
    order: Order,
    session: &Session,
    now: Timestamp,
) -> Result<Order> {
    let order = fold_session(ports, order, session, now).await?;
    drive_tasks(ports, order, now).await
}

/// Asks the provider how the session of a pending order stands, and folds the answer.
///
/// # Errors
/// As [`settle_order`].
pub async fn check_payment(ports: &impl Ports, order_id: &str, now: Timestamp) -> Result<Order> {
    let order = find_order(ports, order_id).await?;
    let Some(session_id) = order.payment.session_id.clone() else {
        return drive_tasks(ports, order, now).await;
    };
    let session = ports
        .payments()
        .session(&session_id)
        .await
        .map_err(PaymentError::into_error)?;
    settle_order(ports, order, &session, now).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_news_of_a_payment_waits_for_that_of_its_session() {
        let waits = |notice: Notice| delay_secs(&notice) > 0;
        assert!(waits(Notice::Payment("pi".into())));
        assert!(!waits(Notice::Session {
            id: "cs".into(),
            named: Named::Unsaid
        }));
        assert!(!waits(Notice::Refund("re".into())) && !waits(Notice::Dispute("dp".into())));
    }
}
