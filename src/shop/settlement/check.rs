//! Check of a pending order's payment.

use crate::error::Result;
use crate::orders::moving::find_order;
use crate::orders::order::Order;
use crate::payments::{PaymentError, Payments, Session};
use crate::settlement::effects::drive_tasks;
use crate::settlement::fold::fold_session;
use crate::settlement::ports::SettlementPorts;
use crate::values::ids::OrderId;
use durable::Timestamp;

/// Folds the order's own session into the order, then carries out outstanding tasks.
///
/// # Errors
/// Fails if a port or a task fails; repeating is safe.
pub async fn settle_order(
    ports: &impl SettlementPorts,
    order: Order,
    session: &Session,
    now: Timestamp,
) -> Result<Order> {
    let order = fold_session(ports, order, session, now).await?;
    drive_tasks(ports, order, now).await
}

/// Asks the provider for the session of a pending order, and folds the answer.
///
/// # Errors
/// Same as [`settle_order`].
pub async fn check_payment(
    ports: &impl SettlementPorts,
    order_id: &OrderId,
    now: Timestamp,
) -> Result<Order> {
    let order = find_order(ports, order_id).await?;
    let Some(session_id) = order.payment.session_id.clone() else {
        return drive_tasks(ports, order, now).await;
    };
    let session = ports
        .payments(order.payment.provider)?
        .session(&session_id)
        .await
        .map_err(PaymentError::into_error)?;
    settle_order(ports, order, &session, now).await
}
