//! Objects with a long past: an object reads on waking, and then keeps in memory, only what is
//! open. Counted in rows and bytes that the keeper receives, not in time.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that overflows or panics has failed, and says where"
)]

use durable::Timestamp;
use durable::cart::{self, Cart, Change};
use durable::keeper::{
    FOLDED_BEHIND, JOURNAL_SECS, Keeper, KeeperError, Parameter, Row, STEP, Sql,
};
use durable::machine::{Machine, Reply, ReplyOf, Request};
use durable::promotion::{self, Limits, Promotion};
use durable::stock::{self, Settings, Stock, TOMBSTONE_SECS};
use durable::testing::Sqlite;
use std::cell::Cell;
use std::fmt::Debug;

const MANY: u32 = 300_000;

/// Number of rows that waking may read beside the open ones: table names, messages, the plan.
const HOUSEKEEPING: u64 = 12;

#[test]
fn stock_wakes_by_what_is_open() {
    let (sql, now) = stock_with_an_open_hold();
    fill(
        &sql,
        "INSERT INTO past SELECT 'hold/old_' || value, '{\"quantity\":0,\"status\":{\"tombstone\":{\"forget_at\":9000000}}}', 9000000",
    );
    wakes_lightly::<Stock>(&sql, now, 2);

    let mut keeper = open::<Stock>(&sql);
    let late = ask(&sql, &mut keeper, "late", hold("old_7", 1), now);
    assert!(matches!(
        late,
        Reply::Refused {
            refusal: stock::Refusal::HoldEnded
        }
    ));
    ask(&sql, &mut keeper, "new", hold("new", 1), now);
    assert_eq!(keeper.machine().keys().len(), 3, "a row stays in hand");
}

#[test]
fn stock_of_an_earlier_version_wakes_by_what_is_open_and_moves_the_rest() {
    let (sql, now) = stock_with_an_open_hold();
    as_of_an_earlier_version(&sql);
    fill(
        &sql,
        "INSERT INTO state SELECT 'hold/old_' || value, '{\"quantity\":0,\"status\":{\"' || iif(value % 2, 'tombstone', 'shipped') || '\":{\"forget_at\":9000000}}}'",
    );
    fill(
        &sql,
        "INSERT INTO state SELECT 'buyer/' || value, value % 9 + 1",
    );
    wakes_lightly::<Stock>(&sql, now, 2);

    let mut keeper = open::<Stock>(&sql);
    let knows_its_past = |keeper: &mut Keeper<Stock>, step: &str| {
        let late = ask(&sql, keeper, &format!("late {step}"), hold("old_7", 1), now);
        assert!(matches!(late, Reply::Refused { .. }), "{step}");
        let rows = keeper.rows(&sql, &["buyer/13".to_owned()]).unwrap();
        assert_eq!(rows, [Some("5".to_owned())], "{step}");
    };
    knows_its_past(&mut keeper, "before");
    for step in 0..=2 * MANY / STEP {
        let metered = Metered::new(&sql);
        keeper.tidy(&metered, now).unwrap();
        assert!(metered.rows.get() <= u64::from(STEP) + HOUSEKEEPING);
        if step % 100 == 0 {
            keeper = open(&sql);
            knows_its_past(&mut keeper, &step.to_string());
        }
    }
    knows_its_past(&mut keeper, "after");
    assert_eq!(count(&sql, "SELECT count(*) FROM state"), 2);
    assert_eq!(
        count(&sql, "SELECT count(*) FROM past"),
        i64::from(2 * MANY)
    );
    assert!(keeper.check(&sql).unwrap().consistent);
    assert!(keeper.wake_at() > Some(now), "still busy");
}

#[test]
fn what_was_written_meanwhile_by_an_earlier_version_is_moved_too() {
    let (sql, now) = stock_with_an_open_hold();
    as_of_an_earlier_version(&sql);
    let mut keeper = open::<Stock>(&sql);
    keeper.tidy(&sql, now).unwrap();
    assert_eq!(
        count(
            &sql,
            "SELECT count(*) FROM sqlite_master WHERE name = 'entry'"
        ),
        0
    );

    as_of_an_earlier_version(&sql);
    let tombstone = r#"{"quantity":0,"status":{"tombstone":{"forget_at":9000000}}}"#;
    let insert = format!("INSERT INTO state VALUES ('hold/gone', '{tombstone}')");
    sql.exec(&insert, &[]).unwrap();
    let mut keeper = open::<Stock>(&sql);
    keeper.tidy(&sql, now).unwrap();
    keeper.tidy(&sql, now).unwrap();
    assert_eq!(count(&sql, "SELECT count(*) FROM past"), 1);
    assert_eq!(count(&sql, "SELECT count(*) FROM state"), 2);
}

#[test]
fn a_promotion_wakes_by_what_is_held() {
    for is_old in [false, true] {
        let sql = Sqlite::empty();
        let now = Timestamp::from_millis(1_000_000);
        let mut keeper = open::<Promotion>(&sql);
        ask(&sql, &mut keeper, "held", use_by("held", "eve", 5), now);
        let table = if is_old { "state" } else { "past" };
        let end = if is_old { "" } else { ", 9000000" };
        let no_end = if is_old { "" } else { ", NULL" };
        if is_old {
            as_of_an_earlier_version(&sql);
        }
        fill(
            &sql,
            &format!(
                "INSERT INTO {table} SELECT 'use/old_' || value, '{{\"status\":{{\"consumed\":{{\"settles_at\":9000000}}}},\"customer\":\"c' || value || '\"}}'{end}"
            ),
        );
        fill(
            &sql,
            &format!("INSERT INTO {table} SELECT 'customer/c' || value, '1'{no_end}"),
        );
        sql.exec(
            "UPDATE state SET value = json_set(value, '$.consumed', 300000) WHERE key = 'totals'",
            &[],
        )
        .unwrap();
        wakes_lightly::<Promotion>(&sql, now, 3);

        let mut keeper = open::<Promotion>(&sql);
        let again = ask(&sql, &mut keeper, "again", use_by("again", "c7", 1), now);
        assert!(matches!(
            again,
            Reply::Refused {
                refusal: promotion::Refusal::UsedUpByCustomer
            }
        ));
        let give_back = promotion::Command::Return {
            hold_id: "old_7".to_owned(),
        };
        ask(&sql, &mut keeper, "back", give_back, now);
        let again = ask(&sql, &mut keeper, "again", use_by("again", "c7", 1), now);
        assert!(matches!(again, Reply::Done { view, .. } if view.consumed == MANY - 1));
        assert!(keeper.machine().keys().len() <= 3, "a row stays in hand");
    }
}

#[test]
fn what_has_ended_is_forgotten_in_steps_and_in_silence() {
    let (sql, now) = stock_with_an_open_hold();
    fill(
        &sql,
        "INSERT INTO past SELECT 'hold/old_' || value, '{\"quantity\":0,\"status\":{\"tombstone\":{\"forget_at\":9000000}}}', 9000000",
    );
    let mut keeper = open::<Stock>(&sql);
    let entries = count(&sql, "SELECT count(*) FROM journal");
    keeper.tidy(&sql, now).unwrap();
    assert_eq!(count(&sql, "SELECT count(*) FROM past"), i64::from(MANY));

    let later = Timestamp::from_millis(20_000_000);
    let mut rings = 0;
    while keeper.wake_at().is_some_and(|at| at <= later) {
        let metered = Metered::new(&sql);
        keeper.tell_again(&metered, later).unwrap();
        keeper.tidy(&metered, later).unwrap();
        // One step, and the message that is sent again.
        assert!(metered.written.get() <= u64::from(STEP) + 2);
        rings += 1;
        assert!(rings <= MANY / STEP, "woken for nothing");
    }
    assert_eq!(count(&sql, "SELECT count(*) FROM past"), 0);
    assert_eq!(count(&sql, "SELECT count(*) FROM journal"), entries);
    assert!(keeper.check(&sql).unwrap().consistent);
}

#[test]
fn counts_of_customers_outlive_memory_and_go_with_the_last_unit() {
    let sql = Sqlite::empty();
    let mut keeper = open::<Stock>(&sql);
    let now = Timestamp::from_millis(1_000_000);
    let settings = Settings {
        purchase_limit: Some(2),
        ..Settings::default()
    };
    let commands = [
        stock::Command::Receive { quantity: 9 },
        stock::Command::Configure { settings },
        hold("a", 1),
        hold("b", 1),
    ];
    for (number, command) in commands.into_iter().enumerate() {
        ask(&sql, &mut keeper, &number.to_string(), command, now);
    }
    keeper = open(&sql);
    let over = ask(&sql, &mut keeper, "over", hold("c", 1), now);
    assert!(matches!(
        over,
        Reply::Refused {
            refusal: stock::Refusal::OverLimit { limit: 2, left: 0 }
        }
    ));
    let lapsed = now.plus_secs(1_000_000);
    keeper.wake(&sql, lapsed).unwrap();
    let mut rings = 0;
    while keeper
        .wake_at()
        .is_some_and(|at| at <= lapsed.plus_secs(TOMBSTONE_SECS + 600))
    {
        let at = keeper.wake_at().unwrap().max(lapsed);
        keeper.tell_again(&sql, at).unwrap();
        keeper.tidy(&sql, at).unwrap();
        rings += 1;
        assert!(rings < 10, "woken for nothing");
    }
    assert_eq!(count(&sql, "SELECT count(*) FROM past"), 0);
}

#[test]
fn a_check_reads_what_was_not_folded_yet_and_finds_the_same() {
    let sql = Sqlite::empty();
    let mut keeper = open::<Stock>(&sql);
    let start = Timestamp::from_millis(1_000_000);
    let receive = stock::Command::Receive { quantity: MANY };
    ask(&sql, &mut keeper, "in", receive, start);
    ask(&sql, &mut keeper, "open", hold("open", 3), start);
    let most = u32::try_from(FOLDED_BEHIND).unwrap();
    in_one_transaction(&sql, || {
        for number in 0..most {
            let id = (number / 2).to_string();
            let command = match number % 2 {
                0 => hold(&id, 1),
                _ => release(&id),
            };
            ask(&sql, &mut keeper, &format!("op {number}"), command, start);
            if keeper.wake_at().is_some_and(|at| at <= start) {
                keeper.tell_again(&sql, start).unwrap();
                keeper.tidy(&sql, start).unwrap();
            }
        }
    });
    let metered = Metered::new(&sql);
    assert!(keeper.check(&metered).unwrap().consistent);
    assert!(metered.rows.get() <= FOLDED_BEHIND + HOUSEKEEPING);
    let entries = i64::from(most) + 2;
    assert_eq!(count(&sql, "SELECT count(*) FROM journal"), entries);
    assert!(count(&sql, "SELECT value FROM snapshot WHERE key = 'seq'") > 0);
    // Totals, the open hold and the position, but nothing that ended within the step.
    assert!(count(&sql, "SELECT count(*) FROM snapshot") <= 4);

    let later = start.plus_secs(JOURNAL_SECS + 2 * 24 * 60 * 60);
    let mut rings = 0;
    keeper.wake(&sql, later).unwrap();
    while keeper.wake_at().is_some_and(|at| at <= later) {
        let metered = Metered::new(&sql);
        keeper.tell_again(&metered, later).unwrap();
        keeper.tidy(&metered, later).unwrap();
        assert!(metered.rows.get() <= 5 * u64::from(STEP));
        rings += 1;
        assert!(rings < 2 * most / STEP, "woken for nothing");
    }
    assert_eq!(count(&sql, "SELECT count(*) FROM journal"), 1, "the newest");
    assert!(keeper.check(&sql).unwrap().consistent);
    assert_eq!(open::<Stock>(&sql).machine(), keeper.machine());

    sql.exec(
        "UPDATE state SET value = json_set(value, '$.on_hand', 1) WHERE key = 'totals'",
        &[],
    )
    .unwrap();
    let mut damaged = open::<Stock>(&sql);
    assert!(!damaged.check(&sql).unwrap().consistent);
    damaged.repair(&sql, later).unwrap();
    assert_eq!(damaged.machine(), keeper.machine());
    let again = ask(&sql, &mut damaged, "more", hold("more", 1), later);
    assert!(matches!(again, Reply::Done { .. }));
    assert!(open::<Stock>(&sql).check(&sql).unwrap().consistent);
}

#[test]
fn a_cart_of_a_hundred_lines_keeps_what_changes_alone() {
    let sql = Sqlite::empty();
    let mut keeper = open::<Cart>(&sql);
    let start = Timestamp::from_millis(1_000_000);
    for number in 0..2_000_u32 {
        let set = Change::Set {
            sku: format!("SKU-{:03}-of-a-usual-length", number % 100),
            quantity: 1 + number % 7,
            at_most: 99,
        };
        let command = cart::Command {
            if_version: None,
            change: set,
        };
        ask(&sql, &mut keeper, &number.to_string(), command, start);
    }
    let bytes = "SELECT sum(length(events) + coalesce(length(answer), 0) + length(operation_id)) FROM journal";
    assert!(count(&sql, bytes) <= 100 * 2_000, "{}", count(&sql, bytes));
    wakes_lightly::<Cart>(&sql, start, 1);
}

/// Asserts that waking reads the open rows and little else, and that the machine keeps no others.
fn wakes_lightly<M: Machine + Default + Debug>(sql: &Sqlite, now: Timestamp, open_rows: usize) {
    let metered = Metered::new(sql);
    let mut keeper = Keeper::open(&metered, "one#0", M::default()).unwrap();
    keeper.carry_out(&metered, &Request::View, now).unwrap();
    let allowed = open_rows as u64 + HOUSEKEEPING;
    assert!(metered.rows.get() <= allowed, "{} rows", metered.rows.get());
    assert!(
        metered.bytes.get() <= 10_000,
        "{} bytes",
        metered.bytes.get()
    );
    assert!(keeper.machine().keys().len() <= open_rows);
    assert!(format!("{:?}", keeper.machine()).len() <= 20_000);
}

fn stock_with_an_open_hold() -> (Sqlite, Timestamp) {
    let sql = Sqlite::empty();
    let mut keeper = open::<Stock>(&sql);
    let now = Timestamp::from_millis(1_000_000);
    let receive = stock::Command::Receive { quantity: 9 };
    ask(&sql, &mut keeper, "in", receive, now);
    ask(&sql, &mut keeper, "open", hold("open", 2), now);
    (sql, now)
}

/// Changes the tables to those of an earlier version, with their content.
fn as_of_an_earlier_version(sql: &Sqlite) {
    for statement in [
        "DROP VIEW written",
        "DROP TABLE past",
        "DROP TABLE snapshot",
        "CREATE VIEW entry AS SELECT at, operation_id, digest, events, answer, '{}' AS changed_rows, '[]' AS news FROM journal",
        "CREATE TRIGGER record INSTEAD OF INSERT ON entry BEGIN SELECT 1; END",
    ] {
        sql.exec(statement, &[]).unwrap();
    }
}

/// Inserts a row for each number below [`MANY`], which the statement calls `value`.
fn fill(sql: &Sqlite, insert: &str) {
    let numbers = format!(
        "WITH RECURSIVE numbers (value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM numbers WHERE value + 1 < {MANY})"
    );
    sql.exec(
        &format!("{insert} FROM ({numbers} SELECT value FROM numbers)"),
        &[],
    )
    .unwrap();
}

fn in_one_transaction(sql: &Sqlite, work: impl FnOnce()) {
    let transaction = sql.0.unchecked_transaction().unwrap();
    work();
    transaction.commit().unwrap();
}

fn open<M: Machine + Default>(sql: &Sqlite) -> Keeper<M> {
    Keeper::open(sql, "one#0", M::default()).unwrap()
}

fn ask<M: Machine>(
    sql: &Sqlite,
    keeper: &mut Keeper<M>,
    operation_id: &str,
    command: M::Command,
    now: Timestamp,
) -> ReplyOf<M> {
    let request = Request::Do {
        operation_id: operation_id.to_owned(),
        command,
    };
    keeper.carry_out(sql, &request, now).unwrap()
}

fn count(sql: &Sqlite, query: &str) -> i64 {
    let rows = sql.exec(query, &[]).unwrap();
    let Some(Some(count)) = rows.into_iter().flatten().next() else {
        panic!("{query} counts nothing");
    };
    count.parse().unwrap()
}

fn hold(hold_id: &str, quantity: u32) -> stock::Command {
    stock::Command::Hold {
        hold_id: hold_id.to_owned(),
        quantity,
        ttl_secs: 1_000_000,
        customer: Some("someone".to_owned()),
    }
}

fn release(hold_id: &str) -> stock::Command {
    let hold_id = hold_id.to_owned();
    stock::Command::Release { hold_id }
}

fn use_by(hold_id: &str, customer: &str, per_customer: u32) -> promotion::Command {
    promotion::Command::Hold {
        hold_id: hold_id.to_owned(),
        customer: customer.to_owned(),
        limits: Limits {
            total: None,
            per_customer: Some(per_customer),
        },
        ttl_secs: 1_000_000,
    }
}

/// SQL that counts what it returns.
struct Metered<'a> {
    sql: &'a Sqlite,
    rows: Cell<u64>,
    bytes: Cell<u64>,
    written: Cell<u64>,
}

impl<'a> Metered<'a> {
    fn new(sql: &'a Sqlite) -> Self {
        Self {
            sql,
            rows: Cell::default(),
            bytes: Cell::default(),
            written: Cell::default(),
        }
    }
}

impl Sql for Metered<'_> {
    fn exec(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, KeeperError> {
        let written = self.sql.0.total_changes();
        let rows = self.sql.exec(sql, parameters)?;
        let columns = rows.iter().flatten().flatten();
        let bytes: usize = columns.map(String::len).sum();
        self.rows.set(self.rows.get() + rows.len() as u64);
        self.bytes.set(self.bytes.get() + bytes as u64);
        let changes = self.sql.0.total_changes() - written;
        self.written.set(self.written.get() + changes);
        Ok(rows)
    }
}
