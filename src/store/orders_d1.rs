//! Checkouts, orders, payments and the outbox in SQL.
//!
//! A guarded `UPDATE` that matches nothing does not abort its batch. So every move begins with an insert into `order_events` of the
//! version read + 1, which is unique: of two that judged the same version, the loser's whole batch fails.

use crate::error::{Error, Result};
use crate::shop::checkout::{Checkout, CheckoutStep};
use crate::shop::money::Currency;
use crate::shop::orders::{Effect, Order, OrderEvent, Payment, Status, Transition};
use crate::shop::payments::{PaymentStatus, Session};
use crate::shop::ports::{Orders, Written};
use crate::shop::pricing::{QuoteLine, Totals};
use crate::store::sql::{
    Database, Statement, TextRow, from_json, from_word, to_json, to_word, written,
};
use durable::Timestamp;
use serde::Deserialize;

/// Seconds from a move until the sweep takes up effects that the mover did not carry out itself.
const EFFECT_GRACE_SECS: u32 = 30;

/// Longest pause between two attempts at an effect, in seconds.
const MAX_BACKOFF_SECS: u32 = 15 * 60;

/// [`Orders`] on a database.
#[derive(Debug)]
pub struct OrdersD1<D>(pub D);

impl<D: Database> Orders for OrdersD1<D> {
    async fn begin_checkout(&self, checkout: &Checkout, now: Timestamp) -> Result<Written> {
        let billing_address = checkout.billing_address.as_ref().map(to_json).transpose()?;
        let statement = Statement::new(
            "INSERT INTO checkouts (order_id, cart_id, idempotency_key, request_hash, quote_id, billing_address, step, live, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'started', 1, ?7)",
        )
        .bind(checkout.order_id.as_str())
        .bind(checkout.cart_id.as_str())
        .bind(checkout.idempotency_key.as_str())
        .bind(checkout.request_hash.as_str())
        .bind(checkout.quote_id.as_str())
        .bind(billing_address)
        .bind(now);
        written(self.0.batch(vec![statement]).await)
    }

    async fn checkout_by_key(&self, cart_id: &str, key: &str) -> Result<Option<Checkout>> {
        let sql = "SELECT order_id, cart_id, idempotency_key, request_hash, quote_id, billing_address, step
             FROM checkouts WHERE cart_id = ?1 AND idempotency_key = ?2";
        self.one_checkout(Statement::new(sql).bind(cart_id).bind(key))
            .await
    }

    async fn live_checkout(&self, cart_id: &str) -> Result<Option<Checkout>> {
        let sql = "SELECT order_id, cart_id, idempotency_key, request_hash, quote_id, billing_address, step
             FROM checkouts WHERE cart_id = ?1 AND live = 1";
        self.one_checkout(Statement::new(sql).bind(cart_id)).await
    }

    async fn stuck_checkouts(&self, before: Timestamp, limit: u32) -> Result<Vec<Checkout>> {
        let sql = "SELECT order_id, cart_id, idempotency_key, request_hash, quote_id, billing_address, step
             FROM checkouts WHERE step <> 'placed' AND updated_at < ?1 ORDER BY updated_at LIMIT ?2";
        let rows: Vec<CheckoutRow> = self
            .0
            .query(Statement::new(sql).bind(before).bind(limit))
            .await?;
        rows.into_iter().map(CheckoutRow::into_checkout).collect()
    }

    async fn place(
        &self,
        order: &Order,
        payment: &Payment,
        effects: &[Effect],
        now: Timestamp,
    ) -> Result<Written> {
        let mut batch = vec![
            event(&order.id, 1, "placed", now),
            insert_order(order, now)?,
            Statement::new(INSERT_LINES)
                .bind(order.id.as_str())
                .bind(to_json(&order.lines)?),
            insert_payment(payment)?,
            Statement::new(
                "UPDATE checkouts SET step = 'placed', updated_at = ?2 WHERE order_id = ?1",
            )
            .bind(order.id.as_str())
            .bind(now),
        ];
        batch.extend(insert_effects(&order.id, effects, now)?);
        written(self.0.batch(batch).await)
    }

    async fn refuse_checkout(&self, order_id: &str, now: Timestamp) -> Result<Written> {
        let batch = vec![
            event(order_id, 1, "refused", now),
            Statement::new(
                "UPDATE checkouts SET step = 'refused', updated_at = ?2 WHERE order_id = ?1",
            )
            .bind(order_id)
            .bind(now),
        ];
        written(self.0.batch(batch).await)
    }

    async fn forget_checkout(&self, order_id: &str) -> Result<()> {
        let statement =
            Statement::new("DELETE FROM checkouts WHERE order_id = ?1 AND step = 'refused'");
        Ok(self.0.batch(vec![statement.bind(order_id)]).await?)
    }

    async fn order(&self, order_id: &str) -> Result<Option<Order>> {
        let rows: Vec<OrderRow> = self
            .0
            .query(Statement::new(SELECT_ORDER).bind(order_id))
            .await?;
        rows.into_iter()
            .next()
            .map(OrderRow::into_order)
            .transpose()
    }

    async fn timeline(&self, order_id: &str) -> Result<Vec<OrderEvent>> {
        let statement = Statement::new(
            "SELECT happening, at FROM order_events WHERE order_id = ?1 ORDER BY version",
        );
        let rows: Vec<EventRow> = self.0.query(statement.bind(order_id)).await?;
        rows.into_iter()
            .map(|row| {
                Ok(OrderEvent {
                    happening: from_word(&row.happening)?,
                    at: Timestamp::from_millis(row.at),
                })
            })
            .collect()
    }

    async fn payment(&self, order_id: &str) -> Result<Option<Payment>> {
        let statement = Statement::new(
            "SELECT id, order_id, status, session_id, url, request, expires_at FROM payments WHERE order_id = ?1",
        );
        let rows: Vec<PaymentRow> = self.0.query(statement.bind(order_id)).await?;
        rows.into_iter()
            .next()
            .map(PaymentRow::into_payment)
            .transpose()
    }

    async fn open_payment(
        &self,
        payment_id: &str,
        session: &Session,
        _now: Timestamp,
    ) -> Result<()> {
        let statement = Statement::new(
            "UPDATE payments SET session_id = ?2, url = ?3, status = 'open' WHERE id = ?1 AND session_id IS NULL",
        )
        .bind(payment_id)
        .bind(session.id.as_str())
        .bind(session.url.clone());
        Ok(self.0.batch(vec![statement]).await?)
    }

    async fn transition(&self, transition: &Transition, now: Timestamp) -> Result<Written> {
        let Transition {
            order_id,
            from_version,
            happening,
            outcome,
        } = transition;
        let version = next_version(*from_version)?;
        let mut batch = vec![
            event(order_id, version, &to_word(happening)?, now),
            Statement::new(
                "UPDATE orders SET status = ?2, version = ?3, updated_at = ?4 WHERE id = ?1",
            )
            .bind(order_id.as_str())
            .bind(to_word(&outcome.status)?)
            .bind(version)
            .bind(now),
        ];
        if let Some(payment) = outcome.payment {
            batch.push(
                Statement::new("UPDATE payments SET status = ?2 WHERE order_id = ?1")
                    .bind(order_id.as_str())
                    .bind(to_word(&payment)?),
            );
        }
        if outcome.status != Status::PendingPayment {
            batch.push(
                Statement::new("UPDATE checkouts SET live = 0 WHERE order_id = ?1")
                    .bind(order_id.as_str()),
            );
        }
        batch.extend(insert_effects(order_id, outcome.effects, now)?);
        written(self.0.batch(batch).await)
    }

    async fn next_attempt(&self, order_id: &str, from: u32) -> Result<()> {
        let statement =
            Statement::new("UPDATE orders SET attempt = ?2 + 1 WHERE id = ?1 AND attempt = ?2");
        Ok(self
            .0
            .batch(vec![statement.bind(order_id).bind(from)])
            .await?)
    }

    async fn overdue_orders(&self, before: Timestamp, limit: u32) -> Result<Vec<String>> {
        let statement = Statement::new(
            "SELECT p.order_id AS value FROM payments AS p JOIN orders AS o ON o.id = p.order_id
             WHERE p.status IN ('preparing', 'open', 'processing') AND p.expires_at < ?1 AND o.status = 'pending_payment'
             ORDER BY p.expires_at LIMIT ?2",
        );
        self.texts(statement.bind(before).bind(limit)).await
    }

    async fn undone_effects(&self, order_id: &str) -> Result<Vec<Effect>> {
        let statement = Statement::new(
            "SELECT effect AS value FROM outbox WHERE order_id = ?1 AND done_at IS NULL ORDER BY position",
        );
        self.texts(statement.bind(order_id))
            .await?
            .iter()
            .map(|effect| from_word(effect))
            .collect()
    }

    async fn orders_with_due_effects(&self, now: Timestamp, limit: u32) -> Result<Vec<String>> {
        let statement = Statement::new(
            "SELECT order_id AS value FROM outbox WHERE done_at IS NULL AND due_at <= ?1 GROUP BY order_id ORDER BY MIN(due_at) LIMIT ?2",
        );
        self.texts(statement.bind(now).bind(limit)).await
    }

    async fn effect_done(&self, order_id: &str, effect: Effect, now: Timestamp) -> Result<()> {
        let statement =
            Statement::new("UPDATE outbox SET done_at = ?3 WHERE order_id = ?1 AND effect = ?2")
                .bind(order_id)
                .bind(to_word(&effect)?)
                .bind(now);
        Ok(self.0.batch(vec![statement]).await?)
    }

    async fn effect_failed(
        &self,
        order_id: &str,
        effect: Effect,
        error: &str,
        now: Timestamp,
    ) -> Result<()> {
        let statement = Statement::new(
            "UPDATE outbox SET attempts = attempts + 1, last_error = ?3,
                due_at = ?4 + 1000 * MIN(?5, 30 << MIN(attempts, 10))
             WHERE order_id = ?1 AND effect = ?2",
        )
        .bind(order_id)
        .bind(to_word(&effect)?)
        .bind(error)
        .bind(now)
        .bind(MAX_BACKOFF_SECS);
        Ok(self.0.batch(vec![statement]).await?)
    }
}

impl<D: Database> OrdersD1<D> {
    async fn one_checkout(&self, statement: Statement) -> Result<Option<Checkout>> {
        let rows: Vec<CheckoutRow> = self.0.query(statement).await?;
        rows.into_iter()
            .next()
            .map(CheckoutRow::into_checkout)
            .transpose()
    }

    async fn texts(&self, statement: Statement) -> Result<Vec<String>> {
        let rows: Vec<TextRow> = self.0.query(statement).await?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }
}

/// The first statement of every move.
fn event(order_id: &str, version: i64, happening: &str, now: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO order_events (order_id, version, happening, at) VALUES (?1, ?2, ?3, ?4)",
    )
    .bind(order_id)
    .bind(version)
    .bind(happening)
    .bind(now)
}

fn insert_order(order: &Order, now: Timestamp) -> Result<Statement> {
    let billing_address = order.billing_address.as_ref().map(to_json).transpose()?;
    Ok(Statement::new(INSERT_ORDER)
        .bind(order.id.as_str())
        .bind(to_word(&order.status)?)
        .bind(order.attempt)
        .bind(order.cart_id.as_str())
        .bind(order.currency.code())
        .bind(order.email.as_str())
        .bind(to_json(&order.shipping_address)?)
        .bind(billing_address)
        .bind(order.shipping_method.as_str())
        .bind(order.totals.subtotal)
        .bind(order.totals.discount_total)
        .bind(order.totals.shipping_total)
        .bind(order.totals.tax_total)
        .bind(order.totals.total)
        .bind(now))
}

fn insert_payment(payment: &Payment) -> Result<Statement> {
    Ok(Statement::new(
        "INSERT INTO payments (id, order_id, status, request, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(payment.id.as_str())
    .bind(payment.order_id.as_str())
    .bind(to_word(&payment.status)?)
    .bind(payment.request.as_str())
    .bind(payment.expires_at))
}

fn insert_effects(order_id: &str, effects: &[Effect], now: Timestamp) -> Result<Option<Statement>> {
    if effects.is_empty() {
        return Ok(None);
    }
    Ok(Some(
        Statement::new(INSERT_EFFECTS)
            .bind(order_id)
            .bind(to_json(&effects)?)
            .bind(now.plus_secs(EFFECT_GRACE_SECS)),
    ))
}

fn next_version(version: u64) -> Result<i64> {
    i64::try_from(version)
        .ok()
        .and_then(|version| version.checked_add(1))
        .ok_or_else(|| Error::internal("an order's version does not fit"))
}

/// Numbers count up from 1001; a batch is one transaction of one writer, so no two orders take the same.
const INSERT_ORDER: &str = "
INSERT INTO orders (id, number, version, status, attempt, cart_id, currency, email, shipping_address, billing_address,
    shipping_method, subtotal, discount_total, shipping_total, tax_total, total, created_at, updated_at)
SELECT ?1, COALESCE(MAX(number), 1000) + 1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?15 FROM orders";

const INSERT_LINES: &str = "
INSERT INTO order_lines (order_id, position, sku, quantity, title, variant_title, tracked, unit_price, line_total, discount, tax)
SELECT ?1, key, value ->> 'sku', value ->> 'quantity', value ->> 'title', value ->> 'variant_title', value ->> 'tracked',
    value ->> 'unit_price', value ->> 'line_total', value ->> 'discount', value ->> 'tax'
FROM json_each(?2)";

const INSERT_EFFECTS: &str = "
INSERT INTO outbox (order_id, effect, position, due_at)
SELECT ?1, e.value, (SELECT COUNT(*) FROM outbox WHERE order_id = ?1) + e.key, ?3 FROM json_each(?2) AS e";

const SELECT_ORDER: &str = "
SELECT id, number, version, status, attempt, cart_id, currency, email, shipping_address, billing_address, shipping_method,
    subtotal, discount_total, shipping_total, tax_total, total, created_at,
    (SELECT json_group_array(json_object('sku', sku, 'quantity', quantity, 'title', title, 'variant_title', variant_title,
        'tracked', json(iif(tracked, 'true', 'false')), 'unit_price', unit_price, 'line_total', line_total,
        'discount', discount, 'tax', tax) ORDER BY position)
     FROM order_lines WHERE order_id = orders.id) AS lines
FROM orders WHERE id = ?1";

#[derive(Deserialize)]
struct CheckoutRow {
    order_id: String,
    cart_id: String,
    idempotency_key: String,
    request_hash: String,
    quote_id: String,
    billing_address: Option<String>,
    step: String,
}

impl CheckoutRow {
    fn into_checkout(self) -> Result<Checkout> {
        Ok(Checkout {
            order_id: self.order_id,
            cart_id: self.cart_id,
            idempotency_key: self.idempotency_key,
            request_hash: self.request_hash,
            quote_id: self.quote_id,
            billing_address: self.billing_address.as_deref().map(from_json).transpose()?,
            step: from_word::<CheckoutStep>(&self.step)?,
        })
    }
}

#[derive(Deserialize)]
struct OrderRow {
    id: String,
    number: i64,
    version: u64,
    status: String,
    attempt: u32,
    cart_id: String,
    currency: String,
    email: String,
    shipping_address: String,
    billing_address: Option<String>,
    shipping_method: String,
    subtotal: i64,
    discount_total: i64,
    shipping_total: i64,
    tax_total: i64,
    total: i64,
    created_at: i64,
    lines: String,
}

impl OrderRow {
    fn into_order(self) -> Result<Order> {
        Ok(Order {
            id: self.id,
            number: self.number,
            version: self.version,
            status: from_word::<Status>(&self.status)?,
            attempt: self.attempt,
            cart_id: self.cart_id,
            currency: Currency::from_code(&self.currency)
                .ok_or_else(|| Error::internal("stored currency"))?,
            email: self.email,
            shipping_address: from_json(&self.shipping_address)?,
            billing_address: self.billing_address.as_deref().map(from_json).transpose()?,
            shipping_method: self.shipping_method,
            lines: from_json::<Vec<QuoteLine>>(&self.lines)?,
            totals: Totals {
                subtotal: self.subtotal,
                discount_total: self.discount_total,
                shipping_total: self.shipping_total,
                tax_total: self.tax_total,
                total: self.total,
            },
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}

#[derive(Deserialize)]
struct PaymentRow {
    id: String,
    order_id: String,
    status: String,
    session_id: Option<String>,
    url: Option<String>,
    request: String,
    expires_at: i64,
}

impl PaymentRow {
    fn into_payment(self) -> Result<Payment> {
        Ok(Payment {
            id: self.id,
            order_id: self.order_id,
            status: from_word::<PaymentStatus>(&self.status)?,
            session_id: self.session_id,
            url: self.url,
            request: self.request,
            expires_at: Timestamp::from_millis(self.expires_at),
        })
    }
}

#[derive(Deserialize)]
struct EventRow {
    happening: String,
    at: i64,
}
