//! The first statement of an order's transaction: it fails the whole where too much of the visitor's is pending already, so that of two
//! that were let in at once, one is let in. It writes no row, and reads none of a SKU while nothing is pending from the network.

use crate::error::Result;
use crate::shop::checkout::{Checkout, tracked_lines};
use crate::shop::mail_addresses::letters_of;
use crate::shop::orders::Order;
use crate::store::sql::{Statement, to_json};
use serde_json::{Value, json};

const CLOSE_TO_TOO_MANY: &str = "
INSERT INTO gate (open) SELECT 0
WHERE (SELECT COUNT(*) FROM checkouts WHERE network = ?1 AND live = 1) >= ?2
    OR (SELECT COUNT(*) FROM orders WHERE LOWER(email) = ?3 AND +status = 'pending_payment') >= ?4
    OR EXISTS (
        SELECT 1 FROM order_lines AS pending
        WHERE order_id IN (SELECT order_id FROM checkouts WHERE network = ?1 AND live = 1) AND tracked
        GROUP BY sku
        HAVING SUM(quantity) + (SELECT SUM(value ->> 'quantity') FROM json_each(?5) WHERE value ->> 'sku' = pending.sku) > ?6
    )";

/// Closes the gate to an order of a visitor who has enough pending.
pub fn close_to_too_many(order: &Order, checkout: &Checkout) -> Result<Statement> {
    let limits = checkout.visitor.limits;
    Ok(Statement::new(CLOSE_TO_TOO_MANY)
        .bind(checkout.visitor.network.as_str())
        .bind(limits.orders_per_network)
        .bind(letters_of(&order.email))
        .bind(limits.orders_per_address)
        .bind(to_json(&held_units(order))?)
        .bind(limits.units_per_network))
}

/// Units that the order holds, by SKU.
fn held_units(order: &Order) -> Vec<Value> {
    let lines = tracked_lines(&order.lines).into_iter();
    lines
        .map(|line| json!({"sku": line.sku, "quantity": line.quantity}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::checkout::{PendingLimits, Visitor};
    use crate::shop::orders::samples::{line, order};
    use crate::store::orders_d1::sqlite::{database, values};
    use rusqlite::params_from_iter;

    /// Pending from `here`: 60 units of S, and 99 of T, of which none are held. Another order from there is paid.
    const PENDING: &str = "
INSERT INTO checkouts (order_id, cart_id, idempotency_key, request_hash, quote_id, step, live, updated_at, network)
VALUES ('ord_1', 'cart_1', 'k', 'h', 'q', 'placed', 1, 0, 'here'), ('ord_2', 'cart_2', 'k', 'h', 'q', 'placed', 0, 0, NULL);
INSERT INTO order_lines (order_id, position, sku, quantity, title, variant_title, tracked, unit_price, line_total, discount, tax, detail)
VALUES ('ord_1', 0, 'S', 60, '', '', 1, 1, 1, 0, 0, '{}'), ('ord_1', 1, 'T', 99, '', '', 0, 1, 1, 0, 0, '{}'),
    ('ord_2', 0, 'S', 99, '', '', 1, 1, 1, 0, 0, '{}');";

    fn is_let_in(network: &str, sku: &str, quantity: u32, tracked: bool) -> bool {
        let database = database();
        database.execute_batch(PENDING).unwrap();
        let mut line = line(1, 1_000, quantity);
        (line.sku, line.tracked) = (sku.to_owned(), tracked);
        let order = order("USD", vec![line], 0, false);
        let statement = close_to_too_many(&order, &checkout(network)).unwrap();
        let outcome = database.execute(statement.sql, params_from_iter(values(&statement)));
        outcome.is_ok()
    }

    #[test]
    fn units_that_are_pending_from_a_network_are_bounded_where_an_order_is_written() {
        for (network, sku, quantity, tracked, lets_in) in [
            ("here", "S", 39, true, true),
            ("here", "S", 40, true, false),
            ("here", "S", 99, false, true),
            ("here", "T", 99, true, true),
            ("here", "U", 150, true, true),
            ("there", "S", 99, true, true),
        ] {
            let told = is_let_in(network, sku, quantity, tracked);
            assert_eq!(told, lets_in, "{quantity} {sku} from {network}");
        }
    }

    fn checkout(network: &str) -> Checkout {
        Checkout {
            order_id: "ord_3".to_owned(),
            cart_id: "cart_3".to_owned(),
            idempotency_key: "key".to_owned(),
            request_hash: "hash".to_owned(),
            quote_id: "quote".to_owned(),
            billing_address: None,
            jitter: 0,
            visitor: Visitor {
                network: network.to_owned(),
                limits: PendingLimits {
                    orders_per_address: 3,
                    orders_per_network: 10,
                    units_per_network: 99,
                },
            },
        }
    }
}
