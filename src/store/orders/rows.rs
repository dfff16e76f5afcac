//! Rows as returned by the queries of `statements`, and their conversion.

use crate::store::pricing::price_list::PriceListRow;
use crate::store::pricing::settings::SettingsCache;
use crate::store::sql::{from_json, from_word};
use durable::Timestamp;
use serde::Deserialize;
use shop::checkout::pending::Pending;
use shop::checkout::record::{CheckoutInput, ExistingOrder, Found};
use shop::error::{Error, Result};
use shop::orders::order::{Dispute, Order, OrderEvent, Payment, Refund, Task};
use shop::orders::records::{Fulfillment, Return};
use shop::orders::transitions::OrderStatus;
use shop::pricing::quote::{QuoteLine, Terms, Totals};
use shop::values::addresses::Address;
use shop::values::ids::{CartId, OrderId};
use shop::values::money::Currency;

#[derive(Deserialize)]
pub struct FoundRow {
    order_id: Option<OrderId>,
    idempotency_key: Option<String>,
    request_hash: Option<String>,
    quote: Option<String>,
    pending_of_address: u32,
    pending_of_network: u32,
    pending_units: String,
    unproved_since: Option<i64>,
    #[serde(flatten)]
    list: PriceListRow,
}

impl FoundRow {
    pub fn into_found(self, known: &SettingsCache) -> Result<Found> {
        let standing = match (self.order_id, self.idempotency_key, self.request_hash) {
            (Some(order_id), Some(idempotency_key), Some(request_hash)) => Some(ExistingOrder {
                order_id,
                idempotency_key,
                request_hash,
            }),
            _ => None,
        };
        let basis = match self.quote {
            Some(quote) => Some(CheckoutInput {
                quote: from_json(&quote)?,
                list: self.list.into_list(known)?,
            }),
            None => None,
        };
        let pending = Pending {
            of_address: self.pending_of_address,
            of_network: self.pending_of_network,
            units: from_json(&self.pending_units)?,
            unproved_since: self.unproved_since.map(Timestamp::from_millis),
        };
        Ok(Found {
            standing,
            basis,
            pending,
        })
    }
}

#[derive(Deserialize)]
pub struct InstantRow {
    pub at: i64,
}

#[derive(Deserialize)]
pub struct OrderRow {
    id: OrderId,
    number: i64,
    version: u64,
    status: String,
    attempt: u32,
    cart_id: CartId,
    currency: String,
    email: String,
    shipping_method: String,
    subtotal: i64,
    discount_total: i64,
    shipping_total: i64,
    tax_total: i64,
    total: i64,
    shipping_tax: i64,
    tax_included: i64,
    terms: String,
    created_at: i64,
    addresses: String,
    lines: String,
    payment: String,
    events: String,
    tasks: String,
    fulfillments: String,
    returns: String,
    refunds: String,
    disputes: String,
}

impl OrderRow {
    pub fn into_order(self) -> Result<Order> {
        let mut addresses: Addresses = from_json(&self.addresses)?;
        Ok(Order {
            id: self.id,
            number: self.number,
            version: self.version,
            status: from_word::<OrderStatus>(&self.status)?,
            attempt: self.attempt,
            cart_id: self.cart_id,
            currency: currency(&self.currency)?,
            email: self.email,
            shipping_address: addresses
                .shipping
                .take()
                .ok_or_else(|| Error::internal("an order without an address"))?,
            billing_address: addresses.billing,
            shipping_method: self.shipping_method,
            lines: from_json::<Vec<QuoteLine>>(&self.lines)?,
            totals: Totals {
                subtotal: self.subtotal,
                discount_total: self.discount_total,
                shipping_total: self.shipping_total,
                tax_total: self.tax_total,
                total: self.total,
                shipping_tax: self.shipping_tax,
                tax_included: self.tax_included != 0,
            },
            terms: from_json::<Terms>(&self.terms)?,
            created_at: Timestamp::from_millis(self.created_at),
            payment: from_json::<Payment>(&self.payment)?,
            events: from_json::<Vec<OrderEvent>>(&self.events)?,
            tasks: from_json::<Vec<Task>>(&self.tasks)?,
            fulfillments: from_json::<Vec<Fulfillment>>(&self.fulfillments)?,
            returns: from_json::<Vec<Return>>(&self.returns)?,
            refunds: from_json::<Vec<Refund>>(&self.refunds)?,
            disputes: from_json::<Vec<Dispute>>(&self.disputes)?,
        })
    }
}

#[derive(Deserialize)]
pub struct NumberRow {
    pub number: i64,
}

#[derive(Deserialize)]
struct Addresses {
    shipping: Option<Address>,
    #[serde(default)]
    billing: Option<Address>,
}

fn currency(code: &str) -> Result<Currency> {
    Currency::from_code(code).ok_or_else(|| Error::internal("stored currency"))
}
