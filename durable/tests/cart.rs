//! A cart under any sequence of changes, repeats, stale versions and evictions, judged by a naive model that lists every
//! reason to refuse. `PROPTEST_CASES` sets how many sequences are tried.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test that overflows or unwraps nothing has failed, and says where"
)]

mod object;
mod sqlite;

use durable::Timestamp;
use durable::cart::{Cart, Change, Command, Line, MAX_LINES, MAX_QUANTITY, Refusal};
use durable::machine::{Machine, Reply, Request};
use object::Object;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::env;

const SEQUENCES: u32 = 1_500;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: env::var("PROPTEST_CASES").map_or(SEQUENCES, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_cart_does_what_the_model_does(steps in prop::collection::vec(step(), 1..60)) {
        let mut trial = Trial::new();
        for step in &steps {
            trial.take(step);
        }
    }
}

#[test]
fn a_full_cart_takes_no_other_sku_but_more_of_those_it_has() {
    let mut cart = Cart::default();
    for number in 0..MAX_LINES {
        carry_out(&mut cart, add(&number.to_string(), 1)).unwrap();
    }
    let full = cart.clone();

    for change in [add("other", 1), set("other", 1)] {
        let refusal = carry_out(&mut cart, change).unwrap_err();
        assert_eq!(refusal, Refusal::TooManyLines { max: MAX_LINES });
    }
    assert_eq!(cart, full);

    carry_out(&mut cart, add("0", 1)).unwrap();
    carry_out(&mut cart, remove("1")).unwrap();
    carry_out(&mut cart, add("other", 1)).unwrap();
    assert_eq!(cart.lines.len(), MAX_LINES);
}

#[test]
fn the_first_order_keeps_the_cart_until_it_is_over() {
    let mut cart = Cart::default();
    carry_out(&mut cart, add("a", 2)).unwrap();
    carry_out(&mut cart, freeze("first")).unwrap();
    let frozen = cart.clone();

    for change in [freeze("second"), add("a", 1), set("a", 0), remove("a")] {
        let order_id = "first".to_owned();
        let refusal = carry_out(&mut cart, change).unwrap_err();
        assert_eq!(refusal, Refusal::FrozenBy { order_id });
    }
    for change in [thaw("second"), complete("second"), freeze("first")] {
        carry_out(&mut cart, change).unwrap();
    }
    assert_eq!(cart, frozen);

    carry_out(&mut cart, complete("first")).unwrap();
    assert_eq!((cart.lines.len(), cart.frozen_by.clone()), (0, None));
    let emptied = cart.clone();
    for change in [complete("first"), thaw("first")] {
        carry_out(&mut cart, change).unwrap();
    }
    assert_eq!(cart, emptied);
}

fn carry_out(cart: &mut Cart, change: Change) -> Result<(), Refusal> {
    let command = Command {
        if_version: None,
        change,
    };
    let events = cart.decide(&command, Timestamp::from_millis(0))?;
    events.iter().for_each(|event| cart.apply(event));
    Ok(())
}

#[derive(Clone, Debug)]
enum Step {
    /// A new operation, seen from a tab that is so many versions behind; from none in particular when `None`.
    Send(Change, Option<u64>),
    /// An earlier operation again, under its own id.
    Repeat(usize),
    /// A request that only looks.
    Look,
    /// Memory is lost.
    Evict,
}

fn step() -> impl Strategy<Value = Step> {
    let behind = prop_oneof![4 => Just(None), 3 => Just(Some(0)), 1 => (1..4_u64).prop_map(Some)];
    prop_oneof![
        14 => (change(), behind).prop_map(|(change, behind)| Step::Send(change, behind)),
        3 => (0..64_usize).prop_map(Step::Repeat),
        1 => Just(Step::Look),
        1 => Just(Step::Evict),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (sku(), quantity()).prop_map(|(sku, quantity)| add(sku, quantity)),
        3 => (sku(), quantity()).prop_map(|(sku, quantity)| set(sku, quantity)),
        2 => sku().prop_map(remove),
        2 => order_id().prop_map(freeze),
        2 => order_id().prop_map(thaw),
        1 => order_id().prop_map(complete),
    ]
}

fn sku() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "d"])
}

fn order_id() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["ord_1", "ord_2"])
}

fn quantity() -> impl Strategy<Value = u32> {
    prop_oneof![
        8 => 1..=4_u32,
        2 => Just(0),
        2 => MAX_QUANTITY - 2..=MAX_QUANTITY + 2,
        1 => Just(u32::MAX),
    ]
}

fn add(sku: &str, quantity: u32) -> Change {
    let sku = sku.to_owned();
    Change::Add { sku, quantity }
}

fn set(sku: &str, quantity: u32) -> Change {
    let sku = sku.to_owned();
    Change::Set { sku, quantity }
}

fn remove(sku: &str) -> Change {
    let sku = sku.to_owned();
    Change::Remove { sku }
}

fn freeze(order_id: &str) -> Change {
    let order_id = order_id.to_owned();
    Change::Freeze { order_id }
}

fn thaw(order_id: &str) -> Change {
    let order_id = order_id.to_owned();
    Change::Thaw { order_id }
}

fn complete(order_id: &str) -> Change {
    let order_id = order_id.to_owned();
    Change::Complete { order_id }
}

/// One sequence: the object, its judge, and what was sent so far.
struct Trial {
    object: Object<Cart>,
    model: Model,
    sent: Vec<Request<Command>>,
}

impl Trial {
    fn new() -> Self {
        Self {
            object: Object::new(),
            model: Model::default(),
            sent: vec![],
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Send(change, behind) => {
                let version = self.object.machine().version;
                let request = Request::Do {
                    operation_id: self.sent.len().to_string(),
                    command: Command {
                        if_version: behind.map(|behind| version.saturating_sub(behind)),
                        change: change.clone(),
                    },
                };
                self.ask(&request);
                self.sent.push(request);
            }
            Step::Repeat(back) => {
                let earlier = self.sent.iter().rev().cycle().nth(*back).cloned();
                earlier.iter().for_each(|request| self.ask(request));
            }
            Step::Look => self.ask(&Request::View),
            Step::Evict => self.object.evict(),
        }
    }

    fn ask(&mut self, request: &Request<Command>) {
        let before = self.object.machine().clone();

        let reply = self.object.answer(request, Timestamp::from_millis(0));

        let events = self.object.new_events();
        let after = self.object.machine();
        self.model.check(request, &reply);
        assert_eq!(*after, self.model.view());
        assert_eq!(after.version, before.version + events.len() as u64);
        assert_eq!(*after == before, events.is_empty(), "an unseen change");
        if let Reply::Refused { .. } = reply {
            assert_eq!(*after, before, "a refusal changed the cart");
        }
        assert_well_formed(after);
    }
}

fn assert_well_formed(cart: &Cart) {
    let skus: BTreeSet<_> = cart.lines.iter().map(|line| &line.sku).collect();
    assert_eq!(skus.len(), cart.lines.len(), "a SKU has two lines");
    assert!(cart.lines.len() <= MAX_LINES);
    for line in &cart.lines {
        assert!((1..=MAX_QUANTITY).contains(&line.quantity), "{line:?}");
    }
    assert!(
        cart.frozen_by.is_none() || !cart.lines.is_empty(),
        "an empty cart is ordered"
    );
}

/// What a cart must be, as plainly as it can be said.
#[derive(Default)]
struct Model {
    changes: u64,
    lines: Vec<(String, u32)>,
    order: Option<String>,
    answers: BTreeMap<String, Cart>,
}

impl Model {
    fn check(&mut self, request: &Request<Command>, reply: &Reply<Cart, Refusal>) {
        let Request::Do {
            operation_id,
            command,
        } = request
        else {
            return assert_eq!(*reply, done(self.view(), false));
        };
        if let Some(view) = self.answers.get(operation_id) {
            return assert_eq!(*reply, done(view.clone(), true));
        }
        let objections = self.objections(command);
        if let Reply::Refused { refusal } = reply {
            return assert!(objections.contains(refusal), "{refusal:?}: {objections:?}");
        }
        assert_eq!(objections, vec![], "{command:?} had to be refused");
        self.follow(&command.change);
        self.answers.insert(operation_id.clone(), self.view());
        assert_eq!(*reply, done(self.view(), false));
    }

    /// Every reason to refuse `command`.
    fn objections(&self, command: &Command) -> Vec<Refusal> {
        let mut objections = vec![];
        if command.if_version.is_some_and(|seen| seen != self.changes) {
            objections.push(Refusal::Stale {
                version: self.changes,
            });
        }
        if let Some(order_id) = &self.order
            && self.must_move(&command.change)
        {
            let order_id = order_id.clone();
            objections.push(Refusal::FrozenBy { order_id });
        }
        let asked = match &command.change {
            Change::Add { quantity: 0, .. } => Some(0),
            Change::Add { sku, quantity } => {
                Some(u64::from(self.quantity(sku)) + u64::from(*quantity))
            }
            Change::Set { quantity, .. } if *quantity > 0 => Some(u64::from(*quantity)),
            _ => None,
        };
        if asked.is_some_and(|asked| asked == 0 || asked > u64::from(MAX_QUANTITY)) {
            objections.push(Refusal::QuantityOutOfRange { max: MAX_QUANTITY });
        }
        if matches!(command.change, Change::Freeze { .. }) && self.lines.is_empty() {
            objections.push(Refusal::Empty);
        }
        objections
    }

    /// Whether `change` needs a cart that is not frozen by another order.
    fn must_move(&self, change: &Change) -> bool {
        match change {
            Change::Add { .. } | Change::Set { .. } | Change::Remove { .. } => true,
            Change::Freeze { order_id } => self.order.as_ref() != Some(order_id),
            Change::Thaw { .. } | Change::Complete { .. } => false,
        }
    }

    /// Does `change`, to which there is no objection; counts it when it made a difference.
    fn follow(&mut self, change: &Change) {
        let before = (self.lines.clone(), self.order.clone());
        match change {
            Change::Add { sku, quantity } => self.put(sku, self.quantity(sku) + quantity),
            Change::Set { sku, quantity } => self.put(sku, *quantity),
            Change::Remove { sku } => self.put(sku, 0),
            Change::Freeze { order_id } => self.order = Some(order_id.clone()),
            Change::Thaw { order_id } | Change::Complete { order_id }
                if self.order.as_ref() != Some(order_id) => {}
            Change::Thaw { .. } => self.order = None,
            Change::Complete { .. } => {
                self.order = None;
                self.lines = vec![];
            }
        }
        self.changes += u64::from(before != (self.lines.clone(), self.order.clone()));
    }

    fn put(&mut self, sku: &str, quantity: u32) {
        match self.lines.iter_mut().find(|(known, _)| known == sku) {
            Some(line) => line.1 = quantity,
            None => self.lines.push((sku.to_owned(), quantity)),
        }
        self.lines.retain(|(_, quantity)| *quantity > 0);
    }

    fn quantity(&self, sku: &str) -> u32 {
        let line = self.lines.iter().find(|(known, _)| known == sku);
        line.map_or(0, |(_, quantity)| *quantity)
    }

    fn view(&self) -> Cart {
        let lines = self.lines.iter().cloned();
        Cart {
            version: self.changes,
            lines: lines
                .map(|(sku, quantity)| Line { sku, quantity })
                .collect(),
            frozen_by: self.order.clone(),
        }
    }
}

fn done(view: Cart, replayed: bool) -> Reply<Cart, Refusal> {
    Reply::Done { view, replayed }
}
