//! Sample orders for tests.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a sample that can't be made fails its test"
)]

use crate::orders::order::{Order, Payment};
use crate::orders::transitions::OrderStatus;
use crate::payments::PaymentStatus;
use crate::payments::provider::ProviderId;
use crate::pricing::quote::{LineDetail, QuoteLine, Terms, Totals};
use crate::values::addresses::Address;
use crate::values::ids::Sku;
use crate::values::money::Currency;
use durable::Timestamp;

/// A confirmed order of `lines` in the currency `code`.
pub fn order(code: &str, lines: Vec<QuoteLine>, shipping: i64, tax_included: bool) -> Order {
    let subtotal = lines.iter().map(|line| line.line_total).sum::<i64>();
    let discount_total = lines.iter().map(|line| line.discount).sum::<i64>();
    let tax_total = lines.iter().map(|line| line.tax).sum::<i64>();
    let on_top = if tax_included { 0 } else { tax_total };
    Order {
        id: "ord_1".into(),
        number: 1001,
        version: 1,
        status: OrderStatus::Confirmed,
        attempt: 1,
        cart_id: "cart_1".into(),
        currency: Currency::from_code(code).unwrap(),
        email: String::new(),
        shipping_address: Address::default(),
        billing_address: None,
        shipping_method: "standard".into(),
        lines,
        totals: Totals {
            subtotal,
            discount_total,
            shipping_total: shipping,
            tax_total,
            total: subtotal - discount_total + shipping + on_top,
            shipping_tax: 0,
            tax_included,
        },
        terms: Terms::default(),
        created_at: Timestamp::default(),
        payment: Payment {
            id: "pay_1".into(),
            provider: ProviderId::Stripe,
            attempt: 1,
            status: PaymentStatus::Paid,
            session_id: None,
            url: None,
            request: String::new(),
            expires_at: Timestamp::default(),
            captured: None,
        },
        events: vec![],
        tasks: vec![],
        fulfillments: vec![],
        returns: vec![],
        refunds: vec![],
        disputes: vec![],
    }
}

/// A line of `quantity` units at `unit_price`, with a tenth of its total in tax.
pub fn line(at: usize, unit_price: i64, quantity: u32) -> QuoteLine {
    let line_total = unit_price * i64::from(quantity);
    QuoteLine {
        sku: Sku::new(format!("SKU{at}")),
        quantity,
        title: String::new(),
        variant_title: String::new(),
        tracked: true,
        unit_price,
        line_total,
        discount: 0,
        tax: line_total / 10,
        detail: LineDetail::default(),
    }
}
