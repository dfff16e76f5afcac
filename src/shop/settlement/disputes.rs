//! Disputes: money that the shopper's bank takes, returns or keeps, as reported by the provider. A
//! lost dispute is a loss in the ledger, not a refund.

use crate::error::Result;
use crate::orders::ledger::Journal;
use crate::orders::moves::{OrderRecord, Transition};
use crate::orders::moving::{move_order, moved_meanwhile};
use crate::orders::order::{Actor, Dispute, Order};
use crate::orders::record::Orders;
use crate::orders::records::record_id;
use crate::orders::transitions::OrderEventKind;
use crate::payments::provider::ProviderId;
use crate::payments::{DisputeState, PaymentError, Payments, ProviderDispute};
use crate::settlement::payers::Payer;
use crate::settlement::ports::SettlementPorts;
use crate::settlement::refunds::promised;
use crate::settlement::{effects, payers};
use crate::values::money::Money;
use crate::values::written::Written;
use durable::Timestamp;

/// Processes an event about a dispute. Returns true if it concerns an order of the shop.
///
/// A dispute can change back and forth, so an outdated state must not overwrite a newer one.
/// Therefore the order is read first, then the dispute is fetched, and it is written only if the
/// order is still at the version that was read.
///
/// # Errors
/// Fails if a port fails or the order has changed in between; repeating is safe.
pub async fn settle_dispute(
    ports: &impl SettlementPorts,
    provider: ProviderId,
    dispute_id: &str,
    now: Timestamp,
) -> Result<bool> {
    let fetch = || async {
        let dispute = ports.payments(provider)?.dispute(dispute_id).await;
        dispute.map_err(PaymentError::into_error)
    };
    let payment_ref = fetch().await?.payment_ref;
    let order = match payers::payer_of(ports, provider, &payment_ref, now).await? {
        Payer::Order(order) => *order,
        // The bank takes money that was to be refunded; the balance shows what remains.
        Payer::Stray => return Ok(true),
        Payer::Nobody => return Ok(false),
    };
    let order = match moved(&order, fetch().await?, now)? {
        None => order,
        Some(transition) => match ports.orders().transition(&transition, now).await? {
            Written::Landed(order) => order,
            Written::Lost => return Err(moved_meanwhile()),
        },
    };
    let order = give_back_regained(ports, order, dispute_id, now).await?;
    effects::drive_tasks(ports, order, now).await?;
    Ok(true)
}

/// Refunds an expired or cancelled order whose money could not be refunded during the dispute, once
/// the dispute is won. A repeated call finds the refund promised by the first.
async fn give_back_regained(
    ports: &impl SettlementPorts,
    order: Order,
    dispute_id: &str,
    now: Timestamp,
) -> Result<Order> {
    let refund_id = record_id("re", &order.id, dispute_id);
    move_order(ports, order, now, |order| {
        let is_won = |it: &Dispute| it.id == dispute_id && it.state == DisputeState::Won;
        let is_due = order.status.is_dead()
            && order.disputes.iter().any(is_won)
            && !order.refunds.iter().any(|it| it.id == refund_id);
        let promise = Transition::of(order, OrderEventKind::RefundPromised, Actor::Shop, now)
            .zip(order.refundable())
            .filter(|_| is_due);
        promise
            .map(|(transition, left)| promised(order, transition, &refund_id, left, now))
            .transpose()
    })
    .await
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
        Transition::of(order, OrderEventKind::Disputed, Actor::Shop, now).map(|mut transition| {
            journals.into_iter().for_each(|it| transition.book(it));
            transition.with(OrderRecord::Disputed(dispute))
        }),
    )
}
