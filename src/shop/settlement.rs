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
pub use session::pin_holds;
pub use tasks::{Round, drive_or_leave, drive_tasks};

use crate::error::{Error, Result};
use crate::shop::disputes::settle_dispute;
use crate::shop::orders::{Order, find_order};
use crate::shop::payments::{Notice, PaymentError, Session};
use crate::shop::ports::{Inbox, Payments, Ports};
use crate::shop::refunds::settle_refund;
use durable::Timestamp;
use fold::fold_session;

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
        Notice::Refund(refund_id) => word(settle_refund(ports, &refund_id, now).await?),
        Notice::Dispute(dispute_id) => word(settle_dispute(ports, &dispute_id, now).await?),
        Notice::Other => "ignored",
    };
    inbox.processed(event_id, outcome, now).await
}

const fn word(is_ours: bool) -> &'static str {
    if is_ours { "settled" } else { "not_ours" }
}

/// The order that took this money, with the payment folded in: what is said of its refunds may come before what is said of itself.
///
/// # Errors
/// When a port fails; repeating is safe.
pub async fn order_of_payment(
    ports: &impl Ports,
    payment_ref: &str,
    now: Timestamp,
) -> Result<Option<Order>> {
    let session = ports
        .payments()
        .session_of_payment(payment_ref)
        .await
        .map_err(PaymentError::into_error)?;
    let Some(session) = session else {
        return Ok(None);
    };
    let Some(order_id) = &session.order_id else {
        return Ok(None);
    };
    let order = find_order(ports, order_id).await?;
    fold_session(ports, order, &session, now).await.map(Some)
}

async fn settle_session(
    ports: &impl Ports,
    session: &Session,
    now: Timestamp,
) -> Result<&'static str> {
    let Some(order_id) = &session.order_id else {
        return Ok("not_ours");
    };
    let order = find_order(ports, order_id).await?;
    settle_order(ports, order, session, now).await?;
    Ok("settled")
}

/// Folds `session` into its order, then carries out what is undone.
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
        assert!(!waits(Notice::Session("cs".into())));
        assert!(!waits(Notice::Refund("re".into())) && !waits(Notice::Dispute("dp".into())));
    }
}
