//! Cases that chance might miss, tried exhaustively on one order in calm weather: every order in
//! which the provider's actions and their events can arrive, every multiset of repeated events, and
//! a crash at every step of a purchase.

mod steps;
mod stories;

use crate::actors::{
    CUSTOMERS, SKUS, ask_for_quote, cron, deliver, fill, place, postman, publish, put,
};
use crate::invariants;
use crate::planted::Bug;
use crate::ports::Sim;
use crate::provider::{Other, Provider};
use crate::scheduler::{Task, pause, request, run};
use crate::world::World;
use durable::cart::Periods as CartPeriods;
use durable::machine::{Reply, Request};
use durable::{cart, stock};
use serde_json::Value;
use shop::aftersales::status::{Instruction, set_order_status};
use shop::orders::order::Actor;
use shop::orders::transitions::OrderStatus;
use shop::payments::RefundState;
use shop::values::staff_name::StaffName;
use std::future::Future;
use std::mem::take;
use std::rc::Rc;
use steps::{
    LAST_UNITS, SOME_UNITS, go, news_of, order, ordered, ordered_of, quote_for, quoted, quoted_for,
    rest, state, tell,
};
use storefront::store::sql::to_word;
use stories::{
    Doing, EXPIRED, PAID, PAID_IN_EUROS, PAID_LATE, PAID_LESS, PAID_MORE, PAID_TWICE,
    PART_REFUNDED, STORIES,
};

#[test]
fn every_interleaving_of_events_ends_alike() {
    for (story, doings) in STORIES {
        let all = interleavings(doings.len());
        let ends = all.iter().map(|steps| (steps, end_of(doings, steps)));
        let mut ends = ends.peekable();
        let first = ends.peek().unwrap().1.clone();
        for (steps, end) in ends {
            assert_eq!(end, first, "{story}: {steps:?}");
        }
    }
}

#[test]
fn every_multiset_of_duplicates_has_one_effect() {
    let (_, doings) = STORIES[3];
    let once = end_with_duplicates(doings, &[1; 4]);
    for multiset in 0..3_u32.pow(4) {
        let times: [u32; 4] = [1, 3, 9, 27].map(|place| 1 + multiset / place % 3);
        assert_eq!(end_with_duplicates(doings, &times), once, "{times:?}");
    }
}

#[test]
fn a_crash_at_any_step_of_a_purchase_changes_nothing() {
    let unharmed = purchase(None).1;
    for phase in 0..PHASES {
        let mut step = 0;
        while let (true, end) = purchase(Some((phase, step))) {
            assert_eq!(end, unharmed, "a crash in phase {phase} at step {step}");
            step += 1;
        }
        assert!(step > 5, "phase {phase} has {step} steps");
    }
}

#[test]
fn a_second_payment_goes_back_once_after_a_crash_at_any_step() {
    for step in 0..100 {
        let world = ordered();
        let paid = news_of(&world, PAID);
        tell(&world, &paid);
        let twice = news_of(&world, PAID_TWICE);
        world.crash_at.set(Some(step));
        tell(&world, &twice);
        let crashed = world.crash_at.take().is_none();
        rest(&world);
        // What was not answered is told again.
        tell(&world, &twice);
        rest(&world);
        assert_eq!(status_of(&world), ["confirmed"], "a crash at step {step}");
        invariants::at_the_end(&world).unwrap();
        if !crashed {
            assert!(step > 5, "a second payment has {step} steps");
            return;
        }
    }
}

#[test]
fn two_requests_of_one_key_work_on_one_order_whenever_units_come_back() {
    for seed in 0..MEETINGS {
        meeting(seed, None).unwrap();
    }
}

/// Number of interleavings of two requests that are tried.
pub const MEETINGS: u64 = 400;

/// Two requests of one key order what comes back at some point between them; in an order that the
/// seed says.
pub fn meeting(seed: u64, bug: Option<Bug>) -> Result<(), String> {
    let world = World::new(seed, bug);
    world.calm();
    fill(&world);
    quote_for(&world, &SOME_UNITS, "standard", &[]);
    hold_elsewhere(&world, 60);
    let sim = Sim(Rc::clone(&world));
    let comes_back = {
        let world = Rc::clone(&world);
        async move {
            for _ in 0..world.random.below(40) {
                pause(&world).await;
            }
            let hold_id = "ord_elsewhere:1".to_owned();
            let request = Request::Do {
                operation_id: "back".to_owned(),
                command: stock::Command::Release { hold_id },
            };
            world.stock.ask("B", &request, world.now());
        }
    };
    let actors = vec![
        Task::actor(order(sim.clone())),
        Task::actor(order(sim)),
        Task::actor(comes_back),
    ];
    run(&world, actors, || invariants::at_every_step(&world))
}

#[test]
fn late_money_finds_its_last_units_after_a_crash_at_any_step() {
    let mut step = 0;
    while late_money(step) {
        step += 1;
    }
    assert!(step > 5, "late money has {step} steps");
}

#[test]
fn a_release_from_before_attempts_were_named_is_carried_out() {
    let mut left = 0;
    for step in 0..100 {
        let world = ordered();
        let expired = news_of(&world, EXPIRED);
        world.crash_at.set(Some(step));
        tell(&world, &expired);
        if world.crash_at.take().is_some() {
            break;
        }
        let unnamed =
            "SELECT effect FROM outbox WHERE effect = 'release_stock' AND done_at IS NULL";
        left += world.db.ask(unnamed).len();
        world
            .db
            .tell("UPDATE outbox SET subject = '' WHERE effect = 'release_stock'");
        rest(&world);
        // What was not answered is told again.
        tell(&world, &expired);
        rest(&world);
        invariants::at_the_end(&world).unwrap();
    }
    assert!(left > 0, "no crash left a release undone");
}

#[test]
fn an_order_of_nothing_to_pay_is_cancelled_after_a_crash_at_any_step() {
    let mut pending = 0;
    for step in 0..100 {
        let world = World::new(0, None);
        world.calm();
        fill(&world);
        publish(&world, 2, 0);
        quote_for(&world, &SOME_UNITS, "gift", &[]);
        world.crash_at.set(Some(step));
        go(&world, order(Sim(Rc::clone(&world))));
        if world.crash_at.take().is_some() {
            break;
        }
        if status_of(&world) == ["pending_payment"] {
            pending += 1;
            go(
                &world,
                decide(Sim(Rc::clone(&world)), OrderStatus::Cancelled),
            );
            rest(&world);
            assert_eq!(status_of(&world), ["cancelled"], "a crash at step {step}");
        }
        // A cart that was left behind asks after its order.
        sweep_for(&world, CartPeriods::default().abandoned_secs / 60 + 1);
        rest(&world);
        invariants::at_the_end(&world).unwrap();
    }
    assert!(pending > 0, "no crash left an order pending");
}

#[test]
fn another_amount_than_was_ordered_is_for_a_person() {
    for paid in [PAID_LESS, PAID_MORE, PAID_IN_EUROS] {
        for decisions in [
            vec![OrderStatus::Confirmed],
            vec![OrderStatus::Cancelled],
            vec![OrderStatus::Confirmed, OrderStatus::Cancelled],
        ] {
            let world = ordered();
            let told = news_of(&world, paid);
            tell(&world, &told);
            let mut status = OrderStatus::PaymentReview;
            for decision in decisions {
                assert_eq!(status_of(&world), [to_word(&status).unwrap()]);
                go(&world, decide(Sim(Rc::clone(&world)), decision));
                status = decision;
                if status == OrderStatus::Confirmed {
                    let told = news_of(&world, PART_REFUNDED);
                    tell(&world, &told);
                }
            }
            rest(&world);
            assert_eq!(status_of(&world), [to_word(&status).unwrap()]);
            invariants::at_the_end(&world).unwrap();
            if status == OrderStatus::Cancelled {
                let left = "SELECT account FROM ledger_entries GROUP BY account, currency HAVING SUM(amount) <> 0";
                assert_eq!(world.db.ask(left), [""; 0]);
            }
        }
    }
}

fn status_of(world: &World) -> Vec<Value> {
    world.db.ask("SELECT status FROM orders")
}

/// A step is the number of what the provider does next, or that of what the shop is told of; each
/// is told after it was done.
fn interleavings(doings: usize) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    extend(&mut vec![], doings, &mut found);
    found
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Done(usize),
    Told(usize),
}

fn extend(steps: &mut Vec<Step>, doings: usize, found: &mut Vec<Vec<Step>>) {
    if steps.len() == 2 * doings {
        found.push(steps.clone());
        return;
    }
    let done = steps
        .iter()
        .filter(|it| matches!(it, Step::Done(_)))
        .count();
    let untold = (0..done).map(Step::Told).filter(|it| !steps.contains(it));
    let next = (done < doings).then_some(Step::Done(done));
    for step in next.into_iter().chain(untold).collect::<Vec<_>>() {
        steps.push(step);
        extend(steps, doings, found);
        steps.pop();
    }
}

fn end_of(doings: &[Doing], steps: &[Step]) -> Vec<Value> {
    let world = ordered();
    let mut news = Vec::new();
    for step in steps {
        match step {
            Step::Done(at) => news.push(news_of(&world, doings[*at])),
            Step::Told(at) => tell(&world, &news[*at]),
        }
    }
    rest(&world);
    state(&world)
}

fn end_with_duplicates(doings: &[Doing], times: &[u32]) -> Vec<Value> {
    let world = ordered();
    let news: Vec<String> = doings.iter().map(|doing| news_of(&world, *doing)).collect();
    for round in 0..3 {
        for (about, _) in news.iter().zip(times).filter(|(_, times)| round < **times) {
            tell(&world, about);
        }
    }
    rest(&world);
    let mut end = state(&world);
    end.extend(world.db.ask("SELECT COUNT(*) FROM journals"));
    end.extend(
        world
            .db
            .ask("SELECT happening FROM order_events ORDER BY version"),
    );
    end.extend(world.mails.borrow().values().map(|sent| Value::from(*sent)));
    end
}

/// An order is placed, its payment told of, and cancelled by staff with its money given back.
const PHASES: usize = 3;

/// A purchase with a crash in one phase, at one of its steps; whether it came to that step, and how
/// it ended.
fn purchase(crash: Option<(usize, u32)>) -> (bool, Vec<Value>) {
    let world = quoted();
    let sim = Sim(Rc::clone(&world));
    let mut crashed = false;
    for phase in 0..PHASES {
        let at = crash.filter(|(there, _)| *there == phase);
        world.crash_at.set(at.map(|(_, step)| step));
        if phase == 1 {
            assert!(world.provider.borrow_mut().pay("cs_1"));
        }
        go(&world, step_of(sim.clone(), phase));
        crashed |= at.is_some() && world.crash_at.take().is_none();
        rest(&world);
        invariants::within_the_bound(&world).unwrap();
        // Whoever got no answer asks again.
        go(&world, step_of(sim.clone(), phase));
    }
    rest(&world);
    (crashed, state(&world))
}

async fn step_of(sim: Sim, phase: usize) {
    match phase {
        0 => order(sim).await,
        1 => deliver(sim, "cs_1".to_owned()).await,
        _ => decide(sim, OrderStatus::Cancelled).await,
    }
}

/// Staff gives the only order a status.
async fn decide(sim: Sim, status: OrderStatus) {
    let world = Rc::clone(&sim.0);
    let instruction = Instruction {
        actor: Actor::Staff(StaffName::default()),
        note: None,
        if_version: None,
        refund_id: "re_of_staff".to_owned(),
    };
    let order_id = world.db.ask("SELECT id FROM orders")[0].clone();
    request(&world, async move {
        let now = sim.0.now();
        set_order_status(
            &sim,
            &order_id.as_str().unwrap().into(),
            status,
            instruction,
            now,
        )
        .await
    })
    .await;
}

/// Money for the last units, by a promotion that can be used once, comes late, and who deals with
/// it dies at a step; whether it came to that.
fn late_money(step: u32) -> bool {
    let world = ordered_of(&LAST_UNITS, &["one"]);
    let expired = news_of(&world, EXPIRED);
    tell(&world, &expired);
    let late = news_of(&world, PAID_LATE);
    world.crash_at.set(Some(step));
    tell(&world, &late);
    let crashed = world.crash_at.take().is_none();
    rest(&world);
    // What was not answered is told again.
    tell(&world, &late);
    rest(&world);
    assert_eq!(status_of(&world), ["confirmed"], "a crash at step {step}");
    invariants::at_the_end(&world).unwrap();
    crashed
}

#[test]
fn an_order_that_lost_its_units_waits_for_those_that_may_come_back() {
    let world = lapsed();
    hold_elsewhere(&world, 8 * 60);
    sweep_for(&world, 5);
    assert_eq!(
        world.db.ask("SELECT status FROM orders"),
        ["pending_payment"]
    );
    assert_eq!(
        world.stock.view("A", world.now()).held,
        0,
        "nothing is kept from others"
    );
    sweep_for(&world, 8);
    assert_eq!(world.db.ask("SELECT status FROM payments"), ["open"]);
}

#[test]
fn an_order_that_lost_its_units_does_not_wait_for_ever() {
    let world = lapsed();
    hold_elsewhere(&world, 8 * 60 * 60);
    sweep_for(&world, 40);
    assert_eq!(world.db.ask("SELECT status FROM orders"), ["cancelled"]);
    assert!(
        world
            .db
            .ask("SELECT happening FROM order_events")
            .contains(&"out_of_stock".into())
    );
}

/// An order of the last units, whose holds lapsed before anyone pinned them.
fn lapsed() -> Rc<World> {
    for step in 0.. {
        let world = quoted_for(&LAST_UNITS, &[]);
        world.crash_at.set(Some(step));
        go(&world, order(Sim(Rc::clone(&world))));
        assert!(world.crash_at.take().is_none(), "no crash left it so");
        let is_written = !world.db.ask("SELECT id FROM orders").is_empty();
        let reserved = world.stock.view("A", world.now()).reserved;
        if is_written && reserved == 5 {
            world.advance(11 * 60_000);
            return world;
        }
    }
    unreachable!()
}

/// Another checkout holds every unit of the SKU that is asked for last, on the clock.
fn hold_elsewhere(world: &World, ttl_secs: u32) {
    let available = world.stock.view("B", world.now()).available;
    let request = Request::Do {
        operation_id: "elsewhere".to_owned(),
        command: stock::Command::Hold {
            hold_id: "ord_elsewhere:1".to_owned(),
            quantity: available.try_into().unwrap(),
            ttl_secs,
            customer: None,
        },
    };
    let reply = world.stock.ask("B", &request, world.now());
    assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
}

fn sweep_for(world: &Rc<World>, minutes: u32) {
    for _ in 0..minutes {
        world.advance(60_000);
        go(world, cron(Sim(Rc::clone(world))));
    }
}
