//! Retention on the real SQL: a row is deleted when its retention time is over, and not before, and
//! stays while something needs it. `docs/retention.md` names the retention time of every table.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

#[path = "../simulation/database.rs"]
mod database;

use database::SqliteDb;
use durable::Timestamp;
use futures_util::FutureExt;
use serde::de::DeserializeOwned;
use shop::operations::retention::{Kind, RetentionRecord, purge};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::rc::Rc;
use storefront::store::operations::retention::RetentionD1;
use storefront::store::sql::{Database, SqlError, Statement, to_word};

const NOW: i64 = 1_800_000_000_000;
const DAY: i64 = 24 * 60 * 60 * 1000;

struct Sqlite(SqliteDb);

impl Database for &Sqlite {
    async fn query<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>, SqlError> {
        self.0.query(&statement)
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), SqlError> {
        self.0.batch(&statements, None).map(drop)
    }

    async fn batch_then_query<T: DeserializeOwned>(
        &self,
        statements: Vec<Statement>,
        query: Statement,
    ) -> Result<Vec<T>, SqlError> {
        let rows = self.0.batch(&statements, Some(&query))?;
        let read = |row| serde_json::from_value(row).map_err(|it| SqlError::Failed(it.to_string()));
        rows.into_iter().map(read).collect()
    }
}

/// Creates a shop with `sql` in its database, where `@90` is an instant 90 days and a second ago,
/// and `@90+` one that is two seconds later.
fn shop(sql: &str) -> Sqlite {
    let mut words = Vec::new();
    for part in sql.split('@').skip(1) {
        let days: String = part.chars().take_while(char::is_ascii_digit).collect();
        words.push(days);
    }
    let mut sql = sql.to_owned();
    words.sort_by_key(|days| std::cmp::Reverse(days.len()));
    for days in words {
        let at = NOW - days.parse::<i64>().unwrap() * DAY;
        sql = sql.replace(&format!("@{days}+"), &(at + 1000).to_string());
        sql = sql.replace(&format!("@{days}"), &(at - 1000).to_string());
    }
    let shop = Sqlite(SqliteDb::migrated());
    shop.0.tell(&sql);
    shop
}

/// Gives every kind two turns, because a walk may have to start over.
fn tick_until_all_had_their_turn(shop: &Sqlite) -> BTreeMap<String, u32> {
    let mut forgotten = BTreeMap::new();
    for minute in 0..2 * Kind::ALL.len() {
        let now = Timestamp::from_millis(NOW + i64::try_from(minute).unwrap());
        let (kind, rows) = purge(&RetentionD1(shop), now)
            .now_or_never()
            .unwrap()
            .unwrap()
            .unwrap();
        *forgotten.entry(to_word(&kind).unwrap()).or_default() += rows;
    }
    forgotten
}

fn left(shop: &Sqlite, sql: &str) -> Vec<String> {
    let rows = shop.0.ask(sql).into_iter();
    rows.map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned))
        .collect()
}

/// Runs the purges over `sql` and compares the result of `kept`.
fn assert_left(sql: &str, kept: &str, expected: &[&str]) {
    let shop = shop(sql);
    tick_until_all_had_their_turn(&shop);
    assert_eq!(left(&shop, kept), expected);
    tick_until_all_had_their_turn(&shop);
    assert_eq!(left(&shop, kept), expected, "the second time");
}

#[test]
fn every_kind_has_its_turn_and_fails_on_no_empty_table() {
    let forgotten = tick_until_all_had_their_turn(&shop(""));
    let words: Vec<String> = Kind::ALL.iter().map(|it| to_word(it).unwrap()).collect();
    assert_eq!(
        forgotten.keys().collect::<Vec<_>>(),
        words.iter().collect::<Vec<_>>()
    );
    assert!(forgotten.values().all(|rows| *rows == 0));
}

#[test]
fn a_network_that_guessed_at_a_code_is_forgotten_though_nobody_guesses_again() {
    assert_left(
        "INSERT INTO order_code_tries (number, network, began_at, tries) VALUES (1, 'old', @1, 5), (2, 'new', @1+, 5)",
        "SELECT network FROM order_code_tries",
        &["new"],
    );
}

#[test]
fn a_network_that_ordered_without_a_proof_is_forgotten_in_a_day() {
    assert_left(
        "INSERT INTO unproved_orders (network, placed_at, order_id) VALUES ('old', @1, 'a'), ('new', @1+, 'b')",
        "SELECT network FROM unproved_orders",
        &["new"],
    );
}

#[test]
fn an_event_goes_thirty_days_after_it_was_dealt_with_and_in_a_year_if_it_never_was() {
    assert_left(
        "INSERT INTO webhook_events (id, kind, payload, received_at, processed_at) VALUES
            ('done', 'k', '{}', @40, @30), ('young', 'k', '{}', @40, @30+), ('waits', 'k', '{}', @364, NULL), ('lost', 'k', '{}', @365, NULL)",
        "SELECT id FROM webhook_events ORDER BY id",
        &["waits", "young"],
    );
}

#[test]
fn a_task_goes_with_the_request_for_a_payment_that_ended_a_week_after_all_is_done() {
    let shop = shop(
        "INSERT INTO outbox (order_id, effect, subject, position, due_at, done_at) VALUES
            ('a', 'open_payment', '', 0, 0, @7), ('a', 'commit_stock', '', 1, 0, @7),
            ('b', 'open_payment', '', 0, 0, @7), ('b', 'commit_stock', '', 1, 0, NULL),
            ('c', 'open_payment', '', 0, 0, @7+), ('d', 'open_payment', '', 0, 0, @7);
        INSERT INTO payments (id, order_id, status, request, expires_at) VALUES
            ('1', 'a', 'paid', 'mail', 0), ('2', 'b', 'paid', 'mail', 0), ('3', 'c', 'failed', 'mail', 0), ('4', 'd', 'processing', 'mail', 0)",
    );
    tick_until_all_had_their_turn(&shop);
    let tasks = left(
        &shop,
        "SELECT order_id || ' ' || effect FROM outbox ORDER BY order_id, position",
    );
    assert_eq!(
        tasks,
        ["b open_payment", "b commit_stock", "c open_payment"]
    );
    let requests = left(
        &shop,
        "SELECT order_id FROM payments WHERE request <> '' ORDER BY order_id",
    );
    assert_eq!(requests, ["b", "c", "d"]);
}

#[test]
fn failures_of_a_message_go_together_a_month_after_the_last_but_not_those_of_a_dead_letter() {
    assert_left(
        "INSERT INTO failures (message, at, error) VALUES
            ('old', @50, ''), ('old', @30, ''), ('again', @50, ''), ('again', @30+, ''), ('dead', @60, '');
        INSERT INTO dead_letters (id, queue, body, attempts, buried_at) VALUES ('1', 'q', 'dead', 1, @60)",
        "SELECT message FROM failures ORDER BY id",
        &["again", "again", "dead"],
    );
}

#[test]
fn a_dead_letter_goes_ninety_days_after_staff_dealt_with_it_and_in_a_year_if_they_never_did() {
    assert_left(
        "INSERT INTO dead_letters (id, queue, body, attempts, buried_at, status, resolved_at) VALUES
            ('lost', 'q', '1', 1, @365, 'dead', NULL), ('waits', 'q', '2', 1, @365+, 'dead', NULL),
            ('done', 'q', '3', 1, @300, 'replayed', @90), ('young', 'q', '4', 1, @300, 'discarded', @90+)",
        "SELECT id FROM dead_letters ORDER BY id",
        &["waits", "young"],
    );
}

#[test]
fn a_letter_goes_ninety_days_after_it_was_sent_unless_something_could_send_it_again() {
    assert_left(
        r#"INSERT INTO mails (id, order_id, kind, subject, claimed_at, sent_at) VALUES
            ('done', 'a', 'k', '', 0, @90), ('young', 'b', 'k', '', 0, @90+), ('unsent', 'c', 'k', '', @400, NULL),
            ('tasked', 'd', 'k', '', 0, @90), ('buried', 'e', 'k', '', 0, @90);
        INSERT INTO outbox (order_id, effect, subject, position, due_at) VALUES ('d', 'send_confirmation', '', 0, 0);
        INSERT INTO dead_letters (id, queue, body, attempts, buried_at) VALUES ('1', 'q', '{"kind":"k","order_id":"e"}', 1, @100)"#,
        "SELECT id FROM mails ORDER BY id",
        &["buried", "tasked", "unsent", "young"],
    );
}

#[test]
fn who_placed_an_order_by_which_request_is_forgotten_ninety_days_after_unless_it_has_its_cart() {
    assert_left(
        "INSERT INTO checkouts (order_id, cart_id, idempotency_key, request_hash, quote_id, step, live, updated_at) VALUES
            ('old', 'a', 'k', 'h', 'q', 'placed', 0, @90), ('young', 'b', 'k', 'h', 'q', 'placed', 0, @90+),
            ('pending', 'c', 'k', 'h', 'q', 'placed', 1, @90)",
        "SELECT order_id FROM checkouts ORDER BY order_id",
        &["pending", "young"],
    );
}

#[test]
fn what_strangers_leave_goes() {
    let shop = shop(
        "INSERT INTO order_events (order_id, version, happening, at) VALUES
            ('a', 1, 'refused', @7), ('b', 1, 'refused', @7+), ('c', 1, 'placed', @900), ('d', 1, 'refused', @7);
        INSERT INTO checkouts (order_id, cart_id, idempotency_key, request_hash, quote_id, step, live, updated_at) VALUES
            ('d', 'x', 'k', 'h', 'q', 'refused', 1, @7);
        INSERT INTO abandoned_carts (cart_id, version, lines, idle_since) VALUES ('old', 1, '[]', @37), ('gone', 1, NULL, @37), ('young', 1, '[]', @37+);
        INSERT INTO idempotency_keys (caller, key, request_hash, request_id, claimed_at, answer) VALUES ('c', 'old', '', '', @2, '{}'), ('c', 'young', '', '', @2+, '{}')",
    );
    tick_until_all_had_their_turn(&shop);
    let events = left(&shop, "SELECT order_id FROM order_events ORDER BY order_id");
    assert_eq!(events, ["b", "c", "d"]);
    assert_eq!(
        left(&shop, "SELECT cart_id FROM abandoned_carts"),
        ["young"]
    );
    assert_eq!(left(&shop, "SELECT key FROM idempotency_keys"), ["young"]);
}

#[test]
fn what_staff_leave_goes() {
    let shop = shop(
        "INSERT INTO findings (kind, subject, found_at) VALUES ('k', 'old', @30), ('k', 'young', @30+);
        INSERT INTO import_names (import_id, name, line, claimed_at) VALUES ('i', 'old', 1, @1), ('i', 'young', 2, @1+);
        INSERT INTO scheduled_prices (sku, valid_from, valid_until, price) VALUES ('old', 0, @365, ''), ('young', 0, @365+, '')",
    );
    tick_until_all_had_their_turn(&shop);
    assert_eq!(left(&shop, "SELECT subject FROM findings"), ["young"]);
    assert_eq!(left(&shop, "SELECT name FROM import_names"), ["young"]);
    assert_eq!(left(&shop, "SELECT sku FROM scheduled_prices"), ["young"]);
}

#[test]
fn a_backlog_is_forgotten_in_bounded_goes_and_what_stands_at_its_head_holds_up_nothing() {
    let shop = shop(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
        INSERT INTO webhook_events (id, kind, payload, received_at, processed_at) SELECT i, 'k', '{}', @40, iif(i > 3000, @31, NULL) FROM n",
    );
    let record = RetentionD1(&shop);
    let before = Timestamp::from_millis(NOW - 30 * DAY);
    let mut gone = Vec::new();
    for _ in 0..26 {
        gone.push(
            record
                .forget(Kind::Events, before, 1000)
                .now_or_never()
                .unwrap()
                .unwrap(),
        );
    }
    assert!(gone.iter().all(|rows| *rows <= 1000));
    assert_eq!(gone.iter().sum::<u32>(), 22_000);
    assert_eq!(left(&shop, "SELECT COUNT(*) FROM webhook_events"), ["3000"]);
}

#[test]
fn a_go_looks_at_its_window_and_not_at_the_whole_table() {
    let shop = Rc::new(shop(""));
    for (sql, index) in [
        (
            "SELECT order_id FROM order_events WHERE happening = 'refused' AND at < 1 ORDER BY at LIMIT 9",
            "refusals_by_time",
        ),
        (
            "SELECT 1 FROM webhook_events WHERE rowid > (SELECT after FROM purges WHERE kind = 'events') AND rowid <= 9",
            "rowid>? AND rowid<?",
        ),
        (
            "SELECT 1 FROM outbox WHERE order_id > (SELECT after FROM purges WHERE kind = 'tasks') AND order_id <= 'x' AND done_at < 1",
            "order_id>? AND order_id<?",
        ),
    ] {
        let plan = shop
            .0
            .query::<BTreeMap<String, serde_json::Value>>(&Statement::new(Box::leak(
                format!("EXPLAIN QUERY PLAN {sql}").into_boxed_str(),
            )));
        let steps: Vec<String> = plan
            .unwrap()
            .iter()
            .map(|step| step["detail"].to_string())
            .collect();
        assert!(
            steps.iter().any(|step| step.contains(index)),
            "{sql}: {steps:?}"
        );
    }
}

/// Returns the rows of the table in the docs: name, personal data, retention time.
fn documented() -> BTreeMap<String, [String; 2]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/retention.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [table, person, kept, ..] = cells.as_slice() else {
            panic!("{line}")
        };
        (
            table.trim_matches('`').to_owned(),
            [(*person).to_owned(), (*kept).to_owned()],
        )
    })
    .collect()
}

#[test]
fn every_table_says_what_it_holds_of_a_person_and_for_how_long() {
    let documented = documented();
    let tables = left(
        &shop(""),
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name",
    );
    assert_eq!(
        documented.keys().collect::<Vec<_>>(),
        tables.iter().collect::<Vec<_>>()
    );
    for (table, [person, kept]) in &documented {
        assert!(!person.is_empty() && !kept.is_empty(), "{table}");
        let may_stay = kept.starts_with("for good") || kept.starts_with("by ");
        assert!(
            person == "—" || !may_stay,
            "{table} keeps {person} without an end"
        );
    }
}

#[test]
fn the_docs_tell_the_terms_that_the_code_keeps() {
    let documented = documented();
    for (kind, table) in [
        (Kind::AbandonedCarts, "abandoned_carts"),
        (Kind::Answers, "idempotency_keys"),
        (Kind::Checkouts, "checkouts"),
        (Kind::DeadLetters, "dead_letters"),
        (Kind::Events, "webhook_events"),
        (Kind::Failures, "failures"),
        (Kind::Findings, "findings"),
        (Kind::ImportNames, "import_names"),
        (Kind::Letters, "mails"),
        (Kind::OrderCodeTries, "order_code_tries"),
        (Kind::Refusals, "order_events"),
        (Kind::ResolvedLetters, "dead_letters"),
        (Kind::ScheduledPrices, "scheduled_prices"),
        (Kind::Tasks, "outbox"),
        (Kind::Tasks, "payments"),
        (Kind::UnseenEvents, "webhook_events"),
    ] {
        let days = kind.kept_secs() / (24 * 60 * 60);
        let term = if days == 1 {
            "1 day".to_owned()
        } else {
            format!("{days} days")
        };
        let [_, kept] = &documented[table];
        assert!(kept.contains(&term), "{table}: {kept}, not {term}");
    }
}
