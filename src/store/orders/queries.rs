//! Queries of checkouts and orders, and statements that take what is due.

use crate::store::pricing::settings::select_settings;
use crate::store::sql::{Statement, to_word};
use shop::error::Result;
use shop::orders::record::OrderFilter;
use shop::values::ids::OrderId;

/// Selects orders with everything that belongs to them, each kind of row as one JSON column. A
/// macro, because the text of a statement is constant.
macro_rules! select_orders {
    () => {
        "
SELECT o.id, o.number, o.version, o.status, o.attempt, o.cart_id, o.currency, o.email, o.shipping_method,
    o.subtotal, o.discount_total, o.shipping_total, o.tax_total, o.total, o.shipping_tax, o.tax_included, o.terms, o.created_at,
    (SELECT json_group_object(kind, json_object('name', name, 'line1', line1, 'line2', line2, 'city', city,
        'region', region, 'postal_code', postal_code, 'country', country, 'company', company, 'neighborhood', neighborhood, 'phone', phone))
     FROM order_addresses WHERE order_id = o.id) AS addresses,
    (SELECT json_group_array(json_object('sku', sku, 'quantity', quantity, 'title', title, 'variant_title', variant_title,
        'tracked', json(iif(tracked, 'true', 'false')), 'unit_price', unit_price, 'line_total', line_total,
        'discount', discount, 'tax', tax, 'detail', json(detail)) ORDER BY position)
     FROM order_lines WHERE order_id = o.id) AS lines,
    (SELECT json_object('id', id, 'provider', provider, 'attempt', attempt, 'status', status, 'session_id', session_id, 'url', url, 'request', request, 'expires_at', expires_at,
        'captured', json(iif(captured_amount IS NULL, 'null', json_object('amount', captured_amount, 'currency', captured_currency))))
     FROM payments WHERE order_id = o.id) AS payment,
    (SELECT json_group_array(json_object('happening', happening, 'actor', actor, 'subject', subject, 'note', note, 'at', at) ORDER BY version)
     FROM order_events WHERE order_id = o.id) AS events,
    (SELECT json_group_array(json_object('effect', effect, 'subject', subject) ORDER BY position)
     FROM outbox WHERE order_id = o.id AND done_at IS NULL) AS tasks,
    (SELECT json_group_array(json_object('id', id, 'lines', json(lines), 'carrier', carrier, 'tracking_number', tracking_number,
        'tracking_url', tracking_url, 'shipped_at', shipped_at, 'delivered_at', delivered_at) ORDER BY shipped_at, id)
     FROM fulfillments WHERE order_id = o.id) AS fulfillments,
    (SELECT json_group_array(json_object('id', id, 'lines', json(lines), 'restock', json(iif(restock, 'true', 'false')), 'reason', reason,
        'worth', json_object('amount', worth, 'currency', o.currency), 'returned_at', returned_at) ORDER BY returned_at, id)
     FROM returns WHERE order_id = o.id) AS returns,
    (SELECT json_group_array(json_object('id', id, 'amount', json_object('amount', amount, 'currency', currency), 'status', status,
        'created_at', created_at) ORDER BY created_at, id)
     FROM refunds WHERE order_id = o.id) AS refunds,
    (SELECT json_group_array(json_object('id', id, 'amount', json_object('amount', amount, 'currency', currency), 'state', state,
        'refundable', json(iif(refundable, 'true', 'false')), 'withdrawn', withdrawn, 'fee', fee) ORDER BY id)
     FROM disputes WHERE order_id = o.id) AS disputes
FROM orders AS o"
    };
}

/// Row IDs follow the order of insertion. If the order doesn't exist, nothing precedes it.
macro_rules! placed_before {
    () => {
        " WHERE o.rowid < iif(?1 IS NULL, 9007199254740991, (SELECT rowid FROM orders WHERE id = ?1))"
    };
}

/// Selects one order.
pub fn order(order_id: &OrderId) -> Statement {
    Statement::new(concat!(select_orders!(), " WHERE o.id = ?1")).bind(order_id)
}

/// Selects a page of orders, newest first.
pub fn orders(filter: &OrderFilter) -> Result<Statement> {
    let status = filter.status.as_ref().map(to_word).transpose()?;
    // One statement for each filter, so that each uses its own index.
    let statement = match (&filter.cart_id, &status) {
        _ if filter.number.is_some() => {
            let statement = concat!(select_orders!(), " WHERE o.number = ?1 LIMIT ?2");
            let statement = Statement::new(statement).bind(filter.number);
            return Ok(statement.bind(filter.limit));
        }
        (Some(_), _) => Statement::new(concat!(
            select_orders!(),
            placed_before!(),
            " AND o.cart_id = ?3 AND (?4 IS NULL OR +o.status = ?4) ORDER BY o.rowid DESC LIMIT ?2"
        )),
        (None, Some(_)) => Statement::new(concat!(
            select_orders!(),
            placed_before!(),
            " AND ?3 IS NULL AND o.status = ?4 ORDER BY o.rowid DESC LIMIT ?2"
        )),
        (None, None) => Statement::new(concat!(
            select_orders!(),
            placed_before!(),
            " AND ?3 IS NULL AND ?4 IS NULL ORDER BY o.rowid DESC LIMIT ?2"
        )),
    };
    Ok(statement
        .bind(filter.before.as_ref())
        .bind(filter.limit)
        .bind(filter.cart_id.as_ref())
        .bind(status))
}

/// Selects the order of the idempotency key or else the pending order of the cart, a quote, and the
/// price list of its SKUs. `?1` is the cached version of the settings.
pub const FIND_CHECKOUT: &str = concat!(
    "
SELECT standing.order_id, standing.idempotency_key, standing.request_hash,
    quotes.body AS quote, COALESCE((SELECT seq FROM current_publish), 0) AS catalog_seq,
    (SELECT json_group_object(sku, json(listing)) FROM (
        SELECT line.value ->> 'sku' AS sku, (
            SELECT listing FROM listings
            WHERE sku = line.value ->> 'sku' AND seq <= (SELECT seq FROM current_publish) ORDER BY seq DESC LIMIT 1
        ) AS listing
        FROM json_each(quotes.body, '$.lines') AS line
    ) WHERE listing IS NOT NULL) AS listings,
    EXISTS (
        SELECT 1 FROM orders WHERE LOWER(email) = LOWER(TRIM(quotes.body ->> '$.email')) AND status NOT IN ('expired', 'cancelled')
    ) AS has_ordered,
    (
        SELECT COUNT(*) FROM orders WHERE LOWER(email) = LOWER(TRIM(quotes.body ->> '$.email')) AND +status = 'pending_payment'
    ) AS pending_of_address,
    (SELECT COUNT(*) FROM checkouts WHERE network = ?5 AND live = 1) AS pending_of_network,
    (SELECT json_group_object(sku, units) FROM (
        SELECT sku, SUM(quantity) AS units FROM order_lines
        WHERE order_id IN (SELECT order_id FROM checkouts WHERE network = ?5 AND live = 1) AND tracked GROUP BY sku
    )) AS pending_units,
    (SELECT placed_at FROM unproved_orders WHERE network = ?5 ORDER BY placed_at DESC LIMIT 1 OFFSET ?6) AS unproved_since,
    ",
    select_settings!(),
    "
FROM (SELECT 1)
LEFT JOIN (
    SELECT order_id, idempotency_key, request_hash FROM checkouts
    WHERE cart_id = ?3 AND step = 'placed' AND (idempotency_key = ?4 OR live = 1)
    ORDER BY idempotency_key = ?4 DESC LIMIT 1
) AS standing
LEFT JOIN quotes ON quotes.id = ?2"
);

pub const ANY_DUE: &str = "
SELECT order_id AS value FROM outbox WHERE done_at IS NULL AND due_at <= ?1
UNION ALL
SELECT order_id FROM payments WHERE status IN ('preparing', 'open', 'processing') AND look_at <= ?1
LIMIT 1";

/// Takes all tasks of the orders, because the caller carries out all of them. Two callers driving
/// the same order would do some of them twice.
pub const TAKE_ORDERS_WITH_DUE_TASKS: &str = "
UPDATE outbox SET due_at = MAX(due_at, ?2) WHERE done_at IS NULL AND order_id IN (
    SELECT order_id FROM (
        SELECT order_id, SUM(calls) OVER (ORDER BY newest DESC, oldest ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS calls_before
        FROM (
            SELECT outbox.order_id, MIN(due_at) AS oldest,
                MAX(iif(effect = 'open_payment' AND orders.created_at > ?5, orders.created_at, 0)) AS newest,
                1 + MAX(effect = 'open_payment' AND payments.expires_at < ?6) AS calls
            FROM outbox JOIN orders ON orders.id = outbox.order_id JOIN payments ON payments.order_id = outbox.order_id
            WHERE done_at IS NULL AND due_at <= ?1
            GROUP BY outbox.order_id HAVING ?4 OR MAX(effect = 'open_payment') = 0
        )
    ) WHERE COALESCE(calls_before, 0) < ?3
)
RETURNING order_id AS value";

pub const TAKE_OVERDUE_ORDERS: &str = "
UPDATE payments SET look_at = ?2 WHERE id IN (
    SELECT id FROM payments WHERE status IN ('preparing', 'open', 'processing') AND look_at <= ?1 ORDER BY look_at LIMIT ?3
)
RETURNING order_id AS value";

pub const ORDER_NUMBER: &str = "SELECT number FROM orders WHERE id = ?1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::orders::sqlite::{database, values};
    use rusqlite::params_from_iter;
    use shop::orders::transitions::OrderStatus;

    #[test]
    fn every_list_of_orders_walks_an_index_and_sorts_nothing() {
        let database = database();
        let filters = [
            OrderFilter::default(),
            OrderFilter {
                cart_id: Some("cart_1".into()),
                ..OrderFilter::default()
            },
            OrderFilter {
                cart_id: Some("cart_1".into()),
                status: Some(OrderStatus::Confirmed),
                ..OrderFilter::default()
            },
            OrderFilter {
                status: Some(OrderStatus::Confirmed),
                ..OrderFilter::default()
            },
            OrderFilter {
                number: Some(7_000_000),
                ..OrderFilter::default()
            },
        ];
        for filter in filters {
            let statement = orders(&filter).unwrap();
            let sql = format!("EXPLAIN QUERY PLAN {}", statement.sql);
            let mut prepared = database.prepare(&sql).unwrap();
            let plan: Vec<(i64, String)> = prepared
                .query_map(params_from_iter(values(&statement)), |row| {
                    Ok((row.get("parent")?, row.get("detail")?))
                })
                .unwrap()
                .map(Result::unwrap)
                .collect();
            let own: Vec<&String> = plan
                .iter()
                .filter(|(parent, _)| *parent == 0)
                .map(|(_, detail)| detail)
                .collect();
            assert!(
                own.iter().any(|it| it.starts_with("SEARCH o USING")),
                "{own:?}"
            );
            assert!(!own.iter().any(|it| it.contains("TEMP B-TREE")), "{own:?}");
        }
    }
}
