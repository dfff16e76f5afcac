//! `npm run chaos` hands its evidence to this judge: the invariants of the simulation, asked of the
//! databases that a shop left behind, and beside them what only a real one can show: what shoppers
//! were told, what the mail provider took, what pages read.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that judges: evidence that does not read is a reason to end"
)]

#[path = "../tests/simulation/evidence.rs"]
mod evidence;

use durable::{promotion, stock};
use evidence::{Evidence, Holds, PaymentEvidence, StockEvidence, at_rest, holds, none};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::{env, fs};

/// A database, and what everyone around it says.
struct Shop {
    db: Connection,
    told: Value,
}

type Judge = fn(&Shop) -> Holds;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [database, evidence] = arguments.as_slice() else {
        println!("judge DATABASE EVIDENCE: see `npm run chaos -- --help`");
        return ExitCode::FAILURE;
    };
    let shop = Shop {
        db: Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap(),
        told: serde_json::from_str(&fs::read_to_string(evidence).unwrap()).unwrap(),
    };
    let judgments: [(&str, Judge); 6] = [
        ("money, goods and books agree", at_rest),
        ("what shoppers were told holds", answers_hold),
        ("no cart is frozen", carts_are_free),
        ("every letter went out once", letters_went_out_once),
        ("every page reads the right word", words_are_right),
        ("nothing is dead or waits for staff unseen", nothing_is_lost),
    ];
    let mut broken = 0;
    for (what, judge) in judgments {
        match judge(&shop) {
            Ok(()) => println!("✓ {what}"),
            Err(why) => {
                broken += 1;
                println!("✗ {what}: {why}");
            }
        }
    }
    println!(
        "judged {} passed, {broken} failed",
        judgments.len() - broken
    );
    if broken == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// An order that a shopper was told of is there, under the key that asked for it, and no key has
/// two.
fn answers_hold(shop: &Shop) -> Holds {
    let mut of_key: BTreeMap<&str, &str> = BTreeMap::new();
    for told in shop.told["told"].as_array().unwrap() {
        let (key, order_id) = (text(told, "key"), text(told, "order_id"));
        let first = of_key.entry(key).or_insert(order_id);
        holds(*first == order_id, || {
            format!("{key} has {first} and {order_id}")
        })?;
        let number = shop.ask(&format!(
            "SELECT CAST(number AS TEXT) FROM orders WHERE id = '{order_id}'"
        ));
        holds(number == [told["number"].clone()], || {
            format!("{order_id} was answered and is {number:?}")
        })?;
    }
    Ok(())
}

fn carts_are_free(shop: &Shop) -> Holds {
    for (cart_id, cart) in shop.told["carts"].as_object().unwrap() {
        holds(cart["frozen_by"].is_null(), || {
            format!("{cart_id} is frozen by {}", cart["frozen_by"])
        })?;
    }
    Ok(())
}

/// Checks that the mail provider accepted exactly the letters that the shop recorded as sent, and
/// none twice.
fn letters_went_out_once(shop: &Shop) -> Holds {
    none(
        shop,
        "a letter was not sent",
        "SELECT id || ' ' || kind || ' ' || order_id FROM mails WHERE sent_at IS NULL",
    )?;
    let letters = shop.told["letters"].as_array().unwrap();
    let taken: BTreeSet<&str> = letters.iter().map(|it| text(it, "key")).collect();
    for id in evidence::ids(shop, "SELECT id FROM mails WHERE sent_at IS NOT NULL") {
        holds(taken.contains(id.as_str()), || {
            format!("{id} is sent by the books, and the provider never saw it")
        })?;
    }
    let mut told: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for letter in letters {
        let reader = (text(letter, "to"), text(letter, "subject"));
        told.entry(reader).or_default().push(text(letter, "key"));
    }
    let confirmed_twice = told
        .iter()
        .find(|((_, subject), keys)| subject.ends_with("is confirmed") && keys.len() > 1);
    holds(confirmed_twice.is_none(), || {
        format!("told twice: {confirmed_twice:?}")
    })
}

fn words_are_right(shop: &Shop) -> Holds {
    for (sku, stock) in shop.told["stock"].as_object().unwrap() {
        holds(stock["shown"] == stock["view"]["stock"], || {
            format!(
                "{sku} is {}, and shown as {}",
                stock["view"]["stock"], stock["shown"]
            )
        })?;
    }
    Ok(())
}

fn nothing_is_lost(shop: &Shop) -> Holds {
    none(
        shop,
        "an event was not dealt with",
        "SELECT id || ' ' || COALESCE(last_error, '') FROM webhook_events WHERE processed_at IS NULL",
    )?;
    none(
        shop,
        "a message is dead",
        "SELECT id || ' ' || COALESCE(last_error, '') FROM dead_letters WHERE resolved_at IS NULL",
    )
}

impl Evidence for Shop {
    fn ask(&self, sql: &str) -> Vec<Value> {
        let mut statement = self.db.prepare(sql).unwrap();
        let rows = statement
            .query_map([], |row| Ok(to_json(row.get_ref(0)?)))
            .unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn stocks(&self) -> Vec<StockEvidence> {
        let stocks = self.told["stock"].as_object().unwrap().iter();
        stocks
            .map(|(sku, stock)| StockEvidence {
                sku: sku.clone(),
                received: stock["received"].as_i64().unwrap(),
                view: serde_json::from_value::<stock::View>(stock["view"].clone()).unwrap(),
            })
            .collect()
    }

    fn promotions(&self) -> Vec<(String, promotion::View)> {
        vec![]
    }

    fn payments(&self) -> Vec<PaymentEvidence> {
        let sessions = self.told["sessions"].as_array().unwrap().iter();
        sessions
            .map(|session| PaymentEvidence {
                session_id: text(session, "id").to_owned(),
                order_id: text(session, "order_id").to_owned(),
                state: serde_json::from_value(session["state"].clone()).unwrap(),
                amount: session["amount"].as_i64().unwrap(),
                refunded: session["refunded"].as_i64().unwrap(),
                withdrawn: 0,
            })
            .collect()
    }

    fn disputed(&self) -> i64 {
        0
    }

    fn confirmations(&self, order_id: &str) -> u32 {
        let sql = format!(
            "SELECT id FROM mails WHERE order_id = '{order_id}' AND kind = 'order_confirmation' AND sent_at IS NOT NULL"
        );
        u32::try_from(self.ask(&sql).len()).unwrap_or(u32::MAX)
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn to_json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
        ValueRef::Integer(integer) => integer.into(),
        ValueRef::Real(real) => real.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
    }
}
