//! Refunds. They are promised by a transition of their order, so that promises never exceed the
//! captured amount, even with simultaneous requests; paid out by the provider; and ended by the
//! state that the provider reports. A refund made at the provider appears here as well, once.

use crate::codes::Code;
use crate::error::{Error, Result};
use crate::orders::ledger::Journal;
use crate::orders::moves::{OrderRecord, Transition};
use crate::orders::moving::move_order;
use crate::orders::order::{Actor, Order, Refund, RefundStatus};
use crate::orders::records::record_id;
use crate::orders::transitions::OrderEventKind;
use crate::payments::{NewRefund, PaymentError, Payments, ProviderRefund, RefundState};
use crate::settlement::ports::SettlementPorts;
use crate::values::clock::Clock;
use crate::values::money::{Currency, Money, sum};
use durable::Timestamp;

/// Seconds after which a refund is requested with another key if its outcome is unknown and the
/// provider does not list it: the answer stored under the old key may be a failure of the provider.
const KEY_SECS: i64 = 60 * 60;

/// Seconds at the start of each new key's period in which none is sent, so that a call with the old
/// key has ended.
const KEY_PAUSE_SECS: i64 = 60;

/// Adds the promise of a refund to a transition. It lowers the sale price of a live order; an
/// expired or cancelled order was not sold.
///
/// # Errors
/// Fails if an amount overflows.
pub fn promised(
    order: &Order,
    mut transition: Transition,
    id: &str,
    amount: Money,
    now: Timestamp,
) -> Result<Transition> {
    for journal in promise(order, amount.amount, amount.currency)? {
        transition.book(journal);
    }
    Ok(transition.with(OrderRecord::Promised(Refund {
        id: id.to_owned(),
        amount,
        status: RefundStatus::Pending,
        created_at: now,
    })))
}

/// Has the provider pay out a refund. The provider's refunds of that payment are folded first: an
/// answer may have been lost, a key is valid for one day only, and someone may have refunded a part
/// at the provider.
///
/// # Errors
/// Fails if a port fails; repeating is safe.
pub async fn pay_refund(
    ports: &impl SettlementPorts,
    order: &Order,
    refund_id: &str,
    now: Timestamp,
) -> Result<()> {
    let Some(session_id) = &order.payment.session_id else {
        return Err(Error::internal(format!("no money for {refund_id}")));
    };
    let payments = ports.payments(order.payment.provider)?;
    let session = payments
        .session(session_id)
        .await
        .map_err(PaymentError::into_error)?;
    let payment_ref = session.payment_ref.unwrap_or_default();
    let listed_at = ports.clock();
    let (order, known) = fold_refunds(ports, order.clone(), &payment_ref, now).await?;
    let refund = find_refund(&order, refund_id)?;
    let is_there = known.iter().any(|id| id == refund_id);
    if refund.status == RefundStatus::Pending && is_there {
        return Ok(());
    }
    if refund.status != RefundStatus::Pending || is_overtaken(&order) {
        return give_back_rest(ports, order, refund_id, now).await;
    }
    let made = make_refund(ports, &payments, refund, payment_ref.clone(), listed_at).await?;
    if made.state == RefundState::Failed {
        let (order, _) = fold_refunds(ports, order.clone(), &payment_ref, now).await?;
        if is_overtaken(&order) {
            return give_back_rest(ports, order, refund_id, now).await;
        }
    }
    fold_refund(ports, order, &made, now).await.map(drop)
}

/// Folds all refunds of this payment, and returns the ids of those the shop made. One that is
/// pending at the provider is not requested again, whatever its current key.
async fn fold_refunds(
    ports: &impl SettlementPorts,
    mut order: Order,
    payment_ref: &str,
    now: Timestamp,
) -> Result<(Order, Vec<String>)> {
    let payments = ports.payments(order.payment.provider)?;
    let known = payments.refunds_of(payment_ref).await;
    let known = known.map_err(PaymentError::into_error)?;
    for refund in &known {
        order = fold_refund(ports, order, refund, now).await?;
    }
    let ours = known.into_iter().filter_map(|refund| refund.refund_id);
    Ok((order, ours.collect()))
}

/// True if an expired or cancelled order promises more than remains, because a part was refunded at
/// the provider.
fn is_overtaken(order: &Order) -> bool {
    let captured = order.payment.captured.map_or(0, |money| money.amount);
    order.status.is_dead()
        && order
            .promised_back()
            .is_ok_and(|promised| promised > captured)
}

/// Withdraws a promise that is now too large, and promises the remaining money instead. On a live
/// order, staff chose the amount, so they are told what became of it.
async fn give_back_rest(
    ports: &impl SettlementPorts,
    order: Order,
    refund_id: &str,
    now: Timestamp,
) -> Result<()> {
    let order = move_order(ports, order, now, |order| {
        let refund = find_refund(order, refund_id)?;
        if refund.status != RefundStatus::Pending || !is_overtaken(order) {
            return Ok(None);
        }
        end_as(order, refund, RefundState::Failed, now)
    })
    .await?;
    let rest_id = record_id("re", &order.id, &format!("rest of {refund_id}"));
    move_order(ports, order, now, |order| {
        let refund = find_refund(order, refund_id)?;
        let rest = order.refundable().filter(|rest| {
            order.status.is_dead()
                && refund.status == RefundStatus::Failed
                && rest.amount < refund.amount.amount
        });
        let is_new = find_refund(order, &rest_id).is_err();
        let transition = Transition::of(order, OrderEventKind::RefundPromised, Actor::Shop, now);
        match (rest, transition) {
            (Some(rest), Some(transition)) if is_new => {
                promised(order, transition, &rest_id, rest, now).map(Some)
            }
            _ => Ok(None),
        }
    })
    .await
    .map(drop)
}

fn find_refund<'a>(order: &'a Order, refund_id: &str) -> Result<&'a Refund> {
    let found = order.refunds.iter().find(|it| it.id == refund_id);
    found.ok_or_else(|| Error::internal(format!("no refund {refund_id}")))
}

/// Writes the state of a refund at the provider into the order: first its existence, then its
/// outcome. A refund only ever moves from pending to succeeded to failed, so events in any order
/// lead to the same result.
pub(crate) async fn fold_refund(
    ports: &impl SettlementPorts,
    order: Order,
    provider: &ProviderRefund,
    now: Timestamp,
) -> Result<Order> {
    let id = id_of(&order, provider);
    let order = move_order(ports, order, now, |order| found(order, &id, provider, now)).await?;
    move_order(ports, order, now, |order| ended(order, &id, provider, now)).await
}

/// Returns the journals of a promise, or of its withdrawal if `amount` is negative.
fn promise(order: &Order, amount: i64, currency: Currency) -> Result<Vec<Journal>> {
    let mut journals = vec![Journal::refund_promised(amount, currency)?];
    if !order.status.is_dead() {
        let before = order.allowance()?;
        journals.push(order.allowed(before, sum([before, amount])?)?);
    }
    Ok(journals)
}

fn id_of(order: &Order, provider: &ProviderRefund) -> String {
    let ours = provider
        .refund_id
        .as_ref()
        .filter(|id| order.refunds.iter().any(|refund| refund.id == **id));
    ours.cloned()
        .unwrap_or_else(|| record_id("re", &order.id, &provider.id))
}

fn found(
    order: &Order,
    id: &str,
    provider: &ProviderRefund,
    now: Timestamp,
) -> Result<Option<Transition>> {
    if order.refunds.iter().any(|refund| refund.id == id) {
        return Ok(None);
    }
    let currency = order
        .payment
        .captured
        .map_or(order.currency, |captured| captured.currency);
    Transition::of(order, OrderEventKind::RefundFound, Actor::Shop, now)
        .map(|transition| {
            promised(
                order,
                transition,
                id,
                Money::new(provider.amount, currency),
                now,
            )
        })
        .transpose()
}

fn ended(
    order: &Order,
    id: &str,
    provider: &ProviderRefund,
    now: Timestamp,
) -> Result<Option<Transition>> {
    let refund = order.refunds.iter().find(|refund| refund.id == id);
    refund.map_or(Ok(None), |it| end_as(order, it, provider.state, now))
}

fn end_as(
    order: &Order,
    refund: &Refund,
    state: RefundState,
    now: Timestamp,
) -> Result<Option<Transition>> {
    let Money { amount, currency } = refund.amount;
    let unpromised = promise(order, amount.saturating_neg(), currency)?;
    let (happening, status, journals) = match (refund.status, state) {
        (RefundStatus::Pending, RefundState::Succeeded) => (
            OrderEventKind::Refunded,
            RefundStatus::Succeeded,
            vec![Journal::refunded(amount, currency)?],
        ),
        (RefundStatus::Pending, RefundState::Failed) => (
            OrderEventKind::RefundFailed,
            RefundStatus::Failed,
            unpromised,
        ),
        (RefundStatus::Succeeded, RefundState::Failed) => (
            OrderEventKind::RefundFailed,
            RefundStatus::Failed,
            [Journal::refunded(amount.saturating_neg(), currency)?]
                .into_iter()
                .chain(unpromised)
                .collect(),
        ),
        _ => return Ok(None),
    };
    Ok(
        Transition::of(order, happening, Actor::Shop, now).map(|mut transition| {
            journals.into_iter().for_each(|it| transition.book(it));
            transition.with(OrderRecord::RefundEnded(refund.id.clone(), status))
        }),
    )
}

/// Requests a refund that did not appear in the provider's list at `listed_at`. A refund that the
/// provider refuses has failed.
///
/// # Errors
/// Fails if the outcome is unknown; retry later.
pub async fn make_refund(
    clock: &impl Clock,
    payments: &impl Payments,
    refund: &Refund,
    payment_ref: String,
    listed_at: Timestamp,
) -> Result<ProviderRefund> {
    let request = payments.prepare_refund(&NewRefund {
        refund_id: refund.id.clone(),
        payment_ref: payment_ref.clone(),
        amount: refund.amount.amount,
        currency: refund.amount.currency,
    })?;
    let key = key_between(refund, listed_at, clock.clock()).ok_or(Error::Unavailable {
        code: Code::RefundUnderWay,
        retry_after_secs: 60,
    })?;
    match payments.create_refund(&key, &request).await {
        Err(PaymentError::Refused(_)) => Ok(ProviderRefund {
            id: refund.id.clone(),
            refund_id: Some(refund.id.clone()),
            payment_ref,
            amount: refund.amount.amount,
            state: RefundState::Failed,
        }),
        outcome => outcome.map_err(PaymentError::into_error),
    }
}

/// Returns the key for a call that begins now, after a list read earlier. `None` means that another
/// key was valid in between: a call with that one may have made the refund after the list was read.
fn key_between(refund: &Refund, listed_at: Timestamp, now: Timestamp) -> Option<String> {
    key_of(refund, now).filter(|key| key_of(refund, listed_at).as_ref() == Some(key))
}

/// Returns the refund's id as the key, then another key each hour; `None` around the change.
fn key_of(refund: &Refund, now: Timestamp) -> Option<String> {
    let age = now
        .as_secs()
        .saturating_sub(refund.created_at.as_secs())
        .max(0);
    match (age.div_euclid(KEY_SECS), age.rem_euclid(KEY_SECS)) {
        (0, _) => Some(refund.id.clone()),
        (_, secs) if secs < KEY_PAUSE_SECS => None,
        (hour, _) => Some(format!("{}:{hour}", refund.id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aftersales::refunds::refundable_part;
    use crate::orders::samples::order;
    use crate::payments::limits::ChargeLimits;

    #[test]
    fn what_the_provider_could_not_give_back_is_not_promised() {
        for (code, captured, asked, fits) in [
            ("KWD", 15_000, 3_330, true),
            ("KWD", 15_000, 3_333, false),
            ("MGA", 15_000, 5_050, false),
            ("ISK", 15_000, 3_333, true),
            ("USD", 15_000, 15_001, false),
            ("USD", 15_000, 0, false),
        ] {
            let mut order = order(code, vec![], captured, false);
            let money = |amount| Money::new(amount, order.currency);
            let (captured, asked) = (money(captured), money(asked));
            order.payment.captured = Some(captured);
            let limits = |currency: Currency| ChargeLimits {
                smallest: 0,
                largest: i64::MAX,
                step: currency.charge_increment(),
            };
            let part = refundable_part(&order, limits, Some(asked));
            assert_eq!(part.is_ok(), fits, "{asked:?} of {captured:?}");
        }
    }

    #[test]
    fn a_key_is_kept_for_an_hour_and_followed_after_a_pause() {
        let created_at = Timestamp::from_millis(1_795_000_000_000);
        let refund = Refund {
            id: "re_1".into(),
            amount: Money::new(100, Currency::from_code("USD").unwrap()),
            status: RefundStatus::Pending,
            created_at,
        };
        let key = |secs| key_of(&refund, created_at.plus_secs(secs));
        assert_eq!(key(0).as_deref(), Some("re_1"));
        assert_eq!(key(3_599).as_deref(), Some("re_1"));
        assert_eq!(key(3_600), None);
        assert_eq!(key(3_660).as_deref(), Some("re_1:1"));
        assert_eq!(
            key_of(&refund, created_at.minus_secs(5)).as_deref(),
            Some("re_1")
        );
        let between = |from, to| {
            key_between(
                &refund,
                created_at.plus_secs(from),
                created_at.plus_secs(to),
            )
        };
        assert_eq!(between(3_590, 3_599).as_deref(), Some("re_1"));
        assert_eq!(between(3_590, 3_665), None, "another may have been made");
        assert_eq!(between(3_605, 3_665), None, "it may be on its way");
        assert_eq!(between(3_661, 3_665).as_deref(), Some("re_1:1"));
    }
}
