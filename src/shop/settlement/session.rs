//! The session of an order at the provider: opened, found again, ended.
//!
//! No session is opened for holds that could still lapse or be let go. The first attempt's holds
//! are all there when the order is placed: once every one of them is pinned, none has ended, and
//! none will but by the session's end. A later attempt is held while others may give it up, so it
//! is claimed by a move before its session is opened: of a claim and a surrender that judged the
//! same version one is lost.
//!
//! A request is sent again under its key, whatever its age: the provider tells the session that it
//! has opened under that key, and refuses to open one whose end is too near. Then there is none and
//! will be none, and the payment is renewed or the order ends. That is claimed by a move too, so
//! that nobody gives up an order whose payment another has just renewed.

use crate::error::{Error, Result};
use crate::inventory::holds::Holds;
use crate::inventory::order_stock::hold_again;
use crate::orders::moves::{OrderRecord, Renewal, Transition};
use crate::orders::moving::{find_order, move_order, moved_meanwhile};
use crate::orders::order::{Order, Payment};
use crate::orders::record::Orders;
use crate::orders::transitions::{OrderEventKind, OrderStatus};
use crate::payments::{PaymentError, Payments, SESSION_SECS, Session};
use crate::settlement::fold::{by_shop, fold_session, paid};
use crate::settlement::ports::SettlementPorts;
use crate::values::money::Money;
use crate::values::written::Written;
use durable::Timestamp;

/// How often one driver holds an order anew before it leaves it to the next.
const MAX_ATTEMPTS_AT_ONCE: u32 = 3;

/// Seconds by which two clocks may differ, and a call may be on its way.
pub const CLOCKS_SECS: u32 = 5 * 60;

/// Seconds for which an order waits for a provider that opens no session: longer than outages are,
/// and no longer than its units can be kept from others.
const OUTAGE_SECS: u32 = 6 * 60 * 60;

/// Pins before the first call to the provider: from then on the session might be paid, and the
/// holds have no clock.
pub async fn open_payment(
    ports: &impl SettlementPorts,
    order: &Order,
    now: Timestamp,
) -> Result<Option<Session>> {
    let mut order = order.clone();
    for attempt in 0.. {
        if attempt == MAX_ATTEMPTS_AT_ONCE {
            return Err(moved_meanwhile());
        }
        if order.status != OrderStatus::PendingPayment || order.payment.session_id.is_some() {
            return Ok(None);
        }
        if Holds::of(&order).pin(ports).await? {
            break;
        }
        match hold_anew(ports, &order, now).await? {
            Some(held) => order = held,
            None => return Ok(None),
        }
    }
    if !order.is_claimed() {
        order = claim(ports, &order, OrderEventKind::HeldAnew, now).await?;
    }
    if order.totals.total == 0 {
        let nothing = Money::new(0, order.currency);
        move_order(ports, order, now, |order| {
            if order.status == OrderStatus::PendingPayment && order.is_cancel_requested() {
                return by_shop(order, OrderEventKind::Cancelled, now);
            }
            paid(order, OrderEventKind::Paid, nothing, now)
        })
        .await?;
        return Ok(None);
    }
    match request_session(ports, &order).await? {
        Opening::Opened(session) => Ok(Some(session)),
        Opening::Refused => {
            claim(ports, &order, OrderEventKind::PaymentRefused, now).await?;
            Ok(None)
        }
        Opening::None if order.is_cancel_requested() => {
            claim(ports, &order, OrderEventKind::Cancelled, now).await?;
            Ok(None)
        }
        Opening::None if ports.clock() < order.created_at.plus_secs(OUTAGE_SECS) => {
            let order = renew_payment(ports, &order, now).await?;
            match request_session(ports, &order).await? {
                Opening::Opened(session) => Ok(Some(session)),
                // Whatever else it says, the next round hears again.
                Opening::Refused | Opening::None => Err(moved_meanwhile()),
            }
        }
        Opening::None => {
            claim(ports, &order, OrderEventKind::SessionExpired, now).await?;
            Ok(None)
        }
    }
}

/// Outcome of an order's request for a session.
enum Opening {
    /// It has this one, perhaps since an earlier call.
    Opened(Session),
    /// The provider does not take it.
    Refused,
    /// It has none, and will have none under this key.
    None,
}

/// Sends the request. The same key finds what an earlier call has opened; once the request is too
/// old, the provider says so if none has. Where it says neither, since it keeps a failure under the
/// key, only its list of sessions tells.
async fn request_session(ports: &impl SettlementPorts, order: &Order) -> Result<Opening> {
    let payment = &order.payment;
    let answer = ports
        .payments(payment.provider)?
        .open_session(&payment.key(), &payment.request)
        .await;
    match answer {
        Ok(session) => Ok(Opening::Opened(session)),
        Err(PaymentError::Refused(_)) => Ok(Opening::Refused),
        Err(PaymentError::TooLate(_)) => Ok(Opening::None),
        Err(PaymentError::Unknown(_)) if payment.replayable_until() <= ports.clock() => {
            let found = find_session(ports, order).await?;
            Ok(found.map_or(Opening::None, Opening::Opened))
        }
        Err(error) => Err(error.into_error()),
    }
}

/// The session among those of its time, once its request is too old. None: no session was opened
/// and no call is on its way, since the provider would refuse the request by now.
async fn find_session(ports: &impl SettlementPorts, order: &Order) -> Result<Option<Session>> {
    let began_at = order.payment.expires_at.minus_secs(SESSION_SECS);
    let settled_at = order.payment.replayable_until().plus_secs(CLOCKS_SECS);
    let from = began_at.minus_secs(CLOCKS_SECS);
    let until = settled_at.plus_secs(CLOCKS_SECS);
    let found = ports
        .payments(order.payment.provider)?
        .find_session(&order.id, &order.payment.key(), from, until)
        .await
        .map_err(PaymentError::into_error)?;
    if found.is_none() && ports.clock() < settled_at {
        return Err(Error::Unavailable {
            code: "payments_unavailable",
            retry_after_secs: CLOCKS_SECS,
        });
    }
    Ok(found)
}

/// Begins another attempt at the payment of an order of which it is known that it has no session:
/// with another key, and an end that the provider takes. Its units have stayed pinned.
async fn renew_payment(
    ports: &impl SettlementPorts,
    order: &Order,
    now: Timestamp,
) -> Result<Order> {
    let expires_at = ports.clock().plus_secs(SESSION_SECS);
    let payment = &order.payment;
    let attempt = payment.attempt.saturating_add(1);
    let key = Payment::key_of(&payment.id, attempt);
    let renewal = Renewal {
        attempt,
        request: ports
            .payments(payment.provider)?
            .renew(&payment.request, &key, expires_at)?,
        expires_at,
    };
    let transition = by_shop(order, OrderEventKind::PaymentRenewed, now)?;
    let transition = transition.map(|it| it.with(OrderRecord::Renewed(renewal)));
    land(ports, transition, now).await
}

/// Expires the session, and folds how it ended: perhaps it was paid before. A session whose opening
/// is not known to have come to nothing is opened first, since the same key finds it; another task
/// of the same round may have just done so.
pub async fn close_payment(
    ports: &impl SettlementPorts,
    order: &Order,
    now: Timestamp,
) -> Result<Option<Session>> {
    let order = find_order(ports, &order.id).await?;
    let opened = open_payment(ports, &order, now).await?;
    let known = opened.as_ref().map(|session| session.id.clone());
    let order = find_order(ports, &order.id).await?;
    let session_id = known.or_else(|| order.payment.session_id.clone());
    let (Some(session_id), OrderStatus::PendingPayment) = (session_id, order.status) else {
        return Ok(opened);
    };
    let key = format!("{}:expire", order.payment.key());
    let payments = ports.payments(order.payment.provider)?;
    let session = match payments.expire_session(&key, &session_id).await {
        // It is no longer open: it has ended by itself, or was paid.
        Err(PaymentError::Refused(_)) => payments.session(&session_id).await,
        answer => answer,
    };
    let session = session.map_err(PaymentError::into_error)?;
    fold_session(ports, order, &session, now).await?;
    Ok(opened)
}

/// A hold lapsed before the provider was ever asked: gives up the attempt, and holds again under a
/// new one. The attempt is let go only after the claim, which fails when someone else has completed
/// it meanwhile. None when the order has come to nothing instead: because it is to be cancelled
/// anyway, or because its units are gone, or did not come back in time.
async fn hold_anew(
    ports: &impl SettlementPorts,
    order: &Order,
    now: Timestamp,
) -> Result<Option<Order>> {
    if order.is_cancel_requested() {
        claim(ports, order, OrderEventKind::Cancelled, now).await?;
        return Ok(None);
    }
    let lapsed = order.attempt;
    let order = claim(ports, order, OrderEventKind::HoldLapsed, now).await?;
    Holds::of_attempt(&order, lapsed).release(ports).await?;
    if hold_again(ports, &order, without_since(&order), now).await? {
        return Ok(Some(order));
    }
    claim(ports, &order, OrderEventKind::OutOfStock, now).await?;
    Ok(None)
}

/// Since when the order is without its units.
fn without_since(order: &Order) -> Option<Timestamp> {
    let without = order
        .events
        .iter()
        .rev()
        .take_while(|event| event.happening != OrderEventKind::HeldAnew)
        .filter(|event| event.happening == OrderEventKind::HoldLapsed)
        .last();
    without.map(|event| event.at)
}

/// Moves an order from the very version it was read at, since what was found out holds for that one
/// only.
async fn claim(
    ports: &impl SettlementPorts,
    order: &Order,
    happening: OrderEventKind,
    now: Timestamp,
) -> Result<Order> {
    let mut transition = by_shop(order, happening, now)?;
    if let Some(transition) = &mut transition
        && happening == OrderEventKind::HoldLapsed
    {
        transition.attempt = order.attempt.saturating_add(1);
    }
    land(ports, transition, now).await
}

async fn land(
    ports: &impl SettlementPorts,
    transition: Option<Transition>,
    now: Timestamp,
) -> Result<Order> {
    let transition = transition.ok_or_else(moved_meanwhile)?;
    match ports.orders().transition(&transition, now).await? {
        Written::Landed(order) => Ok(order),
        Written::Lost => Err(moved_meanwhile()),
    }
}
