//! Conversion of a quote into an order, with the request for its payment session.

use crate::checkout::ports::CheckoutPorts;
use crate::checkout::record::{Checkout, FIRST_ATTEMPT};
use crate::error::Result;
use crate::orders::links::OrderLinks;
use crate::orders::order::{Actor, Order, OrderEvent, Payment, Task};
use crate::orders::transitions::{Effect, OrderEventKind, OrderStatus};
use crate::payments::{NewSession, PaymentStatus, Payments, SESSION_SECS, SessionItem};
use crate::pricing::quote::{Quote, QuoteLine, Totals};
use crate::values::addresses::Address;
use crate::values::ids::OrderId;
use crate::values::money::sum;
use durable::Timestamp;

pub(super) fn order_of(
    ports: &impl CheckoutPorts,
    checkout: &Checkout,
    order_id: &OrderId,
    quote: &Quote,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<Order> {
    let payment_id = order_id.replacen("ord_", "pay_", 1);
    let expires_at = now.plus_secs(SESSION_SECS);
    let provider = ports.new_payments();
    let request = ports.payments(provider)?.prepare(&NewSession {
        order_id: order_id.to_owned(),
        key: Payment::key_of(&payment_id, FIRST_ATTEMPT),
        email: quote.email.clone(),
        currency: quote.currency,
        items: session_items(&quote.lines, &quote.totals)?,
        expires_at,
        success_url: links.returning(order_id),
        cancel_url: links.unpaid(order_id),
    })?;
    Ok(Order {
        id: order_id.to_owned(),
        number: 0,
        version: 1,
        status: OrderStatus::PendingPayment,
        attempt: FIRST_ATTEMPT,
        cart_id: checkout.cart_id.clone(),
        currency: quote.currency,
        email: quote.email.clone(),
        shipping_address: quote.shipping_address.clone(),
        billing_address: checkout
            .billing_address
            .clone()
            .map(Address::normalized)
            .or_else(|| quote.billing_address.clone()),
        shipping_method: quote.shipping_method.clone(),
        lines: quote.lines.clone(),
        totals: quote.totals,
        terms: quote.terms.clone(),
        created_at: now,
        payment: Payment {
            id: payment_id,
            provider,
            attempt: FIRST_ATTEMPT,
            status: PaymentStatus::Preparing,
            session_id: None,
            url: None,
            request,
            expires_at,
            captured: None,
        },
        events: vec![OrderEvent {
            happening: OrderEventKind::Placed,
            actor: Actor::Shopper,
            subject: None,
            note: None,
            at: now,
        }],
        tasks: vec![Task {
            effect: Effect::OpenPayment,
            subject: String::new(),
        }],
        fulfillments: vec![],
        returns: vec![],
        refunds: vec![],
        disputes: vec![],
    })
}

/// Maximum number of items in a payment session that providers accept.
const MAX_ITEMS: usize = 100;

/// Returns one item per line with its final amount, then shipping, and tax if prices exclude it;
/// they add up to the total. If there are too many lines for a session, the last ones are merged
/// into one item.
fn session_items(lines: &[QuoteLine], totals: &Totals) -> Result<Vec<SessionItem>> {
    let tax = if totals.tax_included {
        0
    } else {
        totals.tax_total
    };
    let others = [("Shipping", totals.shipping_total), ("Tax", tax)];
    let others = others.map(|(name, amount)| SessionItem {
        name: name.to_owned(),
        amount,
    });
    let of_lines = lines.iter().map(|line| SessionItem {
        name: line.name(),
        amount: line.left(),
    });
    let mut items: Vec<SessionItem> = of_lines.filter(|item| item.amount > 0).collect();
    let room = MAX_ITEMS.saturating_sub(others.len());
    if items.len() > room {
        let last = items.split_off(room.saturating_sub(1));
        items.push(SessionItem {
            name: format!("{} more items", last.len()),
            amount: sum(last.iter().map(|item| item.amount))?,
        });
    }
    items.extend(others.into_iter().filter(|item| item.amount > 0));
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::samples::{line, order};

    #[test]
    fn whatever_a_cart_holds_is_charged_in_items_that_a_session_takes() {
        for count in [1, 97, 98, 99, 100] {
            let lines = (0..count).map(|at| line(at, 1_000, 2)).collect();
            let order = order("USD", lines, 595, false);
            let items = session_items(&order.lines, &order.totals).unwrap();
            let charged: i64 = items.iter().map(|item| item.amount).sum();
            assert_eq!(charged, order.totals.total, "{count}");
            assert_eq!(items.len(), (count + 2).min(MAX_ITEMS), "{count}");
        }
    }
}
