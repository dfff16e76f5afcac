//! The keeper over real SQL that fails at every statement in turn, once before the statement ran
//! and once after. Nothing is half written, nothing is lost, and no failed read passes for an empty
//! machine. The cost of a command is counted in statements, rows and database instructions, not in
//! time.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that overflows or panics has failed, and says where"
)]

mod costs;
mod faults;
mod lives;

use costs::{Meter, cost_of};
use durable::Timestamp;
use durable::cart::{self, Cart, Change, Line, MAX_QUANTITY};
use durable::keeper::{Keeper, KeeperError, Parameter, Row, Sql};
use durable::machine::{Machine, Reply, ReplyOf, Request};
use durable::stock::{self, Settings, Stock, TOMBSTONE_SECS};
use durable::testing::Sqlite;
use faults::{Faulty, faults_of};
use lives::{
    add, adjust, change, commit, count, hold, life_of_a_cart, life_of_stock, pin, receive, release,
    request, shop_with_holds,
};
use rusqlite::StatementStatus;
use serde::Serialize;
use std::cell::Cell;

/// Requests, each with its instant in seconds.
type Story<M> = Vec<(u32, Request<<M as Machine>::Command>)>;

const CROWD: u32 = 20_000;

#[test]
fn a_failing_database_leaves_stock_whole() {
    fail_everywhere::<Stock>(&life_of_stock());
}

#[test]
fn a_failing_database_leaves_a_cart_whole() {
    fail_everywhere::<Cart>(&life_of_a_cart());
}

#[test]
fn stock_does_nothing_twice() {
    repeat_everything::<Stock>(&life_of_stock(), || stock::Command::Receive { quantity: 9 });
}

#[test]
fn a_cart_does_nothing_twice() {
    repeat_everything::<Cart>(&life_of_a_cart(), || change(add("other", 9)));
}

#[test]
fn what_does_not_read_is_an_error() {
    let (_, first) = life_of_stock().swap_remove(0);
    for (damage, at_open) in [
        ("UPDATE state SET value = '{'", true),
        ("UPDATE state SET value = '{}'", true),
        ("UPDATE state SET value = 'null'", true),
        ("ALTER TABLE state RENAME COLUMN value TO other", true),
        ("UPDATE journal SET answer = '{'", false),
        ("UPDATE journal SET digest = NULL", false),
    ] {
        let sql = Sqlite::empty();
        let mut keeper = open::<Stock>(&sql).unwrap();
        answer(&sql, &mut keeper, &first, 0);
        sql.exec(damage, &[]).unwrap();

        if at_open {
            assert!(open::<Stock>(&sql).is_err(), "{damage}");
        } else {
            let repeated = keeper.carry_out(&sql, &first, Timestamp::from_millis(0));
            assert!(repeated.is_err(), "{damage}");
        }
    }
}

#[test]
fn a_refusal_is_not_kept() {
    let sql = Sqlite::empty();
    let mut keeper = open::<Stock>(&sql).unwrap();
    let hold = request("try", hold("a", 60));
    let before = dump(&sql);

    let refused = answer(&sql, &mut keeper, &hold, 0);
    assert!(matches!(refused, Reply::Refused { .. }));
    assert_eq!(dump(&sql), before);

    answer(&sql, &mut keeper, &request("in", receive(1)), 1);
    let held = answer(&sql, &mut keeper, &hold, 2);
    assert!(matches!(
        held,
        Reply::Done {
            replayed: false,
            ..
        }
    ));
}

#[test]
fn a_count_that_was_right_is_not_taken_again_after_units_moved() {
    let sql = Sqlite::empty();
    let mut keeper = open::<Stock>(&sql).unwrap();
    let mut on_hand = |operation_id, command| {
        answer(&sql, &mut keeper, &request(operation_id, command), 0);
        match answer(&sql, &mut keeper, &Request::View, 0) {
            Reply::Done { view, .. } => view.on_hand,
            Reply::Refused { refusal } => panic!("{refusal:?}"),
        }
    };
    assert_eq!(on_hand("in", receive(5)), 5);
    assert_eq!(on_hand("count", count(5)), 5);
    assert_eq!(on_hand("sold", adjust(-2)), 3);
    assert_eq!(on_hand("count", count(5)), 3);
    assert_eq!(on_hand("count again", count(5)), 5);
}

#[test]
fn a_command_costs_the_same_whatever_is_held_and_whatever_has_been() {
    let (quiet, mut quiet_keeper) = shop_with_holds(1);
    let (busy, mut busy_keeper) = shop_with_holds(CROWD);
    for (number, command) in [
        receive(1),
        hold("new", 60),
        pin("new"),
        commit("new"),
        hold("other", 60),
        release("other"),
        release("unheard-of"),
        stock::Command::Hold {
            hold_id: "greedy".to_owned(),
            quantity: stock::MAX_QUANTITY,
            ttl_secs: 60,
            customer: None,
        },
    ]
    .into_iter()
    .enumerate()
    {
        let request = request(&format!("operation-{number}"), command);
        for repeat in [false, true] {
            let quiet_cost = cost_of(&quiet, &mut quiet_keeper, &request);
            let busy_cost = cost_of(&busy, &mut busy_keeper, &request);
            busy_cost.assert_like(quiet_cost, &format!("{request:?}, repeat: {repeat}"));
        }
    }
}

#[test]
fn a_cart_costs_the_same_after_a_long_life() {
    let sql = Sqlite::empty();
    let mut keeper = open::<Cart>(&sql).unwrap();
    let set = |number: u32| {
        let quantity = 1 + number % 2;
        let sku = "a".to_owned();
        let set = Change::Set {
            sku,
            quantity,
            at_most: MAX_QUANTITY,
        };
        request(&number.to_string(), change(set))
    };
    answer(&sql, &mut keeper, &set(0), 0);
    let young = cost_of(&sql, &mut keeper, &set(1));
    in_one_transaction(&sql, || {
        for number in 2..CROWD {
            keeper.carry_out(&sql, &set(number), Timestamp::from_millis(0))?;
        }
        Ok(())
    });
    let old = cost_of(&sql, &mut keeper, &set(CROWD));
    old.assert_like(young, "a set line");
}

#[test]
fn a_burst_of_lapsed_holds_is_spread_over_several_wakes() {
    let (sql, mut keeper) = shop_with_holds(1_201);
    let end = Timestamp::from_millis(2_000_000_000);
    let mut wakes = 0;
    while keeper.machine().wake_at().is_some_and(|at| at <= end) {
        let meter = Meter::new(&sql);
        keeper.wake(&meter, end).unwrap();
        assert!(meter.cost().rows_written <= 1_002, "{:?}", meter.cost());
        wakes += 1;
        assert!(wakes <= 3, "woken for nothing");
    }
    assert_eq!(wakes, 3);
    assert_eq!(keeper.machine().view().held, 0);
    assert_whole::<Stock>(&sql, "a burst");
}

/// Plays `story`, and before each of its requests makes that request fail at each of its
/// statements. What remains is consistent, and a retry ends as if nothing had failed.
fn fail_everywhere<M: Machine + Default>(story: &Story<M>) {
    let sql = Sqlite::empty();
    for (at_secs, request) in story {
        let now = Timestamp::from_millis(0).plus_secs(*at_secs);
        let (reply, after, statements) = rolled_back(&sql, || {
            let counting = Faulty::new(&sql, None);
            let reply = attempt::<M>(&counting, request, now).unwrap();
            (reply, dump(&sql), counting.statements.get())
        });
        let asked = serde_json::to_string(request).unwrap();
        for fault in faults_of(statements) {
            rolled_back(&sql, || {
                let faulty = Faulty::new(&sql, Some(fault));
                let Err(KeeperError::Sql(message)) = attempt::<M>(&faulty, request, now) else {
                    panic!("{fault:?} was swallowed");
                };
                assert_eq!(message, "planned");
                assert_whole::<M>(&sql, &format!("{fault:?} of {asked}"));
                let again = attempt::<M>(&sql, request, now).unwrap();
                assert_eq!(seen(&again), seen(&reply));
                assert_eq!(dump(&sql), after, "{fault:?} of {asked}");
            });
        }
        attempt::<M>(&sql, request, now).unwrap();
        assert_eq!(dump(&sql), after);
    }
}

/// Runs `work` and rolls back all of its writes.
fn rolled_back<T>(sql: &Sqlite, work: impl FnOnce() -> T) -> T {
    let _transaction = sql.0.unchecked_transaction().unwrap();
    work()
}

/// Runs `work` in one transaction, because many commands are faster that way.
fn in_one_transaction(sql: &Sqlite, work: impl FnOnce() -> Result<(), KeeperError>) {
    let transaction = sql.0.unchecked_transaction().unwrap();
    work().unwrap();
    transaction.commit().unwrap();
}

/// Asserts that the stored rows match the journal.
fn assert_whole<M: Machine + Default>(sql: &Sqlite, what: &str) {
    let checkup = open::<M>(sql).unwrap().check(sql).unwrap();
    assert!(checkup.consistent, "{what}");
}

/// Returns a reply without the mark that it is a repeat.
fn seen<V: Serialize, R: Serialize>(reply: &Reply<V, R>) -> String {
    match reply {
        Reply::Done { view, .. } => serde_json::to_string(view).unwrap(),
        Reply::Refused { refusal } => serde_json::to_string(refusal).unwrap(),
    }
}

/// Answers one request with a new keeper, so that both opening and carrying out meet faults.
fn attempt<M: Machine + Default>(
    sql: &impl Sql,
    request: &Request<M::Command>,
    now: Timestamp,
) -> Result<ReplyOf<M>, KeeperError> {
    open::<M>(sql)?.carry_out(sql, request, now)
}

fn open<M: Machine + Default>(sql: &impl Sql) -> Result<Keeper<M>, KeeperError> {
    Keeper::open(sql, "one#0", M::default())
}

/// Plays `story`, then sends all of it again: to the same object, to one opened anew, and with
/// another command under each ID.
fn repeat_everything<M: Machine + Default>(story: &Story<M>, other: impl Fn() -> M::Command) {
    let sql = Sqlite::empty();
    let mut keeper = open::<M>(&sql).unwrap();
    let mut answers = vec![];
    let mut end_secs = 0;
    for (at_secs, request) in story {
        end_secs = *at_secs;
        let reply = answer(&sql, &mut keeper, request, end_secs);
        if let (
            Request::Do {
                operation_id,
                command,
            },
            Reply::Done { view, .. },
        ) = (request, reply)
        {
            let kept = M::keeps_answer(command).then_some(view);
            answers.push((operation_id, kept, request));
        }
    }
    assert!(answers.len() > 5);

    let end = dump(&sql);
    let mut fresh = open::<M>(&sql).unwrap();
    for (operation_id, kept, repeat) in &answers {
        let reused = request(operation_id, other());
        for keeper in [&mut keeper, &mut fresh] {
            let Reply::Done { view, replayed } = answer(&sql, keeper, repeat, end_secs) else {
                panic!("{operation_id} is refused now");
            };
            assert!(replayed);
            let present = keeper.machine().view();
            let told = kept.as_ref().unwrap_or(&present);
            assert_eq!(
                serde_json::to_string(&view).unwrap(),
                serde_json::to_string(told).unwrap()
            );

            let now = Timestamp::from_millis(0).plus_secs(end_secs);
            let refused = keeper.carry_out(&sql, &reused, now);
            assert!(matches!(refused, Err(KeeperError::OperationReused)));
        }
    }
    assert_eq!(dump(&sql), end, "a repeat was written down");
}

/// A cart is abandoned, reported once and deleted; then the object is empty again.
#[test]
fn news_are_kept_until_they_are_heard() {
    let sql = Sqlite::empty();
    let mut keeper = open::<Cart>(&sql).unwrap();
    answer(&sql, &mut keeper, &request("add", change(add("a", 1))), 0);
    assert!(!keeper.has_news());
    let idle = Timestamp::from_millis(0).plus_secs(60 * 60);

    keeper.wake(&sql, idle).unwrap();
    keeper.wake(&sql, idle).unwrap();
    let mut keeper = open::<Cart>(&sql).unwrap();
    let told = keeper.news(&sql, 10).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told, keeper.news(&sql, 10).unwrap(), "told but not heard");

    keeper.heard(&sql, told[0].0).unwrap();
    assert!(!keeper.has_news() && !open::<Cart>(&sql).unwrap().has_news());
}

#[test]
fn looking_stores_nothing() {
    let sql = Sqlite::empty();
    let mut keeper = open::<Stock>(&sql).unwrap();
    answer(&sql, &mut keeper, &Request::View, 0);
    answer(&sql, &mut keeper, &request("no", hold("a", 60)), 0);
    keeper.log(&sql, None, 10).unwrap();
    assert!(keeper.check(&sql).unwrap().consistent);
    let tables = sql.exec("SELECT name FROM sqlite_master", &[]).unwrap();
    assert_eq!(tables, Vec::<Row>::new());
}

#[test]
fn a_repair_stores_what_the_journal_tells() {
    for damage in [
        "DELETE FROM state WHERE key LIKE 'hold/%'",
        "DELETE FROM state",
        "UPDATE state SET value = json_set(value, '$.on_hand', 99) WHERE key = 'totals'",
        "INSERT INTO state SELECT 'hold/ghost', value FROM state WHERE key = 'hold/last'",
    ] {
        let sql = Sqlite::empty();
        let mut keeper = open::<Stock>(&sql).unwrap();
        for (at_secs, request) in life_of_stock() {
            answer(&sql, &mut keeper, &request, at_secs);
        }
        let sound = keeper.machine().clone();
        assert!(keeper.check(&sql).unwrap().consistent);
        sql.exec(damage, &[]).unwrap();

        let mut damaged = open::<Stock>(&sql).unwrap();
        let found = damaged.check(&sql).unwrap();
        assert!(!found.consistent && found.wrong_rows > 0, "{damage}");
        assert_eq!(found.folded, sound.view());
        let now = Timestamp::from_millis(0).plus_secs(200 + TOMBSTONE_SECS);
        let repaired = damaged.repair(&sql, now).unwrap();
        assert_eq!(repaired.wrong_rows, found.wrong_rows);

        assert_eq!(*damaged.machine(), sound, "{damage}");
        assert_whole::<Stock>(&sql, damage);
        assert_eq!(*open::<Stock>(&sql).unwrap().machine(), sound);
    }
}

#[test]
fn the_log_is_read_from_its_end() {
    let (sql, keeper) = shop_with_holds(30);
    let newest = keeper.log(&sql, None, 20).unwrap();
    let older = keeper
        .log(&sql, newest.last().map(|entry| entry.seq), 20)
        .unwrap();
    assert_eq!((newest.len(), older.len()), (20, 11));
    let all = newest.iter().chain(&older).map(|entry| entry.seq);
    assert!(all.eq((1..=31).rev()));
    assert_eq!(older.last().unwrap().operation_id.as_deref(), Some("in"));
}

fn answer<M: Machine>(
    sql: &Sqlite,
    keeper: &mut Keeper<M>,
    request: &Request<M::Command>,
    at_secs: u32,
) -> Reply<M::View, M::Refusal> {
    let now = Timestamp::from_millis(0).plus_secs(at_secs);
    keeper.carry_out(sql, request, now).unwrap()
}

/// Returns every stored row.
fn dump(sql: &Sqlite) -> Vec<Row> {
    let tables = [
        "SELECT * FROM state ORDER BY key",
        "SELECT * FROM journal ORDER BY seq",
        "SELECT * FROM past ORDER BY key",
        "SELECT * FROM outbox ORDER BY seq",
    ];
    let rows = |table: &&str| sql.exec(table, &[]).unwrap_or_default();
    tables.iter().flat_map(rows).collect()
}
