//! Refunds requested by staff.

use crate::aftersales::recorded::{Recorded, same_record};
use crate::codes::Code;
use crate::error::{Error, Result};
use crate::orders::moves::Transition;
use crate::orders::moving::{find_order, move_order, not_allowed};
use crate::orders::order::{Actor, Order};
use crate::orders::transitions::OrderEventKind;
use crate::payments::Payments;
use crate::payments::limits::ChargeLimits;
use crate::settlement::effects;
use crate::settlement::ports::SettlementPorts;
use crate::settlement::refunds::promised;
use crate::values::ids::OrderId;
use crate::values::money::{Currency, Money};
use crate::values::staff_name::StaffName;
use crate::values::text::check_text;
use durable::Timestamp;
use serde_json::json;

/// A refund requested by staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedRefund {
    /// Amount. `None` means all that is left.
    pub amount: Option<Money>,
    /// Reason for the refund.
    pub reason: Option<String>,
}

/// Promises a refund and has it paid out. A repeat with the same id changes nothing.
///
/// # Errors
/// 404; 409 `refund_exceeds_captured` with the refundable amount, `payment_disputed`,
/// `transition_not_allowed`; 422 `invalid_amount`, `invalid_currency`, `idempotency_key_reused`.
pub async fn create_refund(
    ports: &impl SettlementPorts,
    order_id: &OrderId,
    id: &str,
    asked: AskedRefund,
    by: &StaffName,
    now: Timestamp,
) -> Result<Recorded> {
    check_text("reason", asked.reason.as_deref())?;
    let order = find_order(ports, order_id).await?;
    let replayed = order.refunds.iter().any(|known| known.id == id);
    let order = move_order(ports, order, now, |order| {
        if let Some(known) = order.refunds.iter().find(|known| known.id == id) {
            return same_record(asked.amount.is_none_or(|amount| amount == known.amount));
        }
        let payments = ports.payments(order.payment.provider)?;
        let amount = refundable_part(order, |currency| payments.limits(currency), asked.amount)?;
        let transition = Transition::of(
            order,
            OrderEventKind::RefundPromised,
            Actor::Staff(by.clone()),
            now,
        )
        .ok_or_else(|| not_allowed(order))?;
        promised(
            order,
            transition.noted(asked.reason.clone()),
            id,
            amount,
            now,
        )
        .map(Some)
    })
    .await?;
    let order = effects::drive_or_leave(ports, order, now).await;
    Ok(Recorded { order, replayed })
}

pub(crate) fn refundable_part(
    order: &Order,
    limits: impl Fn(Currency) -> ChargeLimits,
    asked: Option<Money>,
) -> Result<Money> {
    let left = order.refundable().ok_or_else(|| nothing_left(order))?;
    let Some(amount) = asked else {
        return Ok(left);
    };
    if amount.currency != left.currency {
        let detail = format!("Must be {}, the currency of the payment.", left.currency);
        return Err(Error::invalid(
            "amount.currency",
            Code::InvalidCurrency,
            detail,
        ));
    }
    if amount.amount < 1 {
        let detail = "Must be at least one minor unit.";
        return Err(Error::invalid("amount.amount", Code::InvalidAmount, detail));
    }
    if amount.amount > left.amount {
        return Err(exceeds(Some(left)));
    }
    let limits = limits(amount.currency);
    if !limits.is_whole_steps(amount.amount) {
        let detail = format!("Must be a multiple of {} minor units.", limits.step);
        return Err(Error::invalid("amount.amount", Code::InvalidAmount, detail));
    }
    Ok(amount)
}

fn nothing_left(order: &Order) -> Error {
    if order.disputes.iter().any(|dispute| !dispute.refundable) {
        return Error::conflict(
            Code::PaymentDisputed,
            "The payment is disputed and can't be refunded.",
            json!({}),
        );
    }
    exceeds(None)
}

fn exceeds(left: Option<Money>) -> Error {
    Error::conflict(
        Code::RefundExceedsCaptured,
        "The refund is more than what is left to refund of this payment.",
        json!({"refundable": left}),
    )
}
