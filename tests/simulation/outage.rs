//! Ten minutes in which the database accepts no writes, in the middle of payments.

use crate::actors::{calm_minutes, consumer, fill, webhooks};
use crate::invariants;
use crate::planted::Bug;
use crate::ports::Sim;
use crate::recovery::{ordered, receive};
use crate::scheduler::once;
use crate::world::World;
use shop::operations::sweep::bounds::BOUND_SECS;
use std::rc::Rc;

const ORDERS: u32 = 50;

const OUTAGE_MINUTES: u32 = 10;

/// Number of events that the provider tries to deliver in a minute.
const EVENTS_A_MINUTE: usize = 40;

#[test]
fn every_letter_goes_out_once() {
    let world = after_the_outage(None);
    assert_eq!(untold(&world), Vec::<String>::new());
    invariants::within_the_bound(&world).unwrap();
}

#[test]
fn letters_that_nobody_looks_for_are_caught() {
    let world = after_the_outage(Some(Bug::LetterDoneWhenQueued));
    assert!(!untold(&world).is_empty(), "it is not caught");
}

/// Returns paid orders that did not get exactly one confirmation.
fn untold(world: &World) -> Vec<String> {
    let orders = world.db.ask("SELECT id FROM orders");
    assert_eq!(orders.len(), ORDERS as usize);
    let mut untold: Vec<String> = orders
        .iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    untold.retain(|id| world.mails.borrow().get(id) != Some(&1));
    untold
}

fn after_the_outage(bug: Option<Bug>) -> Rc<World> {
    let world = World::new(0, bug);
    world.calm();
    fill(&world);
    receive(&world, ORDERS);
    let sim = Sim(Rc::clone(&world));
    for number in 0..ORDERS {
        let order = ordered(&world, number).unwrap();
        let id = order.payment.session_id.unwrap();
        assert!(world.provider.borrow_mut().pay(&id));
    }
    for _ in 0..EVENTS_A_MINUTE {
        once(&world, webhooks(sim.clone()), || Ok(()));
        once(&world, consumer(sim.clone()), || Ok(()));
    }
    let letters = world.letters.borrow().len();
    assert!((1..ORDERS as usize).contains(&letters), "{letters} letters");
    world.refuses_writes.set(true);
    minutes(&world, &sim, OUTAGE_MINUTES);
    world.refuses_writes.set(false);
    minutes(&world, &sim, BOUND_SECS / 60 + 1);
    world
}

fn minutes(world: &Rc<World>, sim: &Sim, minutes: u32) {
    for _ in 0..minutes {
        for _ in 0..EVENTS_A_MINUTE {
            once(world, webhooks(sim.clone()), || Ok(()));
        }
        calm_minutes(world, sim, 1).unwrap();
    }
}
