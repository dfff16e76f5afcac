//! Payers of money at the provider, and settlement of their sessions.

use crate::error::Result;
use crate::orders::moving::find_order;
use crate::orders::order::Order;
use crate::orders::record::Orders;
use crate::payments::provider::ProviderId;
use crate::payments::{PaymentError, Payments, Session, SessionState};
use crate::settlement::check::settle_order;
use crate::settlement::effects;
use crate::settlement::fold::{Whose, fold_session, whose};
use crate::settlement::ports::SettlementPorts;
use crate::settlement::stray_payments::{booked, give_back, stray_of, task_of, told};
use crate::settlement::strays::StrayPayments;
use crate::values::ids::OrderId;
use durable::Timestamp;

/// Outcome of an event that belongs to no order.
pub(crate) const NOT_OURS: &str = "not_ours";

/// Payer of some money, as far as it concerns the shop.
pub enum Payer {
    /// An order, by its own session. The session has been folded in, because an event about a
    /// refund may arrive before the one about its payment.
    Order(Box<Order>),
    /// A stray payment; the state of its refund has been recorded.
    Stray,
    /// Someone who ordered nothing here.
    Nobody,
}

/// Returns the payer of this payment.
///
/// # Errors
/// Fails if a port fails; repeating is safe.
pub async fn payer_of(
    ports: &impl SettlementPorts,
    provider: ProviderId,
    payment_ref: &str,
    now: Timestamp,
) -> Result<Payer> {
    let Some((order, session)) = session_of(ports, provider, payment_ref).await? else {
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

/// Returns the session in which this payment was made, with the order that it names.
pub(crate) async fn session_of(
    ports: &impl SettlementPorts,
    provider: ProviderId,
    payment_ref: &str,
) -> Result<Option<(Order, Session)>> {
    let session = ports
        .payments(provider)?
        .session_of_payment(payment_ref)
        .await
        .map_err(PaymentError::into_error)?;
    let Some(session) = session else {
        return Ok(None);
    };
    let order = named_order(ports, session.order_id.as_ref()).await?;
    Ok(order.map(|order| (order, session)))
}

pub(crate) async fn named_order(
    ports: &impl SettlementPorts,
    order_id: Option<&OrderId>,
) -> Result<Option<Order>> {
    match order_id {
        Some(order_id) => ports.orders().order(order_id).await,
        None => Ok(None),
    }
}

/// Settles a session with the order that it names: the order's own session changes the order, and
/// money from any other session is refunded or reported.
pub(crate) async fn settle_session(
    ports: &impl SettlementPorts,
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

/// Records a paid session that names `order` but is not its own, once, and refunds its money if the
/// shop opened it. A repeated call checks the state of the refund.
///
/// # Errors
/// Fails if a port fails; repeating is safe.
pub async fn settle_stray(
    ports: &impl SettlementPorts,
    order: &Order,
    session: &Session,
    is_shops: bool,
    now: Timestamp,
) -> Result<()> {
    let strays = ports.stray_payments();
    if strays.stray_payment(&session.id).await?.is_none() {
        let Some(stray) = stray_of(order, session, is_shops, now)? else {
            return Ok(());
        };
        let journals = booked(&stray, None, stray.refund.as_ref().map(|it| it.status))?;
        strays
            .keep_stray_payment(&stray, &journals, &told(&stray, now), now)
            .await?;
    }
    let order = find_order(ports, &order.id).await?;
    if order.tasks.contains(&task_of(&session.id)) {
        return effects::drive_tasks(ports, order, now).await.map(drop);
    }
    give_back(ports, &session.id, now).await
}
