//! Processing of stored provider events.

use crate::error::{Error, Result};
use crate::payments::inbox::{Inbox, StoredEvent};
use crate::payments::provider::ProviderId;
use crate::payments::{EventSubject, Named, PaymentError, Payments};
use crate::settlement::disputes::settle_dispute;
use crate::settlement::payers::{NOT_OURS, Payer, named_order, session_of, settle_session};
use crate::settlement::ports::SettlementPorts;
use crate::settlement::refunds::fold_refund;
use crate::settlement::{effects, payers};
use durable::Timestamp;

/// Delay before a `Payment` event is processed. The event of its session arrives at the same time
/// and carries the same facts; handling both at once does the work twice, until one of them finds
/// that it lost.
const AFTER_SESSION_SECS: u32 = 5;

/// Returns the delay in seconds before an event is processed.
#[must_use]
pub const fn delay_secs(notice: &EventSubject) -> u32 {
    match notice {
        EventSubject::Payment(_) => AFTER_SESSION_SECS,
        _ => 0,
    }
}

/// Processes one stored event. Safe to repeat, because it folds the current state.
///
/// # Errors
/// Fails if a port fails; the event must then be retried.
pub async fn handle_event(
    ports: &impl SettlementPorts,
    event_key: &str,
    now: Timestamp,
) -> Result<()> {
    let inbox = ports.inbox();
    let StoredEvent { provider, payload } = inbox
        .event(event_key)
        .await?
        .ok_or_else(|| Error::internal(format!("event {event_key} is not in the inbox")))?;
    let subject = ports.payments(provider)?.read_event(&payload)?;
    let outcome = match subject {
        EventSubject::Session { id, named } => {
            settle_named(ports, provider, &id, named, now).await?
        }
        EventSubject::Payment(payment_ref) => {
            settle_payment(ports, provider, &payment_ref, now).await?
        }
        EventSubject::Refund(id) => word(settle_refund(ports, provider, &id, now).await?),
        EventSubject::Dispute(id) => word(settle_dispute(ports, provider, &id, now).await?),
        EventSubject::Other => "ignored",
    };
    inbox.processed(event_key, outcome, now).await
}

const fn word(is_ours: bool) -> &'static str {
    if is_ours { "settled" } else { NOT_OURS }
}

/// Skips the request to the provider for a session that names no order of the shop.
async fn settle_named(
    ports: &impl SettlementPorts,
    provider: ProviderId,
    session_id: &str,
    named: Named,
    now: Timestamp,
) -> Result<&'static str> {
    let fetch = async || {
        let session = ports.payments(provider)?.session(session_id).await;
        session.map_err(PaymentError::into_error)
    };
    let (order, session) = match named {
        Named::Reference(order_id) => match named_order(ports, Some(&order_id)).await? {
            Some(order) => (Some(order), fetch().await?),
            None => return Ok(NOT_OURS),
        },
        Named::Nothing => return Ok(NOT_OURS),
        Named::Unsaid => {
            let session = fetch().await?;
            let order = named_order(ports, session.order_id.as_ref()).await?;
            (order, session)
        }
    };
    match order {
        Some(order) => settle_session(ports, order, &session, now).await,
        None => Ok(NOT_OURS),
    }
}

async fn settle_payment(
    ports: &impl SettlementPorts,
    provider: ProviderId,
    payment_ref: &str,
    now: Timestamp,
) -> Result<&'static str> {
    match session_of(ports, provider, payment_ref).await? {
        Some((order, session)) => settle_session(ports, order, &session, now).await,
        None => Ok(NOT_OURS),
    }
}

/// Processes an event about a refund, including those made at the provider. Returns true if it
/// concerns an order of the shop.
///
/// # Errors
/// Fails if a port fails; repeating is safe.
pub async fn settle_refund(
    ports: &impl SettlementPorts,
    provider: ProviderId,
    refund_id: &str,
    now: Timestamp,
) -> Result<bool> {
    let refund = ports
        .payments(provider)?
        .refund(refund_id)
        .await
        .map_err(PaymentError::into_error)?;
    let order = match payers::payer_of(ports, provider, &refund.payment_ref, now).await? {
        Payer::Order(order) => *order,
        Payer::Stray => return Ok(true),
        Payer::Nobody => return Ok(false),
    };
    let order = fold_refund(ports, order, &refund, now).await?;
    effects::drive_tasks(ports, order, now).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use crate::payments::{EventSubject, Named};
    use crate::settlement::events::delay_secs;

    #[test]
    fn the_news_of_a_payment_waits_for_that_of_its_session() {
        let waits = |notice: EventSubject| delay_secs(&notice) > 0;
        assert!(waits(EventSubject::Payment("pi".into())));
        assert!(!waits(EventSubject::Session {
            id: "cs".into(),
            named: Named::Unsaid
        }));
        assert!(
            !waits(EventSubject::Refund("re".into())) && !waits(EventSubject::Dispute("dp".into()))
        );
    }
}
