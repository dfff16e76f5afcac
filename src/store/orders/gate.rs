//! The first statements of an order's transaction. They make the whole transaction fail when the
//! visitor already has too much pending, so that only one of two concurrent orders gets through.
//! They write one row at most, for an order without a proof where the shop asks for one, and read
//! no row of a SKU while nothing is pending from the network.

use crate::store::sql::{Statement, to_json};
use durable::Timestamp;
use serde_json::{Value, json};
use shop::checkout::pending::{MAX_UNPROVED, UNPROVED_SECS};
use shop::checkout::record::Checkout;
use shop::customers::challenge::Proof;
use shop::error::Result;
use shop::inventory::hold_ids::tracked_lines;
use shop::orders::order::Order;
use shop::values::mail_addresses::letters_of;

/// Number of other orders without a proof that still allows one more.
pub const OTHER_UNPROVED: u32 = MAX_UNPROVED - 1;

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

const CLOSE_TO_TOO_MANY_UNPROVED: &str = "
INSERT INTO gate (open) SELECT 0
WHERE (SELECT placed_at FROM unproved_orders WHERE network = ?1 ORDER BY placed_at DESC LIMIT 1 OFFSET ?2) > ?3";

const UNPROVED_SINCE: &str = "
SELECT placed_at AS at FROM unproved_orders WHERE network = ?1 ORDER BY placed_at DESC LIMIT 1 OFFSET ?2";

const COUNT_UNPROVED: &str = "
INSERT INTO unproved_orders (network, placed_at, order_id) VALUES (?1, ?2, ?3)";

/// Fails the transaction for a visitor with too many pending orders, or too many recent orders
/// without a proof. Otherwise, counts this order if it has no proof.
pub fn close_to_too_many(
    order: &Order,
    checkout: &Checkout,
    proof: Proof,
    now: Timestamp,
) -> Result<Vec<Statement>> {
    let mut batch = vec![close_to_too_many_pending(order, checkout, proof)?];
    if proof == Proof::Missing {
        let network = checkout.visitor.network.as_str();
        batch.extend([
            Statement::new(CLOSE_TO_TOO_MANY_UNPROVED)
                .bind(network)
                .bind(OTHER_UNPROVED)
                .bind(now.minus_secs(UNPROVED_SECS)),
            Statement::new(COUNT_UNPROVED)
                .bind(network)
                .bind(now)
                .bind(order.id.as_str()),
        ]);
    }
    Ok(batch)
}

/// Selects the instant since which the network has used up its orders without a proof.
pub fn unproved_since(network: &str) -> Statement {
    Statement::new(UNPROVED_SINCE)
        .bind(network)
        .bind(OTHER_UNPROVED)
}

fn close_to_too_many_pending(
    order: &Order,
    checkout: &Checkout,
    proof: Proof,
) -> Result<Statement> {
    let limits = checkout.visitor.limits;
    Ok(Statement::new(CLOSE_TO_TOO_MANY)
        .bind(checkout.visitor.network.as_str())
        .bind(limits.orders_for(proof))
        .bind(letters_of(&order.email))
        .bind(limits.orders_per_address)
        .bind(to_json(&held_units(order))?)
        .bind(limits.units_per_network))
}

/// Returns the units that the order holds, by SKU.
fn held_units(order: &Order) -> Vec<Value> {
    let lines = tracked_lines(&order.lines).into_iter();
    lines
        .map(|line| json!({"sku": line.sku, "quantity": line.quantity}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::orders::sqlite::{database, values};
    use rusqlite::{Connection, params_from_iter};
    use shop::checkout::pending::{PendingLimits, Visitor};
    use shop::orders::samples::{line, order};
    use shop::values::ids::{OrderId, QuoteId};

    /// Sample: `here` has 60 units of S pending, and 99 of T that are not held. Another order from
    /// there is paid.
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
        (line.sku, line.tracked) = (sku.into(), tracked);
        let order = order("USD", vec![line], 0, false);
        runs(
            &database,
            &close_to_too_many(&order, &checkout(network), Proof::NotAsked, at(0)).unwrap(),
        )
    }

    fn at(secs: u32) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus_secs(secs)
    }

    /// Runs a batch in one transaction; returns false if nothing of it was written.
    fn runs(database: &Connection, batch: &[Statement]) -> bool {
        let transaction = database.unchecked_transaction().unwrap();
        let lands = batch.iter().all(|statement| {
            let outcome = transaction.execute(statement.sql, params_from_iter(values(statement)));
            outcome.is_ok()
        });
        if lands {
            transaction.commit().unwrap();
        }
        lands
    }

    #[test]
    fn without_a_proof_so_many_orders_are_written_in_ten_minutes_whatever_became_of_them() {
        let database = database();
        let mut placed = 0;
        let mut place = |network: &str, proof, secs| {
            let mut order = order("USD", vec![line(1, 1_000, 1)], 0, false);
            placed += 1;
            order.id = OrderId::new(format!("ord_{placed}"));
            let batch = close_to_too_many(&order, &checkout(network), proof, at(secs)).unwrap();
            runs(&database, &batch)
        };
        for secs in 0..MAX_UNPROVED {
            assert!(place("here", Proof::Missing, secs));
        }
        assert!(!place("here", Proof::Missing, UNPROVED_SECS - 1));
        assert!(place("there", Proof::Missing, 5));
        assert!(place("here", Proof::Shown, 5));
        assert!(place("here", Proof::NotAsked, 5));
        assert!(place("here", Proof::Missing, UNPROVED_SECS));
        assert!(!place("here", Proof::Missing, UNPROVED_SECS));
        assert!(place("here", Proof::Missing, UNPROVED_SECS + 1));
    }

    #[test]
    fn a_proof_lifts_the_orders_of_a_network_and_not_its_units() {
        let database = database();
        database.execute_batch(PENDING).unwrap();
        database
            .execute_batch("UPDATE checkouts SET network = 'here', live = 1")
            .unwrap();
        let mut one = checkout("here");
        one.visitor.limits.orders_per_network = 2;
        let lets_in = |sku: &str, proof| {
            let mut line = line(1, 1_000, 1);
            line.sku = sku.into();
            let order = order("USD", vec![line], 0, false);
            runs(
                &database,
                &close_to_too_many(&order, &one, proof, at(0)).unwrap(),
            )
        };
        assert!(!lets_in("U", Proof::NotAsked));
        assert!(!lets_in("U", Proof::Missing));
        assert!(lets_in("U", Proof::Shown));
        assert!(!lets_in("S", Proof::Shown));
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
            order_id: "ord_3".into(),
            cart_id: "cart_3".into(),
            idempotency_key: "key".to_owned(),
            request_hash: "hash".to_owned(),
            quote_id: QuoteId::new("quote".to_owned()),
            billing_address: None,
            jitter: 0,
            visitor: Visitor {
                network: network.to_owned(),
                limits: PendingLimits {
                    orders_per_address: 3,
                    orders_per_network: 10,
                    units_per_network: 99,
                },
                solution: None,
            },
        }
    }
}
