//! Statements that write checkouts and orders.

use crate::store::messages::mails::insert_letters;
use crate::store::orders::{findings, gate};
use crate::store::sql::{Statement, to_json, to_word};
use durable::Timestamp;
use serde::Serialize;
use shop::checkout::record::Checkout;
use shop::customers::challenge::Proof;
use shop::error::{Error, Result};
use shop::messages::email::EmailJob;
use shop::operations::sweep::bounds::{MAX_PAUSE_SECS, PAYMENT_PAUSE_SECS, STUCK_SECS};
use shop::orders::ledger::{Account, Journal};
use shop::orders::moves::{OrderRecord, Transition};
use shop::orders::numbers::candidate_numbers;
use shop::orders::order::{Order, OrderEvent, RefundStatus, Task};
use shop::orders::record::TaskOutcomes;
use shop::orders::transitions::{Effect, OrderStatus};
use shop::values::addresses::Address;
use shop::values::ids::OrderId;
use shop::values::money::Currency;

/// Seconds after a transition until the sweep picks up tasks that were not carried out along with
/// it.
const TASK_GRACE_SECS: u32 = 30;

/// Inserts the order that a checkout results in. Its idempotency key and, while it is pending, its
/// cart are unique, so one of two concurrent orders fails entirely.
pub fn place(
    order: &Order,
    checkout: &Checkout,
    proof: Proof,
    now: Timestamp,
) -> Result<Vec<Statement>> {
    let journal = Journal::placed(&order.totals, order.currency)?;
    let placed = order
        .events
        .first()
        .ok_or_else(|| Error::internal("an order that was not placed"))?;
    let mut batch = gate::close_to_too_many(order, checkout, proof, now)?;
    batch.extend([
        event(&order.id, 1, placed)?,
        insert_order(order, now)?,
        Statement::new(INSERT_LINES)
            .bind(order.id.as_str())
            .bind(to_json(&order.lines)?),
        insert_addresses(order)?,
        insert_payment(order)?,
        Statement::new(INSERT_CHECKOUT)
            .bind(order.id.as_str())
            .bind(order.cart_id.as_str())
            .bind(checkout.idempotency_key.as_str())
            .bind(checkout.request_hash.as_str())
            .bind(checkout.quote_id.as_str())
            .bind(now)
            .bind(checkout.visitor.network.as_str()),
    ]);
    batch.extend(book(&order.id, 1, &[journal], now)?);
    batch.extend(insert_tasks(&order.id, &order.tasks, now)?);
    Ok(batch)
}

/// Records that an order will not be placed, by writing the same version that placing it would
/// write.
pub fn refuse(order_id: &OrderId, now: Timestamp) -> Statement {
    Statement::new(INSERT_EVENT)
        .bind(order_id)
        .bind(1_i64)
        .bind("refused")
        .bind("shop")
        .bind(None::<&str>)
        .bind(None::<&str>)
        .bind(now)
}

/// Writes a transition of an order with everything that changes at once.
pub fn transition(transition: &Transition, now: Timestamp) -> Result<Vec<Statement>> {
    let Transition {
        order_id, outcome, ..
    } = transition;
    let version = next_version(transition.from_version)?;
    let mut batch = vec![
        event(order_id, version, &transition.event)?,
        Statement::new(
            "UPDATE orders SET status = ?2, version = ?3, attempt = ?4, updated_at = ?5 WHERE id = ?1",
        )
        .bind(order_id.as_str())
        .bind(to_word(&outcome.status)?)
        .bind(version)
        .bind(transition.attempt)
        .bind(now),
    ];
    if let Some(payment) = outcome.payment {
        let captured = transition.captured;
        batch.push(
            Statement::new(UPDATE_PAYMENT)
                .bind(order_id.as_str())
                .bind(to_word(&payment)?)
                .bind(captured.map(|money| money.amount))
                .bind(captured.map(|money| money.currency.code()))
                .bind(transition.payment_ref.clone()),
        );
    }
    if outcome.status != OrderStatus::PendingPayment {
        batch.push(
            Statement::new(
                "UPDATE checkouts SET live = 0, network = NULL WHERE order_id = ?1 AND live = 1",
            )
            .bind(order_id.as_str()),
        );
    }
    if let Some(record) = &transition.record {
        batch.push(keep_record(order_id, record, now)?);
    }
    batch.extend(book(order_id, version, &transition.journals, now)?);
    batch.extend(insert_tasks(order_id, &transition.tasks(), now)?);
    if let Some(finding) = transition.finding(now) {
        batch.push(findings::save_one(&finding)?);
    }
    Ok(batch)
}

/// Records which tasks were carried out, which failed, and the payment session that was opened.
pub fn finish_round(
    order_id: &OrderId,
    round: &TaskOutcomes,
    now: Timestamp,
) -> Result<Vec<Statement>> {
    let mut batch = Vec::new();
    if let Some(session) = &round.opened {
        batch.push(
            Statement::new(OPEN_PAYMENT)
                .bind(order_id)
                .bind(session.id.as_str())
                .bind(session.url.clone()),
        );
    }
    if !round.done.is_empty() {
        batch.push(
            Statement::new(TASKS_DONE)
                .bind(order_id)
                .bind(to_json(&round.done)?)
                .bind(now),
        );
        let letter_of = |task| EmailJob::of_task(order_id, task);
        let letters: Vec<EmailJob> = round.done.iter().filter_map(letter_of).collect();
        batch.extend(insert_letters(&letters, now)?);
    }
    for (task, error) in &round.failed {
        batch.push(
            Statement::new(TASK_FAILED)
                .bind(order_id)
                .bind(to_word(&task.effect)?)
                .bind(task.subject.as_str())
                .bind(error.as_str())
                .bind(now)
                .bind(longest_pause_secs(task.effect)),
        );
    }
    Ok(batch)
}

/// Returns the longest pause between attempts. It is short for the payment page: a shopper is
/// waiting, and a request costs nothing while the circuit breaker is open.
const fn longest_pause_secs(effect: Effect) -> u32 {
    match effect {
        Effect::OpenPayment => PAYMENT_PAUSE_SECS,
        _ => MAX_PAUSE_SECS,
    }
}

/// Returns the first statement of every transition.
fn event(order_id: &OrderId, version: i64, event: &OrderEvent) -> Result<Statement> {
    Ok(Statement::new(INSERT_EVENT)
        .bind(order_id)
        .bind(version)
        .bind(to_word(&event.happening)?)
        .bind(to_word(&event.actor)?)
        .bind(event.subject.clone())
        .bind(event.note.clone())
        .bind(event.at))
}

fn insert_order(order: &Order, now: Timestamp) -> Result<Statement> {
    Ok(Statement::new(INSERT_ORDER)
        .bind(order.id.as_str())
        .bind(to_word(&order.status)?)
        .bind(order.attempt)
        .bind(order.cart_id.as_str())
        .bind(order.currency.code())
        .bind(order.email.as_str())
        .bind(order.shipping_method.as_str())
        .bind(order.totals.subtotal)
        .bind(order.totals.discount_total)
        .bind(order.totals.shipping_total)
        .bind(order.totals.tax_total)
        .bind(order.totals.total)
        .bind(now)
        .bind(order.totals.shipping_tax)
        .bind(u32::from(order.totals.tax_included))
        .bind(to_json(&order.terms)?)
        .bind(to_json(&candidate_numbers(&order.id))?))
}

fn insert_addresses(order: &Order) -> Result<Statement> {
    #[derive(Serialize)]
    struct Addresses<'a> {
        shipping: &'a Address,
        #[serde(skip_serializing_if = "Option::is_none")]
        billing: Option<&'a Address>,
    }
    let addresses = Addresses {
        shipping: &order.shipping_address,
        billing: order.billing_address.as_ref(),
    };
    Ok(Statement::new(INSERT_ADDRESSES)
        .bind(order.id.as_str())
        .bind(to_json(&addresses)?))
}

fn insert_payment(order: &Order) -> Result<Statement> {
    let payment = &order.payment;
    Ok(Statement::new(INSERT_PAYMENT)
        .bind(payment.id.as_str())
        .bind(order.id.as_str())
        .bind(payment.provider.as_str())
        .bind(to_word(&payment.status)?)
        .bind(payment.request.as_str())
        .bind(payment.expires_at)
        .bind(payment.expires_at.plus_secs(STUCK_SECS)))
}

/// Returns the statement that inserts tasks.
pub fn insert_tasks(
    order_id: &OrderId,
    tasks: &[Task],
    now: Timestamp,
) -> Result<Option<Statement>> {
    if tasks.is_empty() {
        return Ok(None);
    }
    Ok(Some(
        Statement::new(INSERT_TASKS)
            .bind(order_id)
            .bind(to_json(&tasks)?)
            .bind(now.plus_secs(TASK_GRACE_SECS)),
    ))
}

fn keep_record(order_id: &OrderId, record: &OrderRecord, now: Timestamp) -> Result<Statement> {
    Ok(match record {
        OrderRecord::Renewed(it) => Statement::new(RENEW_PAYMENT)
            .bind(order_id)
            .bind(it.attempt)
            .bind(it.request.as_str())
            .bind(it.expires_at)
            .bind(it.expires_at.plus_secs(STUCK_SECS)),
        OrderRecord::Shipped(it) => Statement::new(INSERT_FULFILLMENT)
            .bind(it.id.as_str())
            .bind(order_id)
            .bind(to_json(&it.lines)?)
            .bind(it.tracking.carrier.clone())
            .bind(it.tracking.tracking_number.clone())
            .bind(it.tracking.tracking_url.clone())
            .bind(it.shipped_at),
        OrderRecord::Arrived(id) => Statement::new(
            "UPDATE fulfillments SET delivered_at = ?3 WHERE id = ?1 AND order_id = ?2",
        )
        .bind(id.as_str())
        .bind(order_id)
        .bind(now),
        OrderRecord::Returned(it) => Statement::new(INSERT_RETURN)
            .bind(it.id.as_str())
            .bind(order_id)
            .bind(to_json(&it.lines)?)
            .bind(i64::from(it.restock))
            .bind(it.reason.clone())
            .bind(it.worth.amount)
            .bind(it.returned_at),
        OrderRecord::Promised(it) => Statement::new(INSERT_REFUND)
            .bind(it.id.as_str())
            .bind(order_id)
            .bind(it.amount.amount)
            .bind(it.amount.currency.code())
            .bind(to_word(&RefundStatus::Pending)?)
            .bind(it.created_at),
        OrderRecord::RefundEnded(id, status) => {
            Statement::new("UPDATE refunds SET status = ?3 WHERE id = ?1 AND order_id = ?2")
                .bind(id.as_str())
                .bind(order_id)
                .bind(to_word(status)?)
        }
        OrderRecord::Disputed(it) => Statement::new(UPSERT_DISPUTE)
            .bind(it.id.as_str())
            .bind(order_id)
            .bind(it.amount.amount)
            .bind(it.amount.currency.code())
            .bind(to_word(&it.state)?)
            .bind(i64::from(it.refundable))
            .bind(it.withdrawn)
            .bind(it.fee)
            .bind(now),
    })
}

#[derive(Serialize)]
struct EntryRow {
    journal: usize,
    account: Account,
    amount: i64,
    currency: Currency,
}

/// Inserts ledger entries and then their journals, each of which fails the batch unless it sums to
/// zero. The book is an order, or the session of a stray payment.
pub fn book(
    book_id: &str,
    version: i64,
    journals: &[Journal],
    now: Timestamp,
) -> Result<Vec<Statement>> {
    let entries: Vec<EntryRow> = journals
        .iter()
        .enumerate()
        .flat_map(|(at, journal)| {
            journal.entries.iter().map(move |entry| EntryRow {
                journal: at,
                account: entry.account,
                amount: entry.amount,
                currency: journal.currency,
            })
        })
        .collect();
    if entries.is_empty() {
        return Ok(vec![]);
    }
    Ok(vec![
        Statement::new(INSERT_ENTRIES)
            .bind(book_id)
            .bind(version)
            .bind(to_json(&entries)?),
        Statement::new(INSERT_JOURNALS)
            .bind(book_id)
            .bind(version)
            .bind(now),
    ])
}

fn next_version(version: u64) -> Result<i64> {
    i64::try_from(version)
        .ok()
        .and_then(|version| version.checked_add(1))
        .ok_or_else(|| Error::internal("an order's version does not fit"))
}

const INSERT_EVENT: &str = "
INSERT INTO order_events (order_id, version, happening, actor, subject, note, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Takes the first of the drawn numbers that no order has. A batch is one transaction with a single
/// writer, so no two orders take the same number. If all are taken, the number is one above the
/// largest.
const INSERT_ORDER: &str = "
INSERT INTO orders (id, number, version, status, attempt, cart_id, currency, email,
    shipping_method, subtotal, discount_total, shipping_total, tax_total, total, created_at, updated_at, shipping_tax, tax_included, terms)
SELECT ?1, COALESCE(
    (SELECT value FROM json_each(?17) AS drawn WHERE NOT EXISTS (SELECT 1 FROM orders WHERE number = drawn.value) ORDER BY key LIMIT 1),
    (SELECT MAX(number) + 1 FROM orders)
), 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?14, ?15, ?16";

const INSERT_CHECKOUT: &str = "
INSERT INTO checkouts (order_id, cart_id, idempotency_key, request_hash, quote_id, step, live, updated_at, network)
VALUES (?1, ?2, ?3, ?4, ?5, 'placed', 1, ?6, ?7)";

const INSERT_LINES: &str = "
INSERT INTO order_lines (order_id, position, sku, quantity, title, variant_title, tracked, unit_price, line_total, discount, tax, detail)
SELECT ?1, key, value ->> 'sku', value ->> 'quantity', value ->> 'title', value ->> 'variant_title', value ->> 'tracked',
    value ->> 'unit_price', value ->> 'line_total', value ->> 'discount', value ->> 'tax', value -> 'detail'
FROM json_each(?2)";

const INSERT_ADDRESSES: &str = "
INSERT INTO order_addresses (order_id, kind, name, line1, line2, city, region, postal_code, country, company, neighborhood, phone)
SELECT ?1, key, value ->> 'name', value ->> 'line1', value ->> 'line2', value ->> 'city',
    value ->> 'region', value ->> 'postal_code', value ->> 'country', value ->> 'company', value ->> 'neighborhood', value ->> 'phone'
FROM json_each(?2)";

const INSERT_PAYMENT: &str = "
INSERT INTO payments (id, order_id, provider, status, request, expires_at, look_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const RENEW_PAYMENT: &str = "
UPDATE payments SET attempt = ?2, request = ?3, expires_at = ?4, look_at = ?5 WHERE order_id = ?1";

const UPDATE_PAYMENT: &str = "
UPDATE payments SET status = ?2, captured_amount = COALESCE(?3, captured_amount), captured_currency = COALESCE(?4, captured_currency),
    payment_ref = COALESCE(?5, payment_ref)
WHERE order_id = ?1";

/// A webhook may have reported the session, or even its end, before the response that opened it
/// arrived.
const OPEN_PAYMENT: &str = "
UPDATE payments SET session_id = ?2, url = ?3, status = iif(status = 'preparing', 'open', status)
WHERE order_id = ?1 AND session_id IS NULL";

const INSERT_TASKS: &str = "
INSERT INTO outbox (order_id, effect, subject, position, due_at)
SELECT ?1, value ->> 'effect', value ->> 'subject', (SELECT COUNT(*) FROM outbox WHERE order_id = ?1) + key, ?3
FROM json_each(?2) WHERE true
ON CONFLICT (order_id, effect, subject) DO NOTHING";

const TASKS_DONE: &str = "
UPDATE outbox SET done_at = ?3
WHERE order_id = ?1 AND (effect, subject) IN (SELECT value ->> 'effect', value ->> 'subject' FROM json_each(?2))";

const TASK_FAILED: &str = "
UPDATE outbox SET attempts = attempts + 1, last_error = ?4, due_at = ?5 + 1000 * MIN(?6, 30 << MIN(attempts, 10))
WHERE order_id = ?1 AND effect = ?2 AND subject = ?3";

const INSERT_FULFILLMENT: &str = "
INSERT INTO fulfillments (id, order_id, lines, carrier, tracking_number, tracking_url, shipped_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const INSERT_RETURN: &str = "
INSERT INTO returns (id, order_id, lines, restock, reason, worth, returned_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const INSERT_REFUND: &str = "
INSERT INTO refunds (id, order_id, amount, currency, status, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const UPSERT_DISPUTE: &str = "
INSERT INTO disputes (id, order_id, amount, currency, state, refundable, withdrawn, fee, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (id) DO UPDATE SET state = ?5, refundable = ?6, withdrawn = ?7, fee = ?8, updated_at = ?9";

const INSERT_ENTRIES: &str = "
INSERT INTO ledger_entries (order_id, version, journal, account, amount, currency)
SELECT ?1, ?2, value ->> 'journal', value ->> 'account', value ->> 'amount', value ->> 'currency' FROM json_each(?3)";

const INSERT_JOURNALS: &str = "
INSERT INTO journals (order_id, version, journal, at, balance)
SELECT order_id, version, journal, ?3, SUM(amount) FROM ledger_entries WHERE order_id = ?1 AND version = ?2 GROUP BY journal";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::orders::sqlite::{database, values};
    use rusqlite::{Connection, params_from_iter};
    use shop::orders::samples::{line, order};

    /// Returns the number that an order gets from these drawn numbers.
    fn number_of(database: &Connection, id: &str, drawn: &[i64]) -> i64 {
        let mut order = order("USD", vec![line(1, 1_000, 1)], 0, false);
        order.id = id.into();
        let mut statement = insert_order(&order, Timestamp::from_millis(0)).unwrap();
        *statement.parameters.last_mut().unwrap() = to_json(&drawn).unwrap().into();
        database
            .execute(statement.sql, params_from_iter(values(&statement)))
            .unwrap();
        let sql = "SELECT number FROM orders WHERE id = ?1";
        database.query_row(sql, [id], |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_order_gets_the_first_number_that_is_free() {
        let database = database();
        assert_eq!(
            number_of(&database, "a", &[7_000_000, 8_000_000]),
            7_000_000
        );
        assert_eq!(
            number_of(&database, "b", &[7_000_000, 8_000_000]),
            8_000_000
        );
        assert_eq!(
            number_of(&database, "c", &[7_000_000, 8_000_000]),
            8_000_001
        );
        assert_eq!(
            number_of(&database, "d", &[9_000_000, 1_000_000]),
            9_000_000
        );
    }
}
