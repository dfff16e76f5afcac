//! Messages about lasting facts are sent again a few times after the change, whatever happens to
//! the object's memory, and then no more.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

use durable::Timestamp;
use durable::cart::{self, Cart, Change};
use durable::keeper::{Keeper, TOLD_AGAIN_AFTER_SECS};
use durable::machine::Request;
use durable::stock::{self, Stock};
use durable::testing::Sqlite;

const NAME: &str = "PHONE#0";

#[test]
fn a_word_is_told_again_after_its_change_and_then_no_more() {
    let sql = Sqlite::empty();
    let mut at = Timestamp::from_millis(0);
    receive(&sql, "first", at);
    assert_eq!(told(&sql, at), 1, "its change");
    for secs in TOLD_AGAIN_AFTER_SECS {
        assert_eq!(told(&sql, at.plus_secs(secs - 1)), 0);
        at = at.plus_secs(secs);
        assert_eq!(keeper(&sql).wake_at().map(|wake| wake <= at), Some(true));
        assert_eq!(told(&sql, at), 1, "again after {secs} s");
        assert_eq!(told(&sql, at), 0, "once");
    }
    assert_eq!(told(&sql, at.plus_secs(30 * 24 * 60 * 60)), 0);
}

#[test]
fn another_change_begins_anew_and_what_changes_no_word_does_not() {
    let sql = Sqlite::empty();
    let start = Timestamp::from_millis(0);
    receive(&sql, "first", start);
    assert_eq!(told(&sql, start), 1);
    let later = start.plus_secs(TOLD_AGAIN_AFTER_SECS[0]);
    assert_eq!(told(&sql, later), 1);
    receive(&sql, "more of the same", later);
    assert_eq!(told(&sql, later.plus_secs(TOLD_AGAIN_AFTER_SECS[0])), 0);
    let sold_out = stock::Command::WriteOff {
        quantity: 200,
        reason: "water".to_owned(),
    };
    carry_out(&sql, "all", sold_out, later);
    assert_eq!(told(&sql, later), 1, "its change");
    assert_eq!(told(&sql, later.plus_secs(TOLD_AGAIN_AFTER_SECS[0])), 1);
}

#[test]
fn what_does_not_stay_true_is_told_once() {
    let sql = Sqlite::empty();
    let mut keeper = Keeper::open(&sql, "cart_1", Cart::default()).unwrap();
    let add = Change::Add {
        sku: "PHONE".to_owned(),
        quantity: 1,
        at_most: cart::MAX_QUANTITY,
    };
    let command = cart::Command {
        if_version: None,
        change: add,
    };
    let operation_id = "add".to_owned();
    let request = Request::Do {
        operation_id,
        command,
    };
    let start = Timestamp::from_millis(0);
    keeper.carry_out(&sql, &request, start).unwrap();
    let left_alone = start.plus_secs(60 * 60);
    keeper.wake(&sql, left_alone).unwrap();
    let news = keeper.news(&sql, 10).unwrap();
    keeper.heard(&sql, news.last().unwrap().0).unwrap();
    keeper
        .tell_again(&sql, left_alone.plus_secs(60 * 60))
        .unwrap();
    assert!(!keeper.has_news());
}

fn keeper(sql: &Sqlite) -> Keeper<Stock> {
    Keeper::open(sql, NAME, Stock::default()).unwrap()
}

fn receive(sql: &Sqlite, operation_id: &str, now: Timestamp) {
    let quantity = 100;
    carry_out(sql, operation_id, stock::Command::Receive { quantity }, now);
}

fn carry_out(sql: &Sqlite, operation_id: &str, command: stock::Command, now: Timestamp) {
    let operation_id = operation_id.to_owned();
    let request = Request::Do {
        operation_id,
        command,
    };
    keeper(sql).carry_out(sql, &request, now).unwrap();
}

/// Returns the number of messages that an alarm of an object without memory sends.
fn told(sql: &Sqlite, now: Timestamp) -> usize {
    let mut keeper = keeper(sql);
    keeper.tell_again(sql, now).unwrap();
    let news = keeper.news(sql, 10).unwrap();
    if let Some((last, _)) = news.last() {
        keeper.heard(sql, *last).unwrap();
    }
    news.len()
}
