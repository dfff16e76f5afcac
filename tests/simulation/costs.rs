//! Cost of an order and of a refusal: trips to the database and to the objects, counted in calm
//! weather.

use crate::actors::{CUSTOMERS, SKUS, ask_for_quote, fill, place, put};
use crate::invariants;
use crate::ports::Sim;
use crate::scheduler::{self, Task, run};
use crate::world::{Costs, World};
use durable::machine::Request;
use durable::{cart, stock};
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::orders::order::Order;
use shop::values::ids::QuoteId;
use std::cell::RefCell;
use std::rc::Rc;

const CARTS: u64 = 50;

#[test]
fn an_order_costs_one_read_and_two_writes_until_its_payment_page() {
    let world = calm();
    let quote = quoted(&world, "cart", &[("A", 1), ("B", 2)]);
    let (answer, costs) = ordered(&world, "cart", &quote, "key");
    assert!(answer.is_ok());
    // Each line is held and pinned; the round of tasks is recorded together with the session.
    let expected = Costs {
        reads: 1,
        writes: 2,
        of_carts: 1,
        of_stock: 4,
    };
    assert_eq!(costs, expected);
}

#[test]
fn an_order_that_is_asked_for_again_costs_two_reads() {
    let world = calm();
    let quote = quoted(&world, "cart", &[("A", 1)]);
    let (first, _) = ordered(&world, "cart", &quote, "key");
    let (again, costs) = ordered(&world, "cart", &quote, "key");
    assert_eq!(first.unwrap().id, again.unwrap().id);
    let expected = Costs {
        reads: 2,
        ..Costs::default()
    };
    assert_eq!(costs, expected);
}

#[test]
fn a_refused_buyer_costs_one_read_and_asks_only_for_what_was_held() {
    let world = calm();
    sell_out(&world, "B");
    let quote = quoted(&world, "cart", &[("A", 1), ("B", 1), ("C", 1)]);
    let before = rows(&world);
    let (answer, costs) = ordered(&world, "cart", &quote, "key");
    assert_eq!(answer.unwrap_err().code(), Code::SoldOut);
    // A is held and released, B refuses, C is viewed.
    let expected = Costs {
        reads: 1,
        writes: 0,
        of_carts: 2,
        of_stock: 4,
    };
    assert_eq!(costs, expected);
    assert_eq!(rows(&world), before);
    for sku in ["A", "C"] {
        assert_eq!(world.stock.view(sku, world.now()).held, 0);
    }
    assert_eq!(world.carts.view("cart", world.now()).frozen_by, None);

    let (again, costs) = ordered(&world, "cart", &quote, "key");
    assert_eq!(again.unwrap_err().code(), Code::SoldOut);
    let expected = Costs {
        reads: 1,
        ..Costs::default()
    };
    assert_eq!(costs, expected, "the isolate remembers");
}

#[test]
fn thousands_who_come_too_late_hardly_reach_the_object_and_buy_what_comes_back() {
    let world = calm();
    sell_out(&world, "A");
    let carts: Vec<(String, QuoteId)> = (0..CARTS)
        .map(|number| {
            let cart_id = format!("cart_{number}");
            let quote = quoted(&world, &cart_id, &[("A", 1)]);
            (cart_id, quote)
        })
        .collect();
    let (cart_id, quote) = &carts[0];
    let (first, _) = ordered(&world, cart_id, quote, "first");
    assert_eq!(first.unwrap_err().code(), Code::SoldOut);
    let seconds = 10;
    for tenth in 0..10 * seconds {
        for refusal in rush(&world, &carts, tenth) {
            assert_eq!(refusal.unwrap_err().code(), Code::SoldOut);
        }
        world.advance(100);
    }
    let costs = world.costs.get();
    assert_eq!(costs.writes, 0);
    assert!(
        costs.of_stock <= 20 * seconds,
        "{costs:?} for {} refusals",
        CARTS as u32 * 10 * seconds
    );

    tell(&world, "A", stock::Command::Receive { quantity: 3 });
    world.advance(2_000);
    // The first checks again, the others follow at once.
    rush(&world, &carts, 1000);
    rush(&world, &carts, 1001);
    assert_eq!(world.stock.view("A", world.now()).available, 0);
}

/// Orders with every cart at once, each under a key of its own.
fn rush(world: &Rc<World>, carts: &[(String, QuoteId)], round: u32) -> Vec<Result<Order>> {
    let answers = Rc::new(RefCell::new(Vec::new()));
    let buyers = carts.iter().map(|(cart_id, quote)| {
        let key = format!("{cart_id} {round}");
        let placed = place(Sim(Rc::clone(world)), cart_id.clone(), quote.clone(), key);
        let answers = Rc::clone(&answers);
        Task::actor(async move {
            let answer = placed.await;
            answers.borrow_mut().extend(answer);
        })
    });
    run(world, buyers.collect(), || invariants::at_every_step(world)).unwrap();
    answers.take()
}

fn calm() -> Rc<World> {
    let world = World::new(0, None);
    world.calm();
    world.is_timeless.set(true);
    fill(&world);
    world
}

/// Assigns every unit to orders.
fn sell_out(world: &World, sku: &str) {
    let hold_id = "ord_elsewhere:1".to_owned();
    let quantity = u32::try_from(world.stock.view(sku, world.now()).available).unwrap();
    let hold = stock::Command::Hold {
        hold_id: hold_id.clone(),
        quantity,
        ttl_secs: 60,
        customer: None,
    };
    tell(world, sku, hold);
    tell(world, sku, stock::Command::Commit { hold_id });
}

fn tell(world: &World, sku: &str, command: stock::Command) {
    let request = Request::Do {
        operation_id: world.name("op"),
        command,
    };
    let reply = world.stock.ask(sku, &request, world.now());
    assert!(matches!(reply, stock::Reply::Done { .. }), "{reply:?}");
}

fn quoted(world: &Rc<World>, cart_id: &str, units: &[(&str, u32)]) -> QuoteId {
    for &(sku, quantity) in units {
        assert!(SKUS.contains(&sku));
        let change = cart::Change::Set {
            sku: sku.into(),
            quantity,
            at_most: cart::MAX_QUANTITY,
        };
        put(world, cart_id, change);
    }
    let (sim, cart_id) = (Sim(Rc::clone(world)), cart_id.to_owned());
    let quote = once(world, async move {
        ask_for_quote(&sim, &cart_id, "standard", CUSTOMERS[0], vec![]).await
    });
    world.costs.take();
    quote.unwrap().id
}

fn ordered(
    world: &Rc<World>,
    cart_id: &str,
    quote: &QuoteId,
    key: &str,
) -> (Result<Order, Error>, Costs) {
    world.costs.take();
    let sim = Sim(Rc::clone(world));
    let (cart_id, quote, key) = (cart_id.to_owned(), quote.clone(), key.to_owned());
    let answer = once(world, place(sim, cart_id, quote, key)).unwrap();
    (answer, world.costs.get())
}

fn once<T: 'static>(world: &Rc<World>, work: impl Future<Output = T> + 'static) -> T {
    scheduler::once(world, work, || invariants::at_every_step(world))
}

/// Returns the number of rows of each table.
fn rows(world: &World) -> Vec<(String, i64)> {
    let tables = world
        .db
        .ask("SELECT name FROM sqlite_master WHERE type = 'table'");
    let tables = tables.iter().map(|name| name.as_str().unwrap().to_owned());
    let counted = tables.map(|name| {
        let count = world.db.ask(&format!("SELECT COUNT(*) FROM {name}"));
        (name, count[0].as_i64().unwrap())
    });
    counted.collect()
}
