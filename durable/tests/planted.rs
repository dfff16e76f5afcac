//! Planted bugs, each in the store beneath a stock object, which changes what is written or read
//! into what a faulty keeper would have stored or seen. The checks of this file pass on a sound
//! store and catch every bug.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that overflows or panics has failed, and says where"
)]

use durable::Timestamp;
use durable::keeper::{FOLDED_BEHIND, Keeper, KeeperError, Parameter, Row, STEP, Sql};
use durable::machine::{Machine, Reply, ReplyOf, Request};
use durable::stock::{Command, SETTLED_SECS, Stock, TOMBSTONE_SECS};
use durable::testing::Sqlite;
use serde_json::Value;
use std::cell::Cell;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    /// Ended holds leave no row behind.
    NoTombstone,
    /// Ended holds are remembered half as long.
    ForgottenEarly,
    /// Folding the journal into the snapshot misses an entry.
    FoldSkips,
    /// Ended holds are read with the open ones.
    EndedInMemory,
}

type Check = fn(&Store) -> Result<(), String>;

/// The checks, each with the bugs that it must catch.
const CHECKS: [(Check, &[Bug]); 3] = [
    (
        remembers_what_has_ended,
        &[Bug::NoTombstone, Bug::ForgottenEarly],
    ),
    (folds_every_entry, &[Bug::FoldSkips]),
    (keeps_what_is_open_alone, &[Bug::EndedInMemory]),
];

#[test]
fn a_sound_store_passes() {
    for (check, _) in CHECKS {
        assert_eq!(check(&Store::new(None)), Ok(()));
    }
}

#[test]
fn every_bug_is_caught() {
    for (check, bugs) in CHECKS {
        for bug in bugs {
            let caught = check(&Store::new(Some(*bug)));
            assert!(caught.is_err(), "{bug:?} is not caught");
        }
    }
}

const START: Timestamp = Timestamp::from_millis(1_000_000);

/// A hold that arrives after its release is refused for as long as one can still arrive, and no
/// longer. The same goes for a hold whose units have shipped.
fn remembers_what_has_ended(store: &Store) -> Result<(), String> {
    let mut keeper = stocked(store);
    let mut step = 0;
    let mut ask = |keeper: &mut Keeper<Stock>, command, secs: u32| {
        step += 1;
        let at = START.plus_secs(secs);
        ring(store, keeper, at);
        *keeper = open(store);
        ask(store, keeper, &format!("step {step}"), command, at)
    };
    let is_refused = |reply| matches!(reply, Reply::Refused { .. });

    ask(&mut keeper, release("late"), 0);
    for secs in [0, 1, TOMBSTONE_SECS / 2, TOMBSTONE_SECS - 1] {
        if !is_refused(ask(&mut keeper, hold("late"), secs)) {
            return Err(format!("units for a released hold after {secs} s"));
        }
    }
    if is_refused(ask(&mut keeper, hold("late"), TOMBSTONE_SECS)) {
        return Err("the release is remembered too long".to_owned());
    }

    let shipped_at = TOMBSTONE_SECS + 1;
    ask(&mut keeper, commit("late"), shipped_at);
    ask(&mut keeper, ship("late"), shipped_at);
    if !is_refused(ask(&mut keeper, hold("late"), SETTLED_SECS)) {
        return Err("units for a shipped hold".to_owned());
    }
    if is_refused(ask(&mut keeper, hold("late"), shipped_at + SETTLED_SECS)) {
        return Err("the shipping is remembered too long".to_owned());
    }
    Ok(())
}

/// The journal, including its folded part, yields the current state.
fn folds_every_entry(store: &Store) -> Result<(), String> {
    stocked(store);
    let more = FOLDED_BEHIND + u64::from(STEP);
    for statement in [
        format!(
            "WITH RECURSIVE numbers (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < {more})
             INSERT INTO journal (at, operation_id, digest, events)
             SELECT 1000000, 'one more ' || value, '', '[{{\"received\":{{\"quantity\":1}}}}]' FROM numbers"
        ),
        format!(
            "UPDATE state SET value = json_set(value, '$.on_hand', (value ->> '$.on_hand') + {more},
                                                      '$.version', (value ->> '$.version') + {more}) WHERE key = 'totals'"
        ),
    ] {
        store.sql.exec(&statement, &[]).unwrap();
    }
    let mut keeper = open(store);
    ring(store, &mut keeper, START);
    let position = "SELECT value FROM snapshot WHERE key = 'seq'";
    assert_ne!(store.sql.exec(position, &[]).unwrap(), Vec::<Row>::new());
    let checkup = keeper.check(store).unwrap();
    match checkup.consistent {
        true => Ok(()),
        false => Err(format!("the journal tells {:?}", checkup.folded)),
    }
}

/// An ended hold stays in no keeper's memory, whether the keeper ended it or was opened later.
fn keeps_what_is_open_alone(store: &Store) -> Result<(), String> {
    let mut keeper = stocked(store);
    for hold_id in ["ended", "open"] {
        ask(store, &mut keeper, hold_id, hold(hold_id), START);
    }
    ask(store, &mut keeper, "end", release("ended"), START);
    for (who, keeper) in [("awake", keeper), ("woken", open(store))] {
        let keys = keeper.machine().keys();
        if keys != ["totals", "hold/open"] {
            return Err(format!("{who}, it has in memory {keys:?}"));
        }
    }
    Ok(())
}

fn stocked(store: &Store) -> Keeper<Stock> {
    let mut keeper = open(store);
    let receive = Command::Receive { quantity: 9 };
    ask(store, &mut keeper, "in", receive, START);
    keeper
}

fn open(store: &Store) -> Keeper<Stock> {
    Keeper::open(store, "one#0", Stock::default()).unwrap()
}

fn ask(
    store: &Store,
    keeper: &mut Keeper<Stock>,
    operation_id: &str,
    command: Command,
    now: Timestamp,
) -> ReplyOf<Stock> {
    let operation_id = operation_id.to_owned();
    let request = Request::Do {
        operation_id,
        command,
    };
    keeper.carry_out(store, &request, now).unwrap()
}

/// Wakes and tidies, as an alarm does.
fn ring(store: &Store, keeper: &mut Keeper<Stock>, now: Timestamp) {
    keeper.wake(store, now).unwrap();
    keeper.tidy(store, now).unwrap();
}

fn hold(hold_id: &str) -> Command {
    Command::Hold {
        hold_id: hold_id.to_owned(),
        quantity: 1,
        ttl_secs: 1_000_000,
        customer: None,
    }
}

fn release(hold_id: &str) -> Command {
    let hold_id = hold_id.to_owned();
    Command::Release { hold_id }
}

fn commit(hold_id: &str) -> Command {
    let hold_id = hold_id.to_owned();
    Command::Commit { hold_id }
}

fn ship(hold_id: &str) -> Command {
    let hold_id = hold_id.to_owned();
    let quantity = 1;
    Command::Ship { hold_id, quantity }
}

/// In-memory SQL with an optional bug.
struct Store {
    sql: Sqlite,
    bug: Option<Bug>,
    has_skipped: Cell<bool>,
}

impl Store {
    fn new(bug: Option<Bug>) -> Self {
        Self {
            sql: Sqlite::empty(),
            bug,
            has_skipped: Cell::new(false),
        }
    }
}

/// Position of the past rows among the values of an entry.
const PAST_ROWS: usize = 6;

impl Sql for Store {
    fn exec(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, KeeperError> {
        let mut parameters = parameters.to_vec();
        let sooner;
        match self.bug {
            Some(Bug::NoTombstone) if sql.starts_with("INSERT INTO written") => {
                parameters[PAST_ROWS] = Parameter::Text("{}");
            }
            Some(Bug::ForgottenEarly) if sql.starts_with("INSERT INTO written") => {
                let Parameter::Text(rows) = parameters[PAST_ROWS] else {
                    panic!("an entry without past rows");
                };
                sooner = forgotten_sooner(rows);
                parameters[PAST_ROWS] = Parameter::Text(&sooner);
            }
            Some(Bug::FoldSkips) if sql.contains("FROM journal WHERE seq >") => {
                let mut entries = self.sql.exec(sql, &parameters)?;
                if !self.has_skipped.replace(true) {
                    entries.remove(entries.len() / 2);
                }
                return Ok(entries);
            }
            Some(Bug::EndedInMemory) if sql == "SELECT key, value FROM state" => {
                let both = format!("{sql} UNION ALL SELECT key, value FROM past");
                return self.sql.exec(&both, &parameters);
            }
            _ => {}
        }
        self.sql.exec(sql, &parameters)
    }
}

fn forgotten_sooner(rows: &str) -> String {
    let half_ms = i64::from(TOMBSTONE_SECS) * 500;
    let mut rows: Value = serde_json::from_str(rows).unwrap();
    for row in rows.as_object_mut().unwrap().values_mut() {
        let sooner = row[0].as_i64().unwrap() - half_ms;
        row[0] = sooner.into();
        for status in row[1]["status"].as_object_mut().unwrap().values_mut() {
            status["forget_at"] = sooner.into();
        }
    }
    rows.to_string()
}
