//! A cart under random sequences of changes, merges, repeats, stale versions, idle times and
//! evictions, checked against a naive model that lists every reason to refuse. `PROPTEST_CASES`
//! sets the number of sequences.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test that overflows or unwraps nothing has failed, and says where"
)]

#[path = "../object/mod.rs"]
mod object;

mod model;

use durable::Timestamp;
use durable::cart::{
    Cart, Change, CheckoutName, Command, Line, MAX_LINES, MAX_NOTE_BYTES, MAX_QUANTITY, Periods,
    Refusal,
};
use durable::machine::{Machine, Reply, Request};
use durable::news::ObjectEvent;
use model::{Model, assert_well_formed};
use object::{Object, sequences};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const SEQUENCES: u32 = 1_500;

const ABANDONED_SECS: u32 = 60;
const KEPT_SECS: u32 = 600;

proptest! {
    #![proptest_config(sequences(SEQUENCES))]

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

#[test]
fn who_joins_a_checkout_works_on_its_order_and_is_not_let_down() {
    let mut cart = Cart::default();
    carry_out(&mut cart, add("a", 2)).unwrap();
    carry_out(&mut cart, freeze_for("first", "key", "body")).unwrap();
    let alone = cart.clone();
    carry_out(&mut cart, thaw_alone("first")).unwrap();
    assert_eq!(cart.frozen_by, None);

    let mut cart = alone;
    let refusal = carry_out(&mut cart, freeze_for("second", "key", "other")).unwrap_err();
    assert_eq!(refusal, Refusal::KeyReused);
    carry_out(&mut cart, freeze_for("second", "key", "body")).unwrap();
    assert_eq!(cart.frozen_by.as_deref(), Some("first"));
    assert_eq!(
        carry_out(&mut cart, thaw_alone("first")),
        Err(Refusal::Joined)
    );
    carry_out(&mut cart, thaw_alone("second")).unwrap();
    assert_eq!(cart.frozen_by.as_deref(), Some("first"));

    carry_out(&mut cart, thaw("first")).unwrap();
    carry_out(&mut cart, freeze_for("third", "key", "other")).unwrap();
    carry_out(&mut cart, thaw_alone("third")).unwrap();
    assert_eq!(cart.frozen_by, None);
}

#[test]
fn a_merge_takes_the_larger_quantity_and_again_changes_nothing() {
    let mut cart = Cart::default();
    for change in [add("a", 3), add("b", 1)] {
        carry_out(&mut cart, change).unwrap();
    }
    let other = merge(&[("b", 4), ("a", 2), ("c", 1)], "ring twice");

    carry_out(&mut cart, other.clone()).unwrap();
    let merged = cart.clone();
    assert_eq!(merged.lines, lines(&[("a", 3), ("b", 4), ("c", 1)]));
    assert_eq!(merged.note, "ring twice");

    carry_out(&mut cart, other).unwrap();
    assert_eq!(cart, merged);
}

#[test]
fn a_merge_fills_a_cart_and_no_more() {
    let mut cart = Cart::default();
    carry_out(&mut cart, add("mine", 1)).unwrap();
    let skus: Vec<String> = (0..MAX_LINES).map(|number| number.to_string()).collect();
    let many: Vec<(&str, u32)> = skus.iter().map(|sku| (sku.as_str(), u32::MAX)).collect();

    carry_out(&mut cart, merge(&many, "")).unwrap();

    assert_eq!(cart.lines.len(), MAX_LINES);
    assert_eq!(cart.lines[0], lines(&[("mine", 1)])[0]);
    assert!(
        cart.lines[1..]
            .iter()
            .all(|line| line.quantity == MAX_QUANTITY)
    );
}

#[test]
fn a_purchase_limit_clamps_and_is_no_part_of_the_intent() {
    let limited = |quantity, at_most| Change::Add {
        sku: "a".to_owned(),
        quantity,
        at_most,
    };
    let mut cart = Cart::default();
    carry_out(&mut cart, limited(5, 3)).unwrap();
    assert_eq!(cart.lines, lines(&[("a", 3)]));
    carry_out(&mut cart, limited(1, 2)).unwrap();
    assert_eq!(cart.lines, lines(&[("a", 2)]), "the limit was lowered");

    let digest = |change| {
        let if_version = None;
        Cart::digest(&Command { if_version, change }).unwrap()
    };
    assert_eq!(digest(limited(5, 3)), digest(limited(5, 99)));
    assert_ne!(digest(limited(5, 3)), digest(limited(4, 3)));
}

fn lines(lines: &[(&str, u32)]) -> Vec<Line> {
    let line = |(sku, quantity): &(&str, u32)| Line {
        sku: (*sku).to_owned(),
        quantity: *quantity,
    };
    lines.iter().map(line).collect()
}

fn carry_out(cart: &mut Cart, change: Change) -> Result<(), Refusal> {
    let command = Command {
        if_version: None,
        change,
    };
    let events = cart.decide(&command, Timestamp::from_millis(0))?;
    for event in &events {
        cart.apply(event, Timestamp::from_millis(0));
    }
    Ok(())
}

#[derive(Clone, Debug)]
enum Step {
    /// A new operation, from a tab that is this many versions behind; `None` means it names no
    /// version.
    Send(Change, Option<u64>),
    /// An earlier operation again, under its own ID.
    Repeat(usize),
    /// The clock advances.
    Wait(u32),
    /// A request for the view alone.
    Look,
    /// The alarm fires.
    Ring,
    /// The object loses its memory, as an eviction would.
    Evict,
}

fn step() -> impl Strategy<Value = Step> {
    let behind = prop_oneof![4 => Just(None), 3 => Just(Some(0)), 1 => (1..4_u64).prop_map(Some)];
    prop_oneof![
        14 => (change(), behind).prop_map(|(change, behind)| Step::Send(change, behind)),
        3 => (0..64_usize).prop_map(Step::Repeat),
        3 => prop_oneof![0..ABANDONED_SECS, Just(ABANDONED_SECS), Just(KEPT_SECS)].prop_map(Step::Wait),
        3 => Just(Step::Look),
        1 => Just(Step::Ring),
        1 => Just(Step::Evict),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (sku(), quantity()).prop_map(|(sku, quantity)| add(sku, quantity)),
        3 => (sku(), quantity()).prop_map(|(sku, quantity)| set(sku, quantity)),
        2 => sku().prop_map(remove),
        1 => Just(Change::Clear),
        1 => note().prop_map(|note| Change::Note { note }),
        2 => (prop::collection::vec((sku(), quantity()), 0..4), note())
            .prop_map(|(lines, note)| merge(&lines, &note)),
        1 => order_id().prop_map(freeze),
        2 => (order_id(), key(), key()).prop_map(|(order_id, key, request)| freeze_for(order_id, key, request)),
        1 => order_id().prop_map(thaw),
        1 => order_id().prop_map(thaw_alone),
        1 => order_id().prop_map(complete),
    ]
}

fn sku() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "d"])
}

fn note() -> impl Strategy<Value = String> {
    let lengths = [0, 1, 2, MAX_NOTE_BYTES, MAX_NOTE_BYTES + 1];
    prop::sample::select(lengths.to_vec()).prop_map(|length| "n".repeat(length))
}

fn order_id() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["ord_1", "ord_2"])
}

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["one", "other"])
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
    Change::Add {
        sku: sku.to_owned(),
        quantity,
        at_most: MAX_QUANTITY,
    }
}

fn set(sku: &str, quantity: u32) -> Change {
    Change::Set {
        sku: sku.to_owned(),
        quantity,
        at_most: MAX_QUANTITY,
    }
}

fn merge(other: &[(&str, u32)], note: &str) -> Change {
    Change::Merge {
        lines: lines(other),
        note: note.to_owned(),
    }
}

fn remove(sku: &str) -> Change {
    let sku = sku.to_owned();
    Change::Remove { sku }
}

fn freeze(order_id: &str) -> Change {
    Change::Freeze {
        order_id: order_id.to_owned(),
        checkout: None,
    }
}

fn freeze_for(order_id: &str, key: &str, request: &str) -> Change {
    Change::Freeze {
        order_id: order_id.to_owned(),
        checkout: Some(CheckoutName {
            key: key.to_owned(),
            request: request.to_owned(),
        }),
    }
}

fn thaw(order_id: &str) -> Change {
    Change::Thaw {
        order_id: order_id.to_owned(),
        alone: false,
    }
}

fn thaw_alone(order_id: &str) -> Change {
    Change::Thaw {
        order_id: order_id.to_owned(),
        alone: true,
    }
}

fn complete(order_id: &str) -> Change {
    let order_id = order_id.to_owned();
    Change::Complete { order_id }
}

/// One sequence: the object, the model, and the commands sent so far.
struct Trial {
    object: Object<Cart>,
    model: Model,
    sent: Vec<Request<Command>>,
    now: Timestamp,
}

impl Trial {
    fn new() -> Self {
        let periods = Periods {
            abandoned_secs: ABANDONED_SECS,
            kept_secs: KEPT_SECS,
        };
        Self {
            object: Object::new(Cart::new(periods)),
            model: Model::default(),
            sent: vec![],
            now: Timestamp::from_millis(0),
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
            Step::Wait(secs) => self.now = self.now.plus_secs(*secs),
            Step::Look => self.ask(&Request::View),
            Step::Ring => {
                self.ask(&Request::View);
                self.object.ring(self.now);
            }
            Step::Evict => self.object.evict(),
        }
    }

    fn ask(&mut self, request: &Request<Command>) {
        let mut before = self.object.machine().clone();
        for event in before.due(self.now) {
            before.apply(&event, self.now);
        }

        let reply = self.object.answer(request, self.now);

        self.model.idle(self.now);
        self.model.check(request, self.now, &reply);
        self.object.new_events();
        let after = self.object.machine();
        if let Reply::Refused { .. } = reply {
            assert_eq!(*after, before, "a refusal changed the cart");
        }
        self.compare();
    }

    fn compare(&mut self) {
        assert_eq!(self.object.news(), std::mem::take(&mut self.model.told));
        let cart = self.object.machine();
        self.model.assert_like(cart);
        assert_eq!(cart.wake_at(), self.model.wake_at());
        assert_eq!(cart.is_over(), self.model.is_over());
        assert_well_formed(cart);
    }
}
