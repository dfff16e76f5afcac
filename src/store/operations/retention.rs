//! [`RetentionRecord`] in SQL. Tables with an index by time are purged by it, oldest first. The
//! others are walked through a window of keys, from the first row to the last and over again, so
//! that no order pays for an index that only its deletion would use. A walk passes over rows that
//! are young or still needed, and never meets a deleted row again.

use crate::store::sql::{Database, Statement, TextRow, from_word, to_word};
use durable::Timestamp;
use serde::Deserialize;
use shop::error::Result;
use shop::operations::retention::{Kind, RetentionRecord};

/// Moves the window forward: it begins where it ended. Past the last row the window is empty, and
/// the next one begins again at the first row.
macro_rules! step {
    ($table:literal, $key:literal, $begin:literal) => {
        concat!(
            "UPDATE purges SET after = upto, upto = COALESCE((SELECT MAX(",
            $key,
            ") FROM (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $key,
            " > purges.upto ORDER BY ",
            $key,
            " LIMIT ?2)), ",
            $begin,
            ") WHERE kind = ?1"
        )
    };
}

/// Selects the rows inside the window.
macro_rules! within {
    ($key:literal) => {
        concat!(
            $key,
            " > (SELECT after FROM purges WHERE kind = ?1) AND ",
            $key,
            " <= (SELECT upto FROM purges WHERE kind = ?1)"
        )
    };
}

/// [`RetentionRecord`] on a database.
#[derive(Debug)]
pub struct RetentionD1<D>(pub D);

/// Method of purging a kind of rows.
enum Way {
    /// One statement; `?1` is the instant before which the rows ended, `?2` the maximum number of
    /// rows.
    ByTime(&'static str),
    /// `step` moves the window forward by `?2` rows; the other statements work on the rows inside
    /// it. `?1` is the kind, `?2` the instant. `forget` returns one row for each that it deletes.
    Walk {
        step: &'static str,
        before: Option<&'static str>,
        forget: &'static str,
    },
}

impl<D: Database> RetentionRecord for RetentionD1<D> {
    async fn take_turn(&self, now: Timestamp) -> Result<Option<Kind>> {
        let rows: Vec<TextRow> = self.0.query(Statement::new(TAKE_TURN).bind(now)).await?;
        Ok(rows.first().and_then(|row| from_word(&row.value).ok()))
    }

    async fn forget(&self, kind: Kind, before: Timestamp, limit: u32) -> Result<u32> {
        let gone: Vec<Gone> = match way(kind) {
            Way::ByTime(sql) => {
                let statement = Statement::new(sql).bind(before).bind(limit);
                self.0.query(statement).await?
            }
            Way::Walk {
                step,
                before: first,
                forget,
            } => {
                let word = to_word(&kind)?;
                let within = |sql| Statement::new(sql).bind(word.as_str()).bind(before);
                let mut batch = vec![Statement::new(step).bind(word.as_str()).bind(limit)];
                batch.extend(first.map(within));
                self.0.batch_then_query(batch, within(forget)).await?
            }
        };
        Ok(u32::try_from(gone.len()).unwrap_or(u32::MAX))
    }
}

/// A row that was deleted.
#[derive(Deserialize)]
struct Gone {}

const TAKE_TURN: &str = "
UPDATE purges SET turn_at = ?1 WHERE kind = (SELECT kind FROM purges ORDER BY turn_at, kind LIMIT 1) RETURNING kind AS value";

const fn way(kind: Kind) -> Way {
    match kind {
        Kind::AbandonedCarts => Way::ByTime(ABANDONED_CARTS),
        Kind::Answers => Way::ByTime(ANSWERS),
        Kind::DeadLetters => Way::ByTime(DEAD_LETTERS),
        Kind::Findings => Way::ByTime(FINDINGS),
        Kind::ImportNames => Way::ByTime(IMPORT_NAMES),
        Kind::OrderCodeTries => Way::ByTime(ORDER_CODE_TRIES),
        Kind::Refusals => Way::ByTime(REFUSALS),
        Kind::ResolvedLetters => Way::ByTime(RESOLVED_LETTERS),
        Kind::UnprovedOrders => Way::ByTime(UNPROVED_ORDERS),
        Kind::UnseenEvents => Way::ByTime(UNSEEN_EVENTS),
        Kind::Checkouts => walk(step!("checkouts", "rowid", "0"), CHECKOUTS),
        Kind::Events => walk(step!("webhook_events", "rowid", "0"), EVENTS),
        Kind::Failures => walk(step!("failures", "rowid", "0"), FAILURES),
        Kind::Letters => walk(step!("mails", "rowid", "0"), LETTERS),
        Kind::ScheduledPrices => walk(step!("scheduled_prices", "rowid", "0"), SCHEDULED_PRICES),
        Kind::Tasks => Way::Walk {
            step: step!("outbox", "order_id", "''"),
            before: Some(REQUESTS),
            forget: TASKS,
        },
    }
}

const fn walk(step: &'static str, forget: &'static str) -> Way {
    Way::Walk {
        step,
        before: None,
        forget,
    }
}

const ABANDONED_CARTS: &str = "
DELETE FROM abandoned_carts WHERE cart_id IN (SELECT cart_id FROM abandoned_carts WHERE idle_since < ?1 ORDER BY idle_since LIMIT ?2)
RETURNING 1 AS gone";

const ANSWERS: &str = "
DELETE FROM idempotency_keys WHERE (caller, key) IN (SELECT caller, key FROM idempotency_keys WHERE claimed_at <= ?1 ORDER BY claimed_at LIMIT ?2)
RETURNING 1 AS gone";

const DEAD_LETTERS: &str = "
DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE status = 'dead' AND buried_at < ?1 ORDER BY buried_at LIMIT ?2)
RETURNING 1 AS gone";

/// Narrowed by the index on the time of burial, which comes before resolution.
const RESOLVED_LETTERS: &str = "
DELETE FROM dead_letters WHERE id IN (
    SELECT id FROM dead_letters WHERE status IN ('replayed', 'discarded') AND buried_at < ?1 AND resolved_at < ?1 LIMIT ?2
)
RETURNING 1 AS gone";

/// IDs grow with time.
const FINDINGS: &str = "
DELETE FROM findings WHERE id IN (SELECT id FROM findings ORDER BY id LIMIT ?2) AND found_at < ?1
RETURNING 1 AS gone";

const IMPORT_NAMES: &str = "
DELETE FROM import_names WHERE (import_id, name) IN (SELECT import_id, name FROM import_names WHERE claimed_at < ?1 ORDER BY claimed_at LIMIT ?2)
RETURNING 1 AS gone";

const ORDER_CODE_TRIES: &str = "
DELETE FROM order_code_tries WHERE (number, network) IN (SELECT number, network FROM order_code_tries WHERE began_at < ?1 ORDER BY began_at LIMIT ?2)
RETURNING 1 AS gone";

/// Keeps refusals of checkouts that have not released everything yet.
const REFUSALS: &str = "
DELETE FROM order_events WHERE (order_id, version) IN (
    SELECT order_id, version FROM order_events
    WHERE happening = 'refused' AND at < ?1 AND order_id NOT IN (SELECT order_id FROM checkouts WHERE step <> 'placed')
    ORDER BY at LIMIT ?2
)
RETURNING 1 AS gone";

const UNPROVED_ORDERS: &str = "
DELETE FROM unproved_orders WHERE (network, placed_at, order_id) IN (
    SELECT network, placed_at, order_id FROM unproved_orders WHERE placed_at < ?1 ORDER BY placed_at LIMIT ?2
)
RETURNING 1 AS gone";

const UNSEEN_EVENTS: &str = "
DELETE FROM webhook_events WHERE id IN (SELECT id FROM webhook_events WHERE processed_at IS NULL AND received_at < ?1 LIMIT ?2)
RETURNING 1 AS gone";

/// Keeps checkouts whose order still has its cart.
const CHECKOUTS: &str = concat!(
    "DELETE FROM checkouts WHERE ",
    within!("rowid"),
    " AND step = 'placed' AND live = 0 AND updated_at < ?2 RETURNING 1 AS gone"
);

const EVENTS: &str = concat!(
    "DELETE FROM webhook_events WHERE ",
    within!("rowid"),
    " AND processed_at < ?2 RETURNING 1 AS gone"
);

/// All failures of a message are deleted together, after the last one, because they are counted.
/// Those of a dead letter stay with it.
const FAILURES: &str = concat!(
    "DELETE FROM failures WHERE ",
    within!("rowid"),
    " AND at < ?2 AND message NOT IN (SELECT body FROM dead_letters WHERE status = 'dead')
    AND NOT EXISTS (SELECT 1 FROM failures AS later WHERE later.message = failures.message AND later.at >= ?2)
    RETURNING 1 AS gone"
);

/// The row of an email keeps it from being sent twice, so it stays while a task or a dead letter of
/// its order could still send it again.
const LETTERS: &str = concat!(
    "DELETE FROM mails WHERE ",
    within!("rowid"),
    " AND COALESCE(sent_at, given_up_at) < ?2
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.order_id = mails.order_id AND done_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE status = 'dead' AND instr(body, mails.order_id) > 0)
    RETURNING 1 AS gone"
);

const SCHEDULED_PRICES: &str = concat!(
    "DELETE FROM scheduled_prices WHERE ",
    within!("rowid"),
    " AND valid_until < ?2 RETURNING 1 AS gone"
);

/// The request contains the email address that the payment page is pre-filled with. It may be sent
/// again until the session is known to have ended.
const REQUESTS: &str = concat!(
    "UPDATE payments SET request = '' WHERE request <> '' AND status IN ('paid', 'failed') AND order_id IN (
        SELECT order_id FROM outbox AS done WHERE ",
    within!("order_id"),
    " AND done_at < ?2
        AND NOT EXISTS (SELECT 1 FROM outbox AS undone WHERE undone.order_id = done.order_id AND undone.done_at IS NULL)
    )"
);

/// Tasks stay while their order has anything to do, because they are numbered by how many there
/// are.
const TASKS: &str = concat!(
    "DELETE FROM outbox WHERE ",
    within!("order_id"),
    " AND done_at < ?2
    AND NOT EXISTS (SELECT 1 FROM outbox AS undone WHERE undone.order_id = outbox.order_id AND undone.done_at IS NULL)
    RETURNING 1 AS gone"
);
