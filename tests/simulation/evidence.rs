//! Judgment of a shop at rest, when every session has ended: money, goods, books and emails agree.
//! The simulation uses it to judge its worlds, and `examples/judge.rs` to judge the real databases
//! of a shop after a chaos run.

use durable::{promotion, stock};
use serde_json::Value;
use shop::payments::SessionState;
use std::collections::BTreeMap;

pub type Holds = Result<(), String>;

/// Records of the shop's database, its objects and its providers.
pub trait Evidence {
    /// Returns the first column of each row of a database query.
    fn ask(&self, sql: &str) -> Vec<Value>;
    /// Returns every SKU.
    fn stocks(&self) -> Vec<StockEvidence>;
    /// Returns every limited promotion.
    fn promotions(&self) -> Vec<(String, promotion::View)>;
    /// Returns every session that the provider ever had for an order of the shop.
    fn payments(&self) -> Vec<PaymentEvidence>;
    /// Returns the amount that disputes of these payments have taken at the provider, including
    /// fees.
    fn disputed(&self) -> i64;
    /// Returns the number of confirmations sent for an order.
    fn confirmations(&self, order_id: &str) -> u32;
}

pub struct StockEvidence {
    pub sku: String,
    /// Number of units that staff received.
    pub received: i64,
    pub view: stock::View,
}

pub struct PaymentEvidence {
    pub session_id: String,
    pub order_id: String,
    pub state: SessionState,
    pub amount: i64,
    pub refunded: i64,
    /// Amount that a dispute has withdrawn.
    pub withdrawn: i64,
}

/// Selects the limited promotions of each order.
pub const USES: &str = "SELECT orders.id AS order_id, status, value ->> 'id' AS promotion
    FROM orders, json_each(terms, '$.promotions') WHERE value -> 'limits' IS NOT NULL";

pub fn at_rest(shop: &impl Evidence) -> Holds {
    none(
        shop,
        "a task is undone",
        "SELECT order_id || ' ' || effect || ' ' || COALESCE(last_error, '') FROM outbox WHERE done_at IS NULL",
    )?;
    none(
        shop,
        "two orders of one key",
        "SELECT order_id FROM checkouts GROUP BY cart_id, idempotency_key HAVING COUNT(*) > 1",
    )?;
    none(
        shop,
        "an order is pending",
        "SELECT id FROM orders WHERE status = 'pending_payment'",
    )?;
    none(
        shop,
        "a refund is pending",
        "SELECT id FROM refunds WHERE status = 'pending'
            UNION ALL SELECT session_id FROM stray_payments WHERE refund_status = 'pending'",
    )?;
    none(
        shop,
        "a letter was never written",
        "SELECT order_id || ' ' || effect FROM outbox WHERE effect LIKE 'send\\_%' ESCAPE '\\'
            AND order_id NOT IN (SELECT order_id FROM mails WHERE kind = CASE effect
                WHEN 'send_confirmation' THEN 'order_confirmation' WHEN 'send_refund' THEN 'refund' ELSE 'payment_problem' END)",
    )?;
    none(
        shop,
        "a letter was neither sent nor given up before staff",
        "SELECT id || ' ' || kind || ' ' || order_id FROM mails WHERE sent_at IS NULL
            AND (given_up_at IS NULL OR order_id NOT IN (SELECT subject FROM findings WHERE kind = 'letter_failed'))",
    )?;
    staff_are_told(shop)?;
    money_has_an_order(shop)?;
    stock_is_that_of_the_orders(shop)?;
    promotions_are_used_by_the_orders(shop)?;
    books_agree(shop)?;
    none(
        shop,
        "a stray payment is neither given back nor owed",
        "SELECT session_id || ' ' || account || ' ' || SUM(e.amount) FROM stray_payments AS s JOIN ledger_entries AS e ON e.order_id = session_id
            WHERE e.version > 0 GROUP BY session_id, account
            HAVING SUM(e.amount) <> CASE WHEN refund_status = 'failed' AND account = 'clearing' THEN s.amount
                WHEN refund_status = 'failed' AND account = 'receivable' THEN -s.amount ELSE 0 END",
    )?;
    for id in ids(
        shop,
        "SELECT order_id FROM outbox WHERE effect = 'send_confirmation'",
    ) {
        let told = shop.confirmations(&id);
        holds(told == 1, || {
            format!("{id} was confirmed and told {told} times")
        })?;
    }
    Ok(())
}

/// Every problem that needs a person is a finding, written in its own transaction.
fn staff_are_told(shop: &impl Evidence) -> Holds {
    none(
        shop,
        "an order is left to a person who was not told",
        "SELECT order_id FROM order_events WHERE happening = 'paid_wrong_amount'
            AND order_id NOT IN (SELECT subject FROM findings WHERE kind = 'payment_review')",
    )?;
    none(
        shop,
        "a refund failed and nobody was told",
        "SELECT failed.id FROM (
            SELECT id, order_id FROM refunds WHERE status = 'failed'
            UNION ALL SELECT session_id, order_id FROM stray_payments WHERE refund_status = 'failed'
        ) AS failed WHERE NOT EXISTS (SELECT 1 FROM findings
            WHERE kind = 'refund_failed' AND subject = failed.order_id AND error LIKE failed.id || ' %')",
    )?;
    none(
        shop,
        "a dispute of which nobody was told",
        "SELECT id || ' ' || state FROM disputes WHERE state <> 'won' AND NOT EXISTS (SELECT 1 FROM findings
            WHERE kind = iif(state = 'lost', 'dispute_lost', 'dispute_opened') AND subject = order_id AND error LIKE disputes.id || ' %')",
    )?;
    none(
        shop,
        "a stray payment of which nobody was told",
        "SELECT session_id FROM stray_payments WHERE NOT EXISTS (SELECT 1 FROM findings
            WHERE kind = 'stray_payment' AND subject = order_id AND error LIKE session_id || ' %')",
    )?;
    none(
        shop,
        "a dead letter of which nobody was told",
        "SELECT id FROM dead_letters WHERE queue NOT IN (SELECT subject FROM findings WHERE kind = 'dead_letter')",
    )
}

/// Every paid session belongs to a sold order, or to a cancelled one whose money was fully
/// refunded.
fn money_has_an_order(shop: &impl Evidence) -> Holds {
    let mut paid_by: BTreeMap<String, u32> = BTreeMap::new();
    for session in shop.payments() {
        let order_id = session.order_id.as_str();
        let status = ids(
            shop,
            &format!("SELECT status FROM orders WHERE id = '{order_id}'"),
        );
        let status = status.first().map(String::as_str);
        let refunded = session.refunded;
        let agrees = match (session.state, status) {
            (SessionState::Paid, Some("confirmed" | "completed")) => {
                refunded == promised(shop, order_id)
            }
            (SessionState::Paid, Some("cancelled")) => {
                refunded + session.withdrawn == session.amount || is_left_to_staff(shop, order_id)
            }
            (SessionState::Expired, Some("expired" | "cancelled"))
            | (SessionState::Failed, Some("cancelled")) => refunded == 0,
            _ => false,
        };
        holds(agrees, || {
            format!(
                "{} of {} was {:?}, its order is {status:?}, {refunded} refunded",
                session.session_id, session.amount, session.state
            )
        })?;
        *paid_by.entry(order_id.to_owned()).or_default() += 1;
    }
    holds(paid_by.values().all(|sessions| *sessions == 1), || {
        format!("sessions of one order: {paid_by:?}")
    })
}

/// Returns the amount that was refunded according to the order's own record.
fn promised(shop: &impl Evidence, order_id: &str) -> i64 {
    let sum = shop.ask(&format!(
        "SELECT SUM(amount) FROM refunds WHERE order_id = '{order_id}' AND status <> 'failed'"
    ));
    sum[0].as_i64().unwrap_or_default()
}

/// Returns true if a refund failed at the provider, of which staff are notified.
pub fn is_left_to_staff(shop: &impl Evidence, order_id: &str) -> bool {
    let sql = format!(
        "SELECT subject FROM findings WHERE kind = 'refund_failed' AND subject = '{order_id}'"
    );
    !ids(shop, &sql).is_empty()
}

fn stock_is_that_of_the_orders(shop: &impl Evidence) -> Holds {
    for StockEvidence {
        sku,
        received,
        view,
    } in shop.stocks()
    {
        let units = |sql: &str| shop.ask(sql)[0].as_i64().unwrap_or_default();
        let sold = units(&format!(
            "SELECT SUM(quantity) FROM order_lines WHERE sku = '{sku}' AND order_id IN (SELECT id FROM orders WHERE status IN ('confirmed', 'completed'))"
        ));
        let of_records = |table: &str, which: &str| {
            units(&format!(
                "SELECT SUM(value ->> 'quantity') FROM {table}, json_each({table}.lines) WHERE value ->> 'sku' = '{sku}' {which}"
            ))
        };
        let shipped = of_records("fulfillments", "");
        let restocked = of_records("returns", "AND restock = 1");
        holds(view.held == 0, || {
            format!("{sku} is held for nobody: {view:?}")
        })?;
        holds(view.committed == sold - shipped, || {
            format!("{sku}: {sold} sold, {shipped} shipped, {view:?}")
        })?;
        holds(view.on_hand == received - shipped + restocked, || {
            format!("{sku}: {shipped} shipped, {restocked} back, {view:?}")
        })?;
    }
    Ok(())
}

fn promotions_are_used_by_the_orders(shop: &impl Evidence) -> Holds {
    for (id, view) in shop.promotions() {
        let sql = format!(
            "SELECT order_id FROM ({USES}) WHERE promotion = '{id}' AND status IN ('confirmed', 'completed')"
        );
        let sold = ids(shop, &sql).len();
        holds(view.held == 0 && view.consumed as usize == sold, || {
            format!("{id}: {sold} sold with it, {view:?}")
        })?;
    }
    Ok(())
}

/// Nobody owes anything, and the provider's balance matches the books.
fn books_agree(shop: &impl Evidence) -> Holds {
    let balance = |account: &str| {
        let sum = shop.ask(&format!(
            "SELECT SUM(amount) FROM ledger_entries WHERE account = '{account}' AND order_id NOT IN (SELECT session_id FROM stray_payments)"
        ));
        sum[0].as_i64().unwrap_or_default()
    };
    none(
        shop,
        "a journal does not sum to zero",
        "SELECT order_id FROM ledger_entries GROUP BY order_id, version, journal HAVING SUM(amount) <> 0",
    )?;
    none(
        shop,
        "an entry without its journal",
        "SELECT order_id FROM ledger_entries WHERE (order_id, version, journal) NOT IN (SELECT order_id, version, journal FROM journals)",
    )?;
    let payments = shop.payments();
    let paid: i64 = payments
        .iter()
        .filter(|it| it.state == SessionState::Paid)
        .map(|it| it.amount)
        .sum();
    let refunded: i64 = payments.iter().map(|it| it.refunded).sum();
    let disputed = shop.disputed();
    let sold = shop.ask("SELECT SUM(captured_amount) FROM payments WHERE order_id IN (SELECT id FROM orders WHERE status IN ('confirmed', 'completed'))")[0].as_i64().unwrap_or_default();
    holds(balance("clearing") == paid - refunded - disputed, || {
        format!(
            "{} in the books, {paid} paid, {refunded} refunded, {disputed} disputed",
            balance("clearing")
        )
    })?;
    let kept = shop.ask("SELECT SUM(captured_amount - COALESCE((SELECT SUM(amount) FROM refunds WHERE order_id = payments.order_id AND status <> 'failed'), 0))
        FROM payments WHERE order_id IN (SELECT id FROM orders WHERE status = 'cancelled')")[0].as_i64().unwrap_or_default();
    holds(
        balance("receivable") == -kept && balance("refunds") == 0,
        || {
            format!(
                "{kept} kept of dead orders, somebody owes {}",
                balance("receivable")
            )
        },
    )?;
    let sales = balance("sales") + balance("shipping") + balance("tax") + balance("discounts");
    let allowed = shop.ask("SELECT SUM(amount) FROM refunds WHERE status <> 'failed' AND order_id IN (SELECT id FROM orders WHERE status IN ('confirmed', 'completed'))")[0].as_i64().unwrap_or_default();
    holds(sales == allowed - sold, || {
        format!("{sales} in the books, {sold} sold")
    })
}

pub fn none(shop: &impl Evidence, what: &str, sql: &str) -> Holds {
    let found = ids(shop, sql);
    holds(found.is_empty(), || format!("{what}: {found:?}"))
}

pub fn ids(shop: &impl Evidence, sql: &str) -> Vec<String> {
    let found = shop.ask(sql);
    found
        .into_iter()
        .map(|value| value.as_str().unwrap_or_default().to_owned())
        .collect()
}

pub fn holds(condition: bool, broken: impl FnOnce() -> String) -> Holds {
    if condition { Ok(()) } else { Err(broken()) }
}
