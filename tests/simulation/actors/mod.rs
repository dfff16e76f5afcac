//! Actors of the world: shoppers who act concurrently and impatiently ([`shoppers`]); the
//! provider's webhooks, the queue's consumer and the cron ([`machinery`]); staff, the bank, and a
//! merchant who changes prices ([`people`]).

mod machinery;
mod people;
mod shoppers;

pub use machinery::{consumer, cron, deliver, postman, webhooks};
pub use shoppers::{ask_for_quote, place, put};

use crate::invariants;
use crate::ports::Sim;
use crate::scheduler::{Task, pause, run};
use crate::world::World;
use durable::machine::Request;
use durable::stock;
use people::{bank, decide_reviews, merchant, staff, strangers};
use shop::aftersales::status::Instruction;
use shop::error::Result;
use shop::messages::letterhead::Letterhead;
use shop::operations::sweep::bounds::BOUND_SECS;
use shop::orders::links::OrderLinks;
use shop::orders::order::Actor;
use shop::payments::RefundState;
use shop::values::channel::{Channel, ChannelId};
use shop::values::ids::Signer;
use shop::values::languages::{Language, Languages};
use shop::values::money::Currency;
use shoppers::{buy_the_rest, shop};
use std::cell::Cell;
use std::rc::Rc;

pub const SKUS: [&str; 3] = ["A", "B", "C"];

/// Limited promotions: maximum uses in total and by each customer.
pub const PROMOTIONS: [(&str, u32, u32); 2] = [("one", 1, 1), ("few", 4, 3)];

pub const CUSTOMERS: [&str; 2] = ["ann@example.com", "bob@example.com"];

/// Units of each SKU; fewer than the shoppers want.
pub const UNITS: u32 = 5;

const SHOPPERS: usize = 4;

/// Plays the storm, then the calm, then the end.
pub fn play(world: &Rc<World>) -> Result<(), String> {
    fill(world);
    let sim = Sim(Rc::clone(world));
    let shopping = Rc::new(Cell::new(SHOPPERS));
    let mut actors: Vec<Task> = (0..SHOPPERS)
        .map(|_| Task::actor(shop(sim.clone(), Rc::clone(&shopping))))
        .collect();
    actors.push(Task::actor(while_shopping(
        sim.clone(),
        Rc::clone(&shopping),
        webhooks,
    )));
    actors.push(Task::actor(while_shopping(
        sim.clone(),
        Rc::clone(&shopping),
        consumer,
    )));
    actors.push(Task::actor(while_shopping(
        sim.clone(),
        Rc::clone(&shopping),
        postman,
    )));
    actors.push(Task::actor(while_shopping(
        sim.clone(),
        Rc::clone(&shopping),
        cron,
    )));
    actors.push(Task::actor(while_shopping(
        sim.clone(),
        Rc::clone(&shopping),
        staff,
    )));
    actors.push(Task::actor(while_shopping(
        sim.clone(),
        Rc::clone(&shopping),
        bank,
    )));
    actors.push(Task::actor(while_shopping(
        sim.clone(),
        Rc::clone(&shopping),
        strangers,
    )));
    actors.push(Task::actor(while_shopping(sim.clone(), shopping, merchant)));
    run(world, actors, || invariants::at_every_step(world))?;
    heal(world, &sim)
}

/// Leaves the shop alone: it must finish everything within its bound, and when every session has
/// ended, all must be settled.
fn heal(world: &Rc<World>, sim: &Sim) -> Result<(), String> {
    world.calm();
    world.note("the calm".to_owned());
    world.advance(60_000);
    calm_minutes(world, sim, BOUND_SECS / 60 + 1)?;
    invariants::within_the_bound(world)?;
    calm_minutes(world, sim, 65)?;
    // Returned units are sold, so that late money finds none.
    if world.random.chance(750) {
        run(world, vec![Task::actor(buy_the_rest(sim.clone()))], || {
            invariants::at_every_step(world)
        })?;
    }
    let sessions: Vec<String> = world.provider.borrow().sessions.keys().cloned().collect();
    for id in sessions {
        if world.random.chance(300) {
            world.provider.borrow_mut().fail(&id);
        }
        if world.random.chance(400) {
            world.provider.borrow_mut().pay_late(&id);
        }
        world.provider.borrow_mut().arrive(&id);
    }
    deliver_all(world);
    calm_minutes(world, sim, BOUND_SECS / 60 + 1)?;
    run(
        world,
        vec![Task::actor(decide_reviews(sim.clone()))],
        || invariants::at_every_step(world),
    )?;
    // A dispute that is won can lead to a refund, which may again be pending once.
    for _ in 0..3 {
        decide_everything(world);
        deliver_all(world);
        calm_minutes(world, sim, BOUND_SECS / 60 + 1)?;
    }
    invariants::at_the_end(world)
}

fn decide_everything(world: &World) {
    let mut provider = world.provider.borrow_mut();
    let disputes: Vec<String> = provider.disputes.keys().cloned().collect();
    for id in disputes {
        let won = world.random.chance(500);
        provider.decide(&id, won);
    }
    let pending = provider
        .refunds
        .values()
        .filter(|it| it.state == RefundState::Pending);
    let pending: Vec<String> = pending.map(|it| it.id.clone()).collect();
    for id in pending {
        let fails = world.random.chance(100);
        let state = if fails {
            RefundState::Failed
        } else {
            RefundState::Succeeded
        };
        provider.end_refund(&id, state);
    }
}

/// Drops every undelivered event, so that the shop has to fetch it.
fn deliver_all(world: &World) {
    let mut provider = world.provider.borrow_mut();
    let left = std::mem::take(&mut provider.events);
    provider.undelivered.extend(left);
}

pub fn calm_minutes(world: &Rc<World>, sim: &Sim, minutes: u32) -> Result<(), String> {
    for _ in 0..minutes {
        world.advance(60_000);
        let minute = {
            let sim = sim.clone();
            async move {
                for _ in 0..20 {
                    consumer(sim.clone()).await;
                    postman(sim.clone()).await;
                }
                cron(sim).await;
            }
        };
        run(world, vec![Task::actor(minute)], || {
            invariants::at_every_step(world)
        })?;
    }
    Ok(())
}

pub fn fill(world: &World) {
    publish(world, 1, 1000);
    for sku in SKUS {
        let command = stock::Command::Receive { quantity: UNITS };
        let request = Request::Do {
            operation_id: "first".to_owned(),
            command,
        };
        world.stock.ask(sku, &request, world.now());
    }
}

/// Publishes every SKU at `price`, except the one that is free.
pub fn publish(world: &World, seq: i64, price: i64) {
    let listing = |title: &str, price: i64| {
        format!(
            r#"{{"title":"{title}","variant_title":"","handle":"{title}","tracked":true,"prices":{{"USD":{{"amount":{price}}}}}}}"#
        )
    };
    world.db.tell(&format!(
        "INSERT INTO publishes (seq, version, created_at) VALUES ({seq}, 'v{seq}', 0)"
    ));
    for sku in SKUS {
        let listing = listing(sku, price);
        world.db.tell(&format!(
            "INSERT INTO listings (sku, seq, listing) VALUES ('{sku}', {seq}, '{listing}')"
        ));
    }
    world.db.tell(&format!("INSERT INTO current_publish (id, seq) VALUES (1, {seq}) ON CONFLICT (id) DO UPDATE SET seq = {seq}"));
    if seq == 1 {
        world.db.tell(
            r#"UPDATE settings SET document = json_insert(document, '$.shipping_zones[0].methods[#]',
                json('{"id":"gift","title":"On the house","rates":[{"price":{"amount":0,"currency":"USD"}}]}'),
                '$.promotions[#]', json('{"id":"one","title":"One","code":"ONE","limits":{"total":1},"benefit":{"kind":"percentage","off_ppm":100000}}'),
                '$.promotions[#]', json('{"id":"few","title":"Few","limits":{"total":4,"per_customer":3},"benefit":{"kind":"percentage","off_ppm":50000}}'))"#,
        );
    }
}

async fn while_shopping<F: Future<Output = ()>>(
    sim: Sim,
    shopping: Rc<Cell<usize>>,
    turn: impl Fn(Sim) -> F,
) {
    while shopping.get() > 0 {
        pause(&sim.0).await;
        turn(sim.clone()).await;
    }
}

fn instruction(world: &World, actor: Actor) -> Instruction {
    Instruction {
        actor,
        note: None,
        if_version: None,
        refund_id: world.name("re"),
    }
}

fn links() -> OrderLinks {
    OrderLinks {
        base: "https://shop.example".to_owned(),
        signer: Signer::new("secret"),
        languages: ENGLISH,
        language: Language::English,
    }
}

fn letterhead() -> Letterhead<'static> {
    Letterhead {
        shop: "Shop",
        legal_name: "Shop Ltd",
        address: &["1 Example Street"],
        email: "help@shop.example",
        phone: None,
    }
}

const ENGLISH: Languages = Languages {
    default: Language::English,
    others: &[],
};

fn channel() -> Channel {
    let dollars = Currency::from_code("USD").unwrap();
    Channel {
        id: ChannelId::default(),
        origin: "https://shop.example".to_owned(),
        languages: ENGLISH,
        default_currency: dollars,
        currencies: vec![dollars],
    }
}
