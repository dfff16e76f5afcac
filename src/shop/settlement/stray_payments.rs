//! Stray payments: paid sessions that name an order but are not its own. If the shop opened the
//! session in an attempt that was later abandoned, its money is refunded in full, once. Anyone
//! else's, such as a payment link, is reported to staff and not touched.
//!
//! Neither changes the order. Money received and refunded is booked under the session's id,
//! separate from the order's journals.

use crate::error::{Error, Result};
use crate::orders::findings::{Finding, FindingKind};
use crate::orders::ledger::Journal;
use crate::orders::order::{Order, Refund, RefundStatus, Task};
use crate::orders::records::record_id;
use crate::orders::transitions::Effect;
use crate::payments::{PaymentError, Payments, ProviderRefund, RefundState, Session};
use crate::settlement::ports::SettlementPorts;
use crate::settlement::refunds::make_refund;
use crate::settlement::strays::{StrayPayment, StrayPayments};
use crate::values::money::{Currency, Money};
use crate::values::written::Written;
use durable::Timestamp;

/// Task that refunds the money of a session.
#[must_use]
pub fn task_of(session_id: &str) -> Task {
    Task {
        effect: Effect::RefundStray,
        subject: session_id.to_owned(),
    }
}

/// Has the provider refund the money, unless it already has, and records the state. Parts that
/// others have already refunded are deducted.
///
/// # Errors
/// Fails if a port fails; repeating is safe.
pub async fn give_back(
    ports: &impl SettlementPorts,
    session_id: &str,
    now: Timestamp,
) -> Result<()> {
    let strays = ports.stray_payments();
    let stray = strays.stray_payment(session_id).await?;
    let stray = stray.ok_or_else(|| Error::internal(format!("no stray payment {session_id}")))?;
    let Some(refund) = &stray.refund else {
        return Ok(());
    };
    let payments = ports.payments(stray.provider)?;
    let refunds = async || {
        let known = payments.refunds_of(&stray.payment_ref).await;
        known.map_err(PaymentError::into_error)
    };
    let listed_at = ports.clock();
    let mut known = refunds().await?;
    if let (RefundStatus::Pending, Standing::Missing(rest)) =
        (refund.status, standing_of(refund, &known))
    {
        let amount = Money::new(rest, refund.amount.currency);
        let rest = Refund {
            amount,
            ..refund.clone()
        };
        let made = make_refund(
            ports,
            &payments,
            &rest,
            stray.payment_ref.clone(),
            listed_at,
        )
        .await?;
        if made.state == RefundState::Failed {
            // Someone else may have refunded it in the meantime.
            known = refunds().await?;
        }
        known.push(made);
    }
    let to = outcome_of(refund, &known);
    if to == refund.status {
        return Ok(());
    }
    let journals = booked(&stray, Some(refund.status), Some(to))?;
    let finding = (to == RefundStatus::Failed).then(|| not_given_back(&stray, now));
    match strays
        .move_stray_refund(&stray, to, &journals, finding.as_ref(), now)
        .await?
    {
        Written::Landed(()) => Ok(()),
        Written::Lost => Err(crate::orders::moving::moved_meanwhile()),
    }
}

/// Returns the stray payment of a session. `None` means that it took no money.
pub(crate) fn stray_of(
    order: &Order,
    session: &Session,
    is_shops: bool,
    now: Timestamp,
) -> Result<Option<StrayPayment>> {
    let Some(payment_ref) = session.payment_ref.clone().filter(|_| session.amount > 0) else {
        return Ok(None);
    };
    let currency = Currency::from_code(&session.currency)
        .ok_or_else(|| Error::internal("a session in no currency"))?;
    let amount = Money::new(session.amount, currency);
    let refund = is_shops.then(|| Refund {
        id: record_id("re", &order.id, &session.id),
        amount,
        status: RefundStatus::Pending,
        created_at: now,
    });
    Ok(Some(StrayPayment {
        session_id: session.id.clone(),
        provider: session.provider,
        order_id: order.id.clone(),
        payment_ref,
        amount,
        refund,
        version: 1,
    }))
}

/// Progress of a full refund, judged by all refunds of the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Everything has been refunded.
    Back,
    /// Everything has been refunded or is on its way.
    OnItsWay,
    /// The shop's refund failed.
    Failed,
    /// This amount is still to be refunded.
    Missing(i64),
}

fn standing_of(refund: &Refund, known: &[ProviderRefund]) -> Standing {
    let sum_of = |counts: fn(RefundState) -> bool| {
        let counted = known.iter().filter(|it| counts(it.state));
        counted.fold(0_i64, |sum, it| sum.saturating_add(it.amount))
    };
    let total = refund.amount.amount;
    let alive = sum_of(|state| state != RefundState::Failed);
    let is_failed = |it: &ProviderRefund| {
        it.state == RefundState::Failed && it.refund_id.as_deref() == Some(&refund.id)
    };
    if sum_of(|state| state == RefundState::Succeeded) >= total {
        Standing::Back
    } else if alive >= total {
        Standing::OnItsWay
    } else if known.iter().any(is_failed) {
        Standing::Failed
    } else {
        Standing::Missing(total.saturating_sub(alive))
    }
}

fn outcome_of(refund: &Refund, known: &[ProviderRefund]) -> RefundStatus {
    match (refund.status, standing_of(refund, known)) {
        (_, Standing::Back) => RefundStatus::Succeeded,
        (_, Standing::Failed) | (RefundStatus::Succeeded, Standing::Missing(_)) => {
            RefundStatus::Failed
        }
        (status, Standing::OnItsWay | Standing::Missing(_)) => status,
    }
}

/// Returns the journals for a change in the status of a refund; the first time, this includes the
/// payment. Payments that the shop did not open are not booked.
pub(crate) fn booked(
    stray: &StrayPayment,
    from: Option<RefundStatus>,
    to: Option<RefundStatus>,
) -> Result<Vec<Journal>> {
    let Some(to) = to else { return Ok(vec![]) };
    let Money { amount, currency } = stray.amount;
    let received = if from.is_none() { amount } else { 0 };
    let promised = |status| {
        if status == RefundStatus::Failed {
            0
        } else {
            amount
        }
    };
    let given = |status| {
        if status == RefundStatus::Succeeded {
            amount
        } else {
            0
        }
    };
    let change = |of: &dyn Fn(RefundStatus) -> i64| of(to).saturating_sub(from.map_or(0, of));
    let journals = [
        Journal::paid(received, currency)?,
        Journal::refund_promised(change(&promised), currency)?,
        Journal::refunded(change(&given), currency)?,
    ];
    let is_booked = |journal: &Journal| !journal.entries.is_empty();
    Ok(journals.into_iter().filter(is_booked).collect())
}

pub(crate) fn told(stray: &StrayPayment, now: Timestamp) -> Finding {
    let what = format!("{} ({}) was paid", stray.session_id, stray.amount);
    let error = match &stray.refund {
        Some(refund) => format!(
            "{what} besides the order's own session: it is refunded as {}",
            refund.id
        ),
        None => format!(
            "{what} and names the order, but is not a session of this shop: it was left alone"
        ),
    };
    finding(FindingKind::StrayPayment, stray, error, now)
}

fn not_given_back(stray: &StrayPayment, now: Timestamp) -> Finding {
    let error = format!(
        "{} ({}) could not be refunded: refund the customer another way",
        stray.session_id, stray.amount
    );
    finding(FindingKind::RefundFailed, stray, error, now)
}

fn finding(kind: FindingKind, stray: &StrayPayment, error: String, now: Timestamp) -> Finding {
    Finding {
        kind,
        subject: stray.order_id.as_str().to_owned(),
        error: Some(error),
        found_at: now,
    }
}
