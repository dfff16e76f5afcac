//! Stray payments: paid sessions that name an order and are not its own. What a session took that the shop opened for the order, at an
//! attempt that was given up since, goes back in full, once; a stranger's, such as a payment link's, is told to staff and not touched.
//!
//! Neither moves the order. What came in and went back is booked under the session's id, in books of its own beside the order's.

use crate::error::{Error, Result};
use crate::shop::fulfillments::record_id;
use crate::shop::ledger::Journal;
use crate::shop::money::{Currency, Money};
use crate::shop::orders::{Order, Refund, RefundStatus, Task, find_order};
use crate::shop::payments::{PaymentError, ProviderRefund, RefundState, Session};
use crate::shop::ports::{Payments, Ports, Written};
use crate::shop::refunds::make_refund;
use crate::shop::settlement;
use crate::shop::sweep::{Finding, FindingKind};
use crate::shop::transitions::Effect;
use durable::Timestamp;

/// A paid session that names an order and is not its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrayPayment {
    /// The provider's id of the session.
    pub session_id: String,
    /// The order that it names.
    pub order_id: String,
    /// The provider's name of the money.
    pub payment_ref: String,
    /// How much came in.
    pub amount: Money,
    /// How all of it goes back. None means that it is a stranger's.
    pub refund: Option<Refund>,
    /// Counts what was booked of it.
    pub version: i64,
}

/// The record of stray payments. Each write is one transaction.
pub trait StrayPayments {
    /// One by the id of its session.
    async fn stray_payment(&self, session_id: &str) -> Result<Option<StrayPayment>>;
    /// Keeps a new one with its journals, the task that gives it back, and what staff are told; lost when it is kept already.
    async fn keep_stray_payment(
        &self,
        stray: &StrayPayment,
        journals: &[Journal],
        finding: &Finding,
        now: Timestamp,
    ) -> Result<Written>;
    /// Writes how the refund stands from now on; lost when something was booked since `stray` was read.
    async fn move_stray_refund(
        &self,
        stray: &StrayPayment,
        to: RefundStatus,
        journals: &[Journal],
        finding: Option<&Finding>,
        now: Timestamp,
    ) -> Result<Written>;
}

/// Keeps a paid session that names `order` and is not its own, once, and gives its money back if the shop opened it. A repeat looks how
/// that stands.
///
/// # Errors
/// When a port fails; repeating is safe.
pub async fn settle_stray(
    ports: &impl Ports,
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
        return settlement::drive_tasks(ports, order, now).await.map(drop);
    }
    give_back(ports, &session.id, now).await
}

/// The task that gives the money of a session back.
#[must_use]
pub fn task_of(session_id: &str) -> Task {
    Task {
        effect: Effect::RefundStray,
        subject: session_id.to_owned(),
    }
}

/// Has the provider give the money back, unless it has, and writes how that stands. What others have given back of it, is no longer to be.
///
/// # Errors
/// When a port fails; repeating is safe.
pub async fn give_back(ports: &impl Ports, session_id: &str, now: Timestamp) -> Result<()> {
    let strays = ports.stray_payments();
    let stray = strays.stray_payment(session_id).await?;
    let stray = stray.ok_or_else(|| Error::internal(format!("no stray payment {session_id}")))?;
    let Some(refund) = &stray.refund else {
        return Ok(());
    };
    let payments = ports.payments();
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
        let made = make_refund(ports, &rest, stray.payment_ref.clone(), listed_at).await?;
        if made.state == RefundState::Failed {
            // Someone else may have been faster.
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
        Written::Lost => Err(crate::shop::orders::moved_meanwhile()),
    }
}

/// None: it took nothing.
fn stray_of(
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
        order_id: order.id.clone(),
        payment_ref,
        amount,
        refund,
        version: 1,
    }))
}

/// How far a refund in full is, by all refunds of its money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// All is back.
    Back,
    /// All is back or on its way.
    OnItsWay,
    /// The shop's refund came to nothing.
    Failed,
    /// So much is still to be given back.
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

/// The journals of a refund that goes from one status to another; the first has the payment as well. A stranger's is not booked.
fn booked(
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

fn told(stray: &StrayPayment, now: Timestamp) -> Finding {
    let what = format!("{} of {} was paid", stray.session_id, stray.amount);
    let error = match &stray.refund {
        Some(refund) => format!(
            "{what} beside the order's own session: it is given back as {}",
            refund.id
        ),
        None => format!("{what}, names the order and is none of the shop's: it is not touched"),
    };
    finding(FindingKind::StrayPayment, stray, error, now)
}

fn not_given_back(stray: &StrayPayment, now: Timestamp) -> Finding {
    let error = format!(
        "{} of {} was not given back: refund it by another way",
        stray.session_id, stray.amount
    );
    finding(FindingKind::RefundFailed, stray, error, now)
}

fn finding(kind: FindingKind, stray: &StrayPayment, error: String, now: Timestamp) -> Finding {
    Finding {
        kind,
        subject: stray.order_id.clone(),
        error: Some(error),
        found_at: now,
    }
}
