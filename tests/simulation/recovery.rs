//! The end of an outage at volume: thousands of orders wait for their payment page.

use crate::actors::{CUSTOMERS, SKUS, ask_for_quote, fill, place, put};
use crate::planted::Bug;
use crate::ports::Sim;
use crate::world::World;
use crate::{number, scheduler};
use durable::machine::Request;
use durable::{Timestamp, cart, stock};
use shop::aftersales::status::{Instruction, cancel_order};
use shop::error::Result;
use shop::operations::sweep::{Outcome, Swept, sweep};
use shop::orders::order::{Actor, Order};
use shop::orders::ports::OrderPorts;
use shop::orders::record::{DueTasks, Orders};
use shop::payments::breaker::MAX_OPEN_SECS;
use shop::settlement::effects::drive_or_leave;
use shop::settlement::reconciliation::record::Jobs;
use shop::values::ids::OrderId;
use std::collections::BTreeSet;
use std::rc::Rc;
use storefront::store::settlement::jobs::JobsD1;

/// Number of waiting orders in an ordinary run; `SIMULATION_WAITING=5000` is what the shop
/// promises.
const ORDERS: u32 = 1_000;

/// Seconds from the provider's first answer until the last of 5,000 orders has its page.
const WITHIN_SECS: i64 = 5 * 60;

/// Seconds of these until the shop notices that the provider answers.
const FOUND_SECS: i64 = MAX_OPEN_SECS as i64 + 5;

/// Number of calls that the provider accepts per second.
const CALLS_A_SECOND: usize = 25;

/// Number of these that are reserved for new orders.
const CALLS_OF_NEW_ORDERS: usize = 5;

/// Number of database statements allowed in one invocation.
const STATEMENTS_AN_INVOCATION: u32 = 1_000;

/// Milliseconds that a message spends in its queue.
const QUEUE_MILLIS: i64 = 500;

#[test]
fn thousands_of_orders_have_their_page_within_minutes_of_an_outage() {
    let orders = number("SIMULATION_WAITING").map_or(ORDERS, |it| it as u32);
    let world = after_an_outage(orders, None);
    let began = world.now().as_millis();
    let within = (WITHIN_SECS - FOUND_SECS) * 1_000 * i64::from(orders) / 5_000;
    let most = sweep_until(&world, began + within);
    let took = (world.now().as_millis() - began) / 1_000;
    eprintln!(
        "{orders} orders have their page after {took} s; a run asks at most {most} statements"
    );
    assert_eq!(waiting(&world), 0, "orders still wait after {took} s");
    assert!(
        most <= STATEMENTS_AN_INVOCATION,
        "a run asks {most} statements"
    );
    assert_eq!(world.most_calls.get(), CALLS_A_SECOND - CALLS_OF_NEW_ORDERS);
}

/// Their requests are too old, so each takes two calls.
#[test]
fn orders_of_a_long_outage_get_a_new_session_at_the_same_pace() {
    let world = after_an_outage(200, None);
    world.advance(40 * 60_000);
    let began = world.now().as_millis();
    sweep_until(&world, began + 25_000);
    assert_eq!(waiting(&world), 0);
    let most = CALLS_A_SECOND - CALLS_OF_NEW_ORDERS;
    assert!(
        world.most_calls.get() <= most,
        "{} calls",
        world.most_calls.get()
    );
    let renewed = world
        .db
        .ask("SELECT COUNT(*) FROM order_events WHERE happening = 'payment_renewed'");
    assert_eq!(renewed[0].as_u64(), Some(200));
}

#[test]
fn a_rest_that_nobody_asks_for_is_caught() {
    let world = after_an_outage(300, Some(Bug::RestNotAskedFor));
    sweep_until(&world, world.now().as_millis() + 60_000);
    assert!(waiting(&world) > 0, "it is not caught");
}

/// While the provider is not called, one order at a time tests whether it answers.
#[test]
fn an_outage_is_not_asked_about_by_every_order() {
    let world = after_an_outage(50, None);
    world.is_left_alone.set(true);
    let sim = Sim(Rc::clone(&world));
    let tried = |world: &World| {
        world
            .db
            .ask("SELECT SUM(attempts) FROM outbox WHERE effect = 'open_payment'")[0]
            .as_u64()
    };
    once(&world, swept(sim.clone())).unwrap();
    let first = tried(&world).unwrap();
    for _ in 0..10 {
        world.advance(10_000);
        once(&world, swept(sim.clone())).unwrap();
    }
    assert_eq!(tried(&world), Some(first + 10));
}

/// A shopper's request, not the sweep, ended the outage; payments are checked all the same.
#[test]
fn after_an_outage_payments_whose_time_is_over_are_looked_at() {
    let world = calm(10);
    ordered(&world, 0).unwrap();
    world.is_left_alone.set(true);
    let late = ordered(&world, 1).unwrap();
    world.advance(60_000);
    let sim = Sim(Rc::clone(&world));
    assert_eq!(once(&world, swept(sim.clone())).unwrap().findings.len(), 1);
    world.is_left_alone.set(false);
    let mine = sim.clone();
    once(&world, async move {
        let now = mine.0.now();
        drive_or_leave(&mine, late, now).await;
    });
    assert_eq!(waiting(&world), 0);
    world.advance(3 * 60 * 60_000);
    for _ in 0..2 {
        world.advance(60_000);
        once(&world, swept(sim.clone())).unwrap();
    }
    let left = "SELECT order_id FROM payments WHERE status IN ('preparing', 'open', 'processing')";
    assert!(world.db.ask(left).is_empty());
    assert_eq!(once(&world, swept(sim)).unwrap().again_in, None);
}

/// A transition takes more statements than opening a page.
#[test]
fn a_run_of_moves_asks_for_no_more_than_it_may() {
    let world = calm(200);
    let orders: Vec<Order> = (0..110)
        .map(|number| ordered(&world, number).unwrap())
        .collect();
    world.is_left_alone.set(true);
    for order in orders {
        let sim = Sim(Rc::clone(&world));
        let cancelled = once(&world, async move {
            let now = sim.0.now();
            let by_shopper = Instruction {
                actor: Actor::Shopper,
                note: None,
                if_version: None,
                refund_id: sim.0.name("re"),
            };
            cancel_order(&sim, &order.id, by_shopper, now).await
        });
        assert!(cancelled.is_ok());
    }
    world.advance(120_000);
    world.is_left_alone.set(false);
    let most = sweep_while(&world, i64::MAX, |world| {
        let left = "SELECT id FROM orders WHERE status = 'pending_payment'";
        !world.db.ask(left).is_empty()
    });
    assert!(
        (STATEMENTS_AN_INVOCATION / 4..=STATEMENTS_AN_INVOCATION).contains(&most),
        "a run asks {most} statements"
    );
}

/// A run that is so late that it counts as lost ends nothing of the run that replaced it.
#[test]
fn a_late_run_leaves_the_turn_to_who_has_it() {
    let world = calm(0);
    let sim = Sim(Rc::clone(&world));
    once(&world, async move {
        let jobs = JobsD1(sim.clone());
        let began = sim.0.now();
        let [late, next] = [0, 61].map(|secs| began.plus_secs(secs));
        let lost = |at: Timestamp| at.plus_secs(60);
        for at in [late, next] {
            let turn = jobs.take_turn::<u32>("job", lost(at), at).await;
            assert_eq!(turn.unwrap(), Some(0));
        }
        let now = began.plus_secs(62);
        assert!(!jobs.end_turn("job", lost(late), &1, now).await.unwrap());
        let third = jobs.take_turn::<u32>("job", lost(now), now).await;
        assert_eq!(third.unwrap(), None);
        assert!(jobs.end_turn("job", lost(next), &2, now).await.unwrap());
        let third = jobs.take_turn::<u32>("job", lost(now), now).await;
        assert_eq!(third.unwrap(), Some(2));
    });
}

#[test]
fn what_a_sweep_takes_is_nobody_elses() {
    assert!(shared(None).is_empty());
    assert!(!shared(Some(Bug::NotLeased)).is_empty(), "it is not caught");
}

/// Returns the orders that two concurrent takers were both given.
fn shared(bug: Option<Bug>) -> BTreeSet<OrderId> {
    let world = after_an_outage(10, bug);
    let take = || {
        let sim = Sim(Rc::clone(&world));
        once(&world, async move {
            let now = sim.0.now();
            let orders = sim.orders();
            let taken =
                orders.take_orders_with_due_tasks(DueTasks::All, now, now.plus_secs(90), 20);
            taken.await.unwrap().into_iter().collect::<BTreeSet<_>>()
        })
    };
    let first = take();
    assert_eq!(first.len(), 10);
    first.intersection(&take()).cloned().collect()
}

/// Returns a shop whose provider answers again, after this many orders were placed during the
/// outage, a few milliseconds apart.
fn after_an_outage(orders: u32, bug: Option<Bug>) -> Rc<World> {
    let world = calm_with(orders, bug);
    world.is_left_alone.set(true);
    for number in 0..orders {
        let order = ordered(&world, number).unwrap();
        assert_eq!(order.payment.session_id, None);
        world.advance(20);
    }
    world.advance(60_000);
    world.is_left_alone.set(false);
    world
}

pub fn calm(units: u32) -> Rc<World> {
    calm_with(units, None)
}

/// Returns a calm shop with this many additional units, and a provider that accepts its maximum
/// calls per second.
fn calm_with(units: u32, bug: Option<Bug>) -> Rc<World> {
    let world = World::new(0, bug);
    world.calm();
    world.is_timeless.set(true);
    fill(&world);
    receive(&world, units);
    world.calls_a_second.set(CALLS_A_SECOND);
    world
}

pub fn receive(world: &World, quantity: u32) {
    let request = Request::Do {
        operation_id: "all".to_owned(),
        command: stock::Command::Receive { quantity },
    };
    world.stock.ask(SKUS[0], &request, world.now());
}

pub fn ordered(world: &Rc<World>, number: u32) -> Result<Order> {
    let (sim, cart_id) = (Sim(Rc::clone(world)), format!("cart_{number}"));
    let change = cart::Change::Set {
        sku: SKUS[0].into(),
        quantity: 1,
        at_most: cart::MAX_QUANTITY,
    };
    put(world, &cart_id, change);
    once(world, async move {
        let email = CUSTOMERS[0];
        let quote = ask_for_quote(&sim, &cart_id, "standard", email, vec![]).await;
        let key = format!("key_{number}");
        place(sim, cart_id, quote.unwrap().id, key).await.unwrap()
    })
}

/// Delivers the messages of each minute, and those for further runs, until no order waits or at
/// `ends_at`. New orders arrive every second. Returns the maximum number of statements in one run.
fn sweep_until(world: &Rc<World>, ends_at: i64) -> u32 {
    sweep_while(world, ends_at, |world| waiting(world) > 0)
}

fn sweep_while(world: &Rc<World>, ends_at: i64, is_needed: impl Fn(&World) -> bool) -> u32 {
    let mut messages = BTreeSet::new();
    let mut next_minute = world.now().as_millis();
    let mut most = 0;
    while is_needed(world) && world.now().as_millis() < ends_at {
        if *messages.first().unwrap_or(&i64::MAX) > next_minute {
            messages.insert(next_minute);
            next_minute += 60_000;
        }
        let due = messages.pop_first().unwrap();
        world.advance((due - world.now().as_millis()).max(0));
        world.statements.take();
        let again_in = once(world, swept(Sim(Rc::clone(world)))).unwrap().again_in;
        most = most.max(world.statements.get());
        if let Some(secs) = again_in.filter(|_| world.bug != Some(Bug::RestNotAskedFor)) {
            let at = world.now().as_millis() + i64::from(secs) * 1_000 + QUEUE_MILLIS;
            messages.insert(at);
        }
    }
    most
}

async fn swept(sim: Sim) -> Result<Outcome> {
    sweep(&sim, &JobsD1(sim.clone()), Swept::Orders).await
}

fn waiting(world: &World) -> u64 {
    let count = world
        .db
        .ask("SELECT COUNT(*) FROM payments WHERE session_id IS NULL AND status = 'preparing'");
    count[0].as_u64().unwrap()
}

fn once<T: 'static>(world: &Rc<World>, work: impl Future<Output = T> + 'static) -> T {
    scheduler::once(world, work, || Ok(()))
}
