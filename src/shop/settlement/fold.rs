//! Translation of a session's state into a transition of its order.

use crate::error::{Error, Result};
use crate::orders::ledger::Journal;
use crate::orders::moves::{Transition, with_money};
use crate::orders::moving::{move_order, moved_meanwhile};
use crate::orders::order::{Actor, Order};
use crate::orders::record::{Orders, TaskOutcomes};
use crate::orders::transitions::OrderEventKind;
use crate::payments::{Opener, PaymentStatus, Session, SessionState};
use crate::settlement::ports::SettlementPorts;
use crate::values::money::{Currency, Money};
use durable::Timestamp;

/// Owner of a session that names an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The order's own session.
    Own,
    /// A session that the shop opened in an abandoned attempt.
    Shops,
    /// Anyone else who takes payments with the same account.
    Strangers,
}

/// Returns the owner of `session`. An event about an order's own session may arrive before the
/// answer to the request that opened it; then it is recognized by its key. A session at a provider
/// other than the order's is not its own.
pub fn whose(order: &Order, session: &Session) -> Whose {
    let payment = &order.payment;
    let is_there = session.provider == payment.provider;
    let is_known = |key: &Option<String>| match (&payment.session_id, key) {
        (Some(_), _) => false,
        (None, Some(key)) => *key == payment.key(),
        (None, None) => true,
    };
    let is_of_payment = |key: &Option<String>| key.as_ref().is_none_or(|key| payment.has_key(key));
    match &session.opener {
        _ if is_there && payment.session_id.as_ref() == Some(&session.id) => Whose::Own,
        Opener::Shop { key } if is_there && is_known(key) => Whose::Own,
        Opener::Shop { key } if is_of_payment(key) => Whose::Shops,
        Opener::Shop { .. } | Opener::Other => Whose::Strangers,
    }
}

/// Writes the state of the order's own session into the order, unless it says nothing new.
pub async fn fold_session(
    ports: &impl SettlementPorts,
    mut order: Order,
    session: &Session,
    now: Timestamp,
) -> Result<Order> {
    if order.payment.session_id.is_none() {
        let round = TaskOutcomes {
            opened: Some(session.clone()),
            ..TaskOutcomes::default()
        };
        order = ports.orders().finish_round(&order.id, &round, now).await?;
        if order.payment.session_id.as_ref() != Some(&session.id) {
            return Err(moved_meanwhile());
        }
    }
    move_order(ports, order, now, |order| {
        judge_session(order, session, now)
    })
    .await
}

/// Returns the transition for the session's state. `None` means that it can still be paid, or that
/// the order already knows.
fn judge_session(order: &Order, session: &Session, now: Timestamp) -> Result<Option<Transition>> {
    match session.state {
        SessionState::Open => Ok(None),
        SessionState::Processing if order.payment.status == PaymentStatus::Processing => Ok(None),
        SessionState::Processing => by_shop(order, OrderEventKind::PaymentProcessing, now),
        SessionState::Expired if order.is_cancel_requested() => {
            by_shop(order, OrderEventKind::Cancelled, now)
        }
        SessionState::Expired => by_shop(order, OrderEventKind::SessionExpired, now),
        SessionState::Failed => by_shop(order, OrderEventKind::PaymentFailed, now),
        SessionState::Paid => {
            let currency = Currency::from_code(&session.currency)
                .ok_or_else(|| Error::internal("a session in no currency"))?;
            let captured = Money::new(session.amount, currency);
            let as_ordered = Money::new(order.totals.total, order.currency);
            let happening = if captured == as_ordered {
                OrderEventKind::Paid
            } else {
                OrderEventKind::PaidWrongAmount
            };
            let transition = paid(order, happening, captured, now)?;
            Ok(transition.map(|transition| Transition {
                payment_ref: session.payment_ref.clone(),
                ..transition
            }))
        }
    }
}

/// Returns a transition for received money, with its journal. `None` means money was received
/// before, or the table does not permit it.
pub fn paid(
    order: &Order,
    happening: OrderEventKind,
    captured: Money,
    now: Timestamp,
) -> Result<Option<Transition>> {
    let transition = Transition::of(order, happening, Actor::Shop, now)
        .filter(|_| order.payment.captured.is_none());
    let Some(mut transition) = transition else {
        return Ok(None);
    };
    transition.captured = Some(captured);
    transition
        .journals
        .push(Journal::paid(captured.amount, captured.currency)?);
    with_money(order, transition, "", now).map(Some)
}

/// Returns a transition by the shop itself, with its journals. `None` means the table does not
/// permit it.
pub fn by_shop(
    order: &Order,
    happening: OrderEventKind,
    now: Timestamp,
) -> Result<Option<Transition>> {
    Transition::of(order, happening, Actor::Shop, now)
        .map(|transition| with_money(order, transition, "", now))
        .transpose()
}
