//! The session of an order at the provider: opened, found again, ended.
//!
//! No session is opened for holds that could still lapse or be let go. The first attempt's holds are all there when the order
//! is placed: once every one of them is pinned, none has ended, and none will but by the session's end. A later attempt is
//! held while others may give it up, so it is claimed by a move before its session is opened: of a claim and a surrender that
//! judged the same version one is lost.

use crate::error::{Error, Result};
use crate::shop::checkout::{hold_id, hold_lines, release_lines, tracked_lines};
use crate::shop::money::Money;
use crate::shop::orders::{Order, find_order, move_order, moved_meanwhile};
use crate::shop::payments::{PaymentError, SESSION_SECS, Session};
use crate::shop::ports::{Orders, Payments, Ports, StockObjects, Written};
use crate::shop::settlement::fold::{by_shop, fold_session, paid};
use crate::shop::settlement::goods::refused;
use crate::shop::transitions::{Happening, Status};
use durable::machine::Reply;
use durable::{Timestamp, stock};

/// How often one driver holds an order anew before it leaves it to the next.
const MAX_ATTEMPTS_AT_ONCE: u32 = 3;

/// Seconds for which the request for a session is sent again: the provider takes none that ends within 30 minutes.
const REPLAY_SECS: u32 = 25 * 60;

/// Seconds by which two clocks may differ, and a call may be on its way.
const CLOCKS_SECS: u32 = 5 * 60;

/// Pins before the first call to the provider: from then on the session might be paid, and the holds have no clock.
pub async fn open_payment(
    ports: &impl Ports,
    order: &Order,
    now: Timestamp,
) -> Result<Option<Session>> {
    let mut order = order.clone();
    for attempt in 0.. {
        if attempt == MAX_ATTEMPTS_AT_ONCE {
            return Err(moved_meanwhile());
        }
        if order.status != Status::PendingPayment || order.payment.session_id.is_some() {
            return Ok(None);
        }
        if pin_holds(ports, &order).await? {
            break;
        }
        match hold_anew(ports, &order, now).await? {
            Some(held) => order = held,
            None => return Ok(None),
        }
    }
    if !order.is_claimed() {
        order = claim(ports, &order, Happening::HeldAnew, now).await?;
    }
    if order.totals.total == 0 {
        let nothing = Money::new(0, order.currency);
        move_order(ports, order, now, |order| {
            paid(order, Happening::Paid, nothing, now)
        })
        .await?;
        return Ok(None);
    }
    match find_or_open_session(ports, &order, now).await {
        Ok(Some(session)) => Ok(Some(session)),
        Ok(None) => {
            move_order(ports, order, now, |order| {
                by_shop(order, Happening::SessionExpired, now)
            })
            .await?;
            Ok(None)
        }
        Err(PaymentError::Refused(_)) => {
            move_order(ports, order, now, |order| {
                by_shop(order, Happening::PaymentRefused, now)
            })
            .await?;
            Ok(None)
        }
        Err(error) => Err(error.into_error()),
    }
}

/// Opens the session, as long as its request can still be sent: the same key finds what an earlier call has opened. After that it is
/// looked for among the sessions of its time; none, when it was never opened and no call is on its way.
async fn find_or_open_session(
    ports: &impl Ports,
    order: &Order,
    now: Timestamp,
) -> Result<Option<Session>, PaymentError> {
    let Order { payment, .. } = order;
    let replayable_until = payment.expires_at.minus_secs(SESSION_SECS - REPLAY_SECS);
    if now < replayable_until {
        let opened = ports
            .payments()
            .open_session(&payment.id, &payment.request)
            .await;
        return opened.map(Some);
    }
    let since = order.created_at.minus_secs(CLOCKS_SECS);
    let found = ports.payments().find_session(&order.id, since).await?;
    if found.is_none() && now < replayable_until.plus_secs(CLOCKS_SECS) {
        let message = "the last call to open it may be on its way".to_owned();
        return Err(PaymentError::Unavailable(message));
    }
    Ok(found)
}

/// Expires the session, and folds how it ended: perhaps it was paid before. A session whose opening is not known to have come to
/// nothing is opened first, since the same key finds it.
pub async fn close_payment(
    ports: &impl Ports,
    order: &Order,
    now: Timestamp,
) -> Result<Option<Session>> {
    let opened = open_payment(ports, order, now).await?;
    let known = opened.as_ref().map(|session| session.id.clone());
    let order = find_order(ports, &order.id).await?;
    let session_id = known.or_else(|| order.payment.session_id.clone());
    let (Some(session_id), Status::PendingPayment) = (session_id, order.status) else {
        return Ok(opened);
    };
    let key = format!("{}:expire", order.payment.id);
    let session = match ports.payments().expire_session(&key, &session_id).await {
        // It is no longer open: it has ended by itself, or was paid.
        Err(PaymentError::Refused(_)) => ports.payments().session(&session_id).await,
        answer => answer,
    };
    let session = session.map_err(PaymentError::into_error)?;
    fold_session(ports, order, &session, now).await?;
    Ok(opened)
}

/// False when a hold has ended on its clock, before it could be pinned.
pub async fn pin_holds(ports: &impl Ports, order: &Order) -> Result<bool> {
    for line in tracked_lines(&order.lines) {
        let hold_id = hold_id(&order.id, order.attempt);
        let operation_id = format!("{hold_id}:pin");
        let command = stock::Command::Pin { hold_id };
        match ports.stock().ask(&line.sku, operation_id, command).await? {
            Reply::Done { .. } => {}
            Reply::Refused {
                refusal: stock::Refusal::HoldEnded,
            } => return Ok(false),
            Reply::Refused { refusal } => return Err(refused("pin", order, &refusal)),
        }
    }
    Ok(true)
}

/// A hold lapsed before the provider was ever asked: gives up the attempt, and holds again under a new one. The attempt is let go
/// only after the claim, which fails when someone else has completed it meanwhile. None when the order has come to nothing
/// instead: because it is to be cancelled anyway, or because its units are gone.
async fn hold_anew(ports: &impl Ports, order: &Order, now: Timestamp) -> Result<Option<Order>> {
    if order.is_cancel_requested() {
        claim(ports, order, Happening::Cancelled, now).await?;
        return Ok(None);
    }
    let lapsed = order.attempt;
    let order = claim(ports, order, Happening::HoldLapsed, now).await?;
    release_lines(ports, &order.id, lapsed, &order.lines).await?;
    match hold_lines(ports, &order.id, order.attempt, &order.email, &order.lines).await {
        Ok(()) => Ok(Some(order)),
        Err(Error::Conflict { .. }) => {
            claim(ports, &order, Happening::OutOfStock, now).await?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Moves an order from the very version it was read at, since what was found out holds for that one only.
async fn claim(
    ports: &impl Ports,
    order: &Order,
    happening: Happening,
    now: Timestamp,
) -> Result<Order> {
    let mut transition = by_shop(order, happening, now)?.ok_or_else(moved_meanwhile)?;
    if happening == Happening::HoldLapsed {
        transition.attempt = order.attempt.saturating_add(1);
    }
    match ports.orders().transition(&transition, now).await? {
        Written::Landed(order) => Ok(order),
        Written::Lost => Err(moved_meanwhile()),
    }
}
