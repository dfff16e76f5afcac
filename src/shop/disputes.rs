//! Disputes: what the shopper's bank takes, gives back or keeps, as the provider has it. A lost one is a loss in the ledger, not a
//! refund.

use crate::error::Result;
use crate::shop::ledger::Journal;
use crate::shop::money::Money;
use crate::shop::orders::{Actor, Dispute, Order, Record, Transition, moved_meanwhile};
use crate::shop::payments::{PaymentError, ProviderDispute};
use crate::shop::ports::{Orders, Payments, Ports, Written};
use crate::shop::settlement;
use crate::shop::transitions::Happening;
use durable::Timestamp;

/// Deals with an event about a dispute; whether it is of one of the shop's orders.
///
/// A dispute goes back and forth, so a state that was fetched before another was written must not follow it: the order is read, the
/// dispute fetched after that, and written only at the version that was read.
///
/// # Errors
/// When a port fails, or the order has moved in between; repeating is safe.
pub async fn settle_dispute(ports: &impl Ports, dispute_id: &str, now: Timestamp) -> Result<bool> {
    let fetch = || async {
        let dispute = ports.payments().dispute(dispute_id).await;
        dispute.map_err(PaymentError::into_error)
    };
    let payment_ref = fetch().await?.payment_ref;
    let Some(order) = settlement::order_of_payment(ports, &payment_ref, now).await? else {
        return Ok(false);
    };
    let Some(transition) = moved(&order, fetch().await?, now)? else {
        return Ok(true);
    };
    match ports.orders().transition(&transition, now).await? {
        Written::Landed(_) => Ok(true),
        Written::Lost => Err(moved_meanwhile()),
    }
}

fn moved(order: &Order, provider: ProviderDispute, now: Timestamp) -> Result<Option<Transition>> {
    let currency = order
        .payment
        .captured
        .map_or(order.currency, |captured| captured.currency);
    let dispute = Dispute {
        id: provider.id,
        amount: Money::new(provider.amount, currency),
        state: provider.state,
        refundable: provider.refundable,
        withdrawn: provider.withdrawn,
        fee: provider.fee,
    };
    let known = order.disputes.iter().find(|known| known.id == dispute.id);
    if known == Some(&dispute) {
        return Ok(None);
    }
    let (withdrawn, fee) = known.map_or((0, 0), |known| (known.withdrawn, known.fee));
    let journals = [
        Journal::disputed(dispute.withdrawn.saturating_sub(withdrawn), currency)?,
        Journal::fee(dispute.fee.saturating_sub(fee), currency)?,
    ];
    Ok(
        Transition::of(order, Happening::Disputed, Actor::Shop, now).map(|mut transition| {
            journals.into_iter().for_each(|it| transition.book(it));
            transition.with(Record::Disputed(dispute))
        }),
    )
}
