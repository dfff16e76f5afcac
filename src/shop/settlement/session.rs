//! Session of an order at the provider: opening, finding and closing it.
//!
//! No session is opened while a hold could still lapse or be released. The first attempt's holds
//! all exist when the order is placed: once every one of them is pinned, none has ended, and none
//! will end before the session does. A later attempt takes its holds while another request may
//! abandon it, so it is claimed by a transition before its session is opened. If a claim and a
//! surrender were decided from the same version, exactly one of them fails.
//!
//! A request is sent again with its key, whatever its age. The provider returns the session it has
//! opened with that key, or refuses to open one whose end is too near. In the latter case there is
//! no session and never will be, and the payment is renewed or the order ends. That is claimed by a
//! transition too, so that nobody ends an order whose payment has just been renewed.

use crate::codes::Code;
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

/// Maximum number of times that one run holds an order anew before it leaves the order to the next.
const MAX_ATTEMPTS_AT_ONCE: u32 = 3;

/// Seconds to allow for differing clocks and calls in flight.
pub const CLOCKS_SECS: u32 = 5 * 60;

/// Seconds for which an order waits for a provider that opens no session: longer than usual
/// outages, and the longest that its units may be kept from others.
const OUTAGE_SECS: u32 = 6 * 60 * 60;

/// Opens the payment. Holds are pinned before the first call to the provider, because from then on
/// the session might be paid; they no longer lapse.
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
                // Any other outcome is handled by the next round.
                Opening::Refused | Opening::None => Err(moved_meanwhile()),
            }
        }
        Opening::None => {
            claim(ports, &order, OrderEventKind::SessionExpired, now).await?;
            Ok(None)
        }
    }
}

/// Outcome of requesting a session for an order.
enum Opening {
    /// The order has this session, possibly opened by an earlier call.
    Opened(Session),
    /// The provider refuses the payment.
    Refused,
    /// The order has no session, and will never have one with this key.
    None,
}

/// Sends the request. With the same key, the provider returns the session that an earlier call
/// opened; once the request is too old, the provider reports that there is none. If it reports
/// neither, because it stored a failure under the key, only its list of sessions can tell.
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

/// Finds the session in the provider's list, once its request is too old. `None` means that no
/// session was opened and no call is in flight, because by now the provider would refuse the
/// request.
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
            code: Code::PaymentsUnavailable,
            retry_after_secs: CLOCKS_SECS,
        });
    }
    Ok(found)
}

/// Begins another payment attempt for an order that is known to have no session, with a new key and
/// an end that the provider accepts. Its units have stayed pinned.
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

/// Ends the session and folds its final state: it may have been paid just before. If it is not
/// certain that no session was opened, it is opened first, since the same key returns the existing
/// one; another task of the same round may have just done so.
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
        // It is no longer open: it has expired or was paid.
        Err(PaymentError::Refused(_)) => payments.session(&session_id).await,
        answer => answer,
    };
    let session = session.map_err(PaymentError::into_error)?;
    fold_session(ports, order, &session, now).await?;
    Ok(opened)
}

/// Called when a hold lapsed before the provider was first asked: abandons the attempt and holds
/// again under a new one. The old attempt is released only after the claim, which fails if another
/// request has completed the attempt in the meantime. `None` means that the order has ended
/// instead: because its cancellation was requested, or because its units are gone or did not come
/// back in time.
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

/// Returns the time since which the order has been without its units.
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

/// Applies a transition only at the version that was read, because the decision is valid for that
/// version only.
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
