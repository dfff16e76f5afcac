//! The order that a quote becomes, with the request for its payment session.

use crate::error::Result;
use crate::shop::checkout::{Checkout, FIRST_ATTEMPT};
use crate::shop::orders::{Actor, Order, OrderEvent, OrderLinks, Payment, Task};
use crate::shop::payments::{NewSession, PaymentStatus, SESSION_SECS, SessionItem};
use crate::shop::ports::{Payments, Ports};
use crate::shop::pricing::Quote;
use crate::shop::transitions::{Effect, Happening, Status};
use durable::Timestamp;

pub(super) fn order_of(
    ports: &impl Ports,
    checkout: &Checkout,
    quote: &Quote,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<Order> {
    let order_id = &checkout.order_id;
    let expires_at = now.plus_secs(SESSION_SECS);
    let request = ports.payments().prepare(&NewSession {
        order_id: order_id.clone(),
        email: quote.email.clone(),
        currency: quote.currency,
        items: session_items(quote),
        expires_at,
        success_url: links.status(order_id),
        cancel_url: links.unpaid(order_id),
    })?;
    Ok(Order {
        id: order_id.clone(),
        number: 0,
        version: 1,
        status: Status::PendingPayment,
        attempt: FIRST_ATTEMPT,
        cart_id: checkout.cart_id.clone(),
        currency: quote.currency,
        email: quote.email.clone(),
        shipping_address: quote.shipping_address.clone(),
        billing_address: checkout
            .billing_address
            .clone()
            .or_else(|| quote.billing_address.clone()),
        shipping_method: quote.shipping_method.clone(),
        lines: quote.lines.clone(),
        totals: quote.totals,
        terms: quote.terms.clone(),
        created_at: now,
        payment: Payment {
            id: order_id.replacen("ord_", "pay_", 1),
            attempt: FIRST_ATTEMPT,
            status: PaymentStatus::Preparing,
            session_id: None,
            url: None,
            request,
            expires_at,
            captured: None,
        },
        events: vec![OrderEvent {
            happening: Happening::Placed,
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

/// One item per line with its final amount, then shipping, and tax where it is not in those: their sum is the total.
fn session_items(quote: &Quote) -> Vec<SessionItem> {
    let of_lines = quote.lines.iter().map(|line| SessionItem {
        name: line.name(),
        amount: line.left(),
    });
    let tax = if quote.totals.tax_included {
        0
    } else {
        quote.totals.tax_total
    };
    let others = [("Shipping", quote.totals.shipping_total), ("Tax", tax)];
    of_lines
        .chain(others.map(|(name, amount)| SessionItem {
            name: name.to_owned(),
            amount,
        }))
        .filter(|item| item.amount > 0)
        .collect()
}
