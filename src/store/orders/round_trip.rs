//! Orders written in SQL and read back: a column that one of the two statements leaves out shows as
//! a difference.

use crate::store::orders::queries;
use crate::store::orders::rows::OrderRow;
use crate::store::orders::sqlite::{database, values};
use crate::store::orders::statements;
use durable::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value, json};
use shop::checkout::pending::{PendingLimits, Visitor};
use shop::checkout::record::Checkout;
use shop::customers::challenge::Proof;
use shop::orders::order::{Actor, Order, OrderEvent};
use shop::orders::samples::{line, order};
use shop::orders::transitions::{OrderEventKind, OrderStatus};
use shop::payments::PaymentStatus;
use shop::pricing::quote::QuoteLine;
use shop::values::ids::QuoteId;

#[test]
fn an_order_reads_as_it_was_written() {
    let written = full_order();
    let database = database();
    let batch = statements::place(&written, &checkout_of(&written), Proof::NotAsked, at(1));
    for statement in batch.unwrap() {
        let parameters = params_from_iter(values(&statement));
        let mut prepared = database.prepare(statement.sql).unwrap();
        prepared.query(parameters).unwrap().next().unwrap();
    }
    let mut read = read(&database, &written);
    read.number = written.number;
    assert_eq!(read, written);
}

/// An order in which every field of a line, a sum and an address has a value of its own.
fn full_order() -> Order {
    let full: QuoteLine = serde_json::from_value(json!({
        "sku": "MUG-1", "quantity": 3, "title": "Mug", "variant_title": "Blue", "tracked": true,
        "unit_price": 1_100, "line_total": 3_300, "discount": 200, "tax": 310,
        "detail": {
            "listed_price": 1_150, "converted": true, "tax_class": "reduced",
            "taxes": [{"name": "VAT", "rate_ppm": 100_000, "amount": 310}],
        },
    }))
    .unwrap();
    let mut order = order("EUR", vec![full, line(2, 500, 1)], 490, true);
    order.status = OrderStatus::PendingPayment;
    order.payment.status = PaymentStatus::Preparing;
    order.payment.request = "{}".to_owned();
    order.payment.expires_at = at(60);
    order.email = "ann@shopper.test".to_owned();
    order.shipping_address = serde_json::from_value(json!({
        "name": "Ann", "company": "Ann & Co", "line1": "1 Main Street", "line2": "Floor 2",
        "neighborhood": "Mitte", "city": "Berlin", "region": "BE", "postal_code": "10115",
        "country": "DE", "phone": "+493012345",
    }))
    .unwrap();
    order.billing_address = Some(order.shipping_address.clone());
    order.terms.settings_version = 7;
    order.created_at = at(1);
    order.events = vec![OrderEvent {
        happening: OrderEventKind::Placed,
        actor: Actor::Shopper,
        subject: None,
        note: None,
        at: at(1),
    }];
    order
}

fn checkout_of(order: &Order) -> Checkout {
    Checkout {
        order_id: order.id.clone(),
        cart_id: order.cart_id.clone(),
        idempotency_key: "key".to_owned(),
        request_hash: "hash".to_owned(),
        quote_id: QuoteId::new("quote_1".to_owned()),
        billing_address: None,
        jitter: 0,
        visitor: Visitor {
            network: "here".to_owned(),
            limits: PendingLimits {
                orders_per_address: 3,
                orders_per_network: 10,
                units_per_network: 99,
            },
            solution: None,
        },
    }
}

fn read(database: &Connection, order: &Order) -> Order {
    let statement = queries::order(&order.id);
    let mut prepared = database.prepare(statement.sql).unwrap();
    let names: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    let mut rows = prepared
        .query(params_from_iter(values(&statement)))
        .unwrap();
    let row = rows.next().unwrap().unwrap();
    let value = |at: usize| match row.get_ref(at).unwrap() {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => integer.into(),
        ValueRef::Text(text) => std::str::from_utf8(text).unwrap().into(),
        ValueRef::Real(_) | ValueRef::Blob(_) => {
            unreachable!("no column of an order is of this type")
        }
    };
    let fields: Map<String, Value> = names
        .into_iter()
        .enumerate()
        .map(|(at, name)| (name, value(at)))
        .collect();
    let row: OrderRow = serde_json::from_value(fields.into()).unwrap();
    row.into_order().unwrap()
}

fn at(secs: u32) -> Timestamp {
    Timestamp::from_millis(1_000_000).plus_secs(secs)
}
