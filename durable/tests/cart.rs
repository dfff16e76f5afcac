//! A cart under random sequences of changes, merges, repeats, stale versions, idle times and
//! evictions, checked against a naive model that lists every reason to refuse. `PROPTEST_CASES`
//! sets the number of sequences.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test that overflows or unwraps nothing has failed, and says where"
)]

mod object;

use durable::Timestamp;
use durable::cart::{
    Cart, Change, CheckoutName, Command, Line, MAX_LINES, MAX_NOTE_BYTES, MAX_QUANTITY, Periods,
    Refusal,
};
use durable::machine::{Machine, Reply, Request};
use durable::news::ObjectEvent;
use object::Object;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::env;

const SEQUENCES: u32 = 1_500;

const ABANDONED_SECS: u32 = 60;
const KEPT_SECS: u32 = 600;

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

/// The expected behaviour of a cart, written as plainly as possible.
#[derive(Default)]
struct Model {
    changes: u64,
    lines: Vec<(String, u32)>,
    note: String,
    order: Option<String>,
    /// The checkout that froze it: key and request.
    checkout: Option<(String, String)>,
    joined: bool,
    /// Instant since which it has been left unchanged; `None` means never touched, or deleted.
    alone_since: Option<Timestamp>,
    reported: bool,
    /// Instant at which it last asked about its order.
    asked_at: Option<Timestamp>,
    told: Vec<ObjectEvent>,
    answers: BTreeMap<String, String>,
}

impl Model {
    /// Lets time pass over a cart that is left unchanged. While an order has frozen it, all it does
    /// is ask about the order.
    fn idle(&mut self, now: Timestamp) {
        let Some(since) = self.alone_since else {
            return;
        };
        if let Some(order_id) = self.order.clone() {
            if self.asked_at.unwrap_or(since).plus_secs(ABANDONED_SECS) <= now {
                self.asked_at = Some(now);
                let cart_id = object::NAME.to_owned();
                self.told
                    .push(ObjectEvent::CartFrozen { cart_id, order_id });
            }
            return;
        }
        if !self.lines.is_empty() && !self.reported && since.plus_secs(ABANDONED_SECS) <= now {
            self.reported = true;
            self.told.push(ObjectEvent::CartAbandoned {
                cart_id: object::NAME.to_owned(),
                version: self.changes,
                lines: self.lines(),
                idle_since: since,
            });
        }
        if since.plus_secs(KEPT_SECS) <= now {
            self.lines = vec![];
            self.note.clear();
            self.alone_since = None;
            self.reported = false;
            self.changes += 1;
            self.told.push(ObjectEvent::CartDeleted {
                cart_id: object::NAME.to_owned(),
                version: self.changes,
            });
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let since = self.alone_since?;
        if self.order.is_some() {
            return Some(self.asked_at.unwrap_or(since).plus_secs(ABANDONED_SECS));
        }
        let reports = !self.lines.is_empty() && !self.reported;
        Some(since.plus_secs(if reports { ABANDONED_SECS } else { KEPT_SECS }))
    }

    fn is_over(&self) -> bool {
        self.changes > 0 && self.alone_since.is_none()
    }

    fn check(&mut self, request: &Request<Command>, now: Timestamp, reply: &Reply<Cart, Refusal>) {
        let Request::Do {
            operation_id,
            command,
        } = request
        else {
            return self.assert_done(reply, false);
        };
        if let Some(first) = self.answers.get(operation_id) {
            // A repeated checkout continues with what it froze; any other repeat gets the current
            // state.
            if matches!(command.change, Change::Freeze { .. }) {
                return assert_eq!(as_sent(reply), first.replace(":false}", ":true}"));
            }
            return self.assert_done(reply, true);
        }
        let objections = self.objections(command);
        if let Reply::Refused { refusal } = reply {
            return assert!(objections.contains(refusal), "{refusal:?}: {objections:?}");
        }
        assert_eq!(objections, vec![], "{command:?} had to be refused");
        self.follow(&command.change, now);
        self.assert_done(reply, false);
        self.answers.insert(operation_id.clone(), as_sent(reply));
    }

    fn assert_done(&self, reply: &Reply<Cart, Refusal>, is_repeat: bool) {
        let Reply::Done { view, replayed } = reply else {
            return assert_eq!(format!("{reply:?}"), "done");
        };
        assert_eq!(*replayed, is_repeat);
        self.assert_like(view);
    }

    fn assert_like(&self, cart: &Cart) {
        assert_eq!(cart.version, self.changes);
        assert_eq!(cart.lines, self.lines());
        assert_eq!(cart.note, self.note);
        assert_eq!(cart.frozen_by, self.order);
        let checkout = cart.frozen_for.clone().map(|it| (it.key, it.request));
        assert_eq!(checkout, self.checkout);
        assert_eq!(cart.joined, self.joined);
        assert_eq!(cart.changed_at, self.alone_since);
        assert_eq!(cart.abandoned, self.reported);
        assert_eq!(cart.asked_at, self.asked_at);
    }

    /// Returns every reason to refuse `command`.
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
        if self.is_of_its_key(&command.change) && !self.joins(&command.change) {
            objections.push(Refusal::KeyReused);
        }
        if let Change::Thaw {
            order_id,
            alone: true,
        } = &command.change
            && self.joined
            && self.order.as_ref() == Some(order_id)
        {
            objections.push(Refusal::Joined);
        }
        let asked = match &command.change {
            Change::Add { quantity, .. } => Some(*quantity),
            Change::Set { quantity, .. } if *quantity > 0 => Some(*quantity),
            _ => None,
        };
        if asked.is_some_and(|asked| asked == 0 || asked > MAX_QUANTITY) {
            objections.push(Refusal::QuantityOutOfRange { max: MAX_QUANTITY });
        }
        if let Change::Note { note } = &command.change
            && note.len() > MAX_NOTE_BYTES
        {
            let max = MAX_NOTE_BYTES;
            objections.push(Refusal::NoteTooLong { max });
        }
        if matches!(command.change, Change::Freeze { .. }) && self.lines.is_empty() {
            objections.push(Refusal::Empty);
        }
        objections
    }

    /// Returns true when `change` needs a cart that isn't frozen by another order.
    fn must_move(&self, change: &Change) -> bool {
        match change {
            Change::Add { .. }
            | Change::Set { .. }
            | Change::Remove { .. }
            | Change::Clear
            | Change::Note { .. }
            | Change::Merge { .. } => true,
            Change::Freeze { order_id, .. } => {
                self.order.as_ref() != Some(order_id) && !self.is_of_its_key(change)
            }
            Change::Thaw { .. } | Change::Complete { .. } => false,
        }
    }

    /// Returns true when `change` freezes for another order under the key that froze the cart.
    fn is_of_its_key(&self, change: &Change) -> bool {
        let Change::Freeze {
            order_id,
            checkout: Some(checkout),
        } = change
        else {
            return false;
        };
        let is_key = |(key, _): &(String, String)| *key == checkout.key;
        self.order.as_ref() != Some(order_id) && self.checkout.as_ref().is_some_and(is_key)
    }

    fn joins(&self, change: &Change) -> bool {
        let Change::Freeze {
            checkout: Some(checkout),
            ..
        } = change
        else {
            return false;
        };
        let whole = (checkout.key.clone(), checkout.request.clone());
        self.is_of_its_key(change) && self.checkout == Some(whole)
    }

    /// Carries out `change`, to which there is no objection. Each line and the note count as one
    /// change.
    fn follow(&mut self, change: &Change, now: Timestamp) {
        let before = self.changes;
        match change {
            Change::Add { sku, quantity, .. } => {
                self.put(sku, (self.quantity(sku) + quantity).min(MAX_QUANTITY));
            }
            Change::Set { sku, quantity, .. } => self.put(sku, *quantity),
            Change::Remove { sku } => self.put(sku, 0),
            Change::Clear => self.empty(),
            Change::Note { note } => self.write(note),
            Change::Merge { lines, note } => {
                for line in lines {
                    let larger = self
                        .quantity(&line.sku)
                        .max(line.quantity.clamp(1, MAX_QUANTITY));
                    self.put(&line.sku, larger);
                }
                if self.note.is_empty() && note.len() <= MAX_NOTE_BYTES {
                    self.write(note);
                }
            }
            Change::Freeze { .. } if self.joins(change) => self.joined = true,
            Change::Freeze { order_id, .. } if self.order.as_ref() == Some(order_id) => {}
            Change::Freeze { order_id, checkout } => {
                self.order = Some(order_id.clone());
                let checkout = checkout.clone();
                self.checkout = checkout.map(|it| (it.key, it.request));
                self.changes += 1;
            }
            Change::Thaw { order_id, .. } | Change::Complete { order_id }
                if self.order.as_ref() != Some(order_id) => {}
            Change::Thaw { .. } => {
                self.let_go();
                self.changes += 1;
            }
            Change::Complete { .. } => {
                self.let_go();
                self.lines = vec![];
                self.note.clear();
                self.changes += 1;
            }
        }
        if self.changes > before {
            self.alone_since = Some(now);
            self.asked_at = None;
            self.reported = false;
        }
    }

    fn let_go(&mut self) {
        self.order = None;
        self.checkout = None;
        self.joined = false;
    }

    fn write(&mut self, note: &str) {
        self.changes += u64::from(self.note != note);
        self.note = note.to_owned();
    }

    fn empty(&mut self) {
        self.changes += u64::from(!self.lines.is_empty() || !self.note.is_empty());
        self.lines = vec![];
        self.note.clear();
    }

    fn put(&mut self, sku: &str, quantity: u32) {
        self.changes += u64::from(self.quantity(sku) != quantity);
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

    fn lines(&self) -> Vec<Line> {
        let lines = self.lines.iter().cloned();
        lines
            .map(|(sku, quantity)| Line { sku, quantity })
            .collect()
    }
}

fn as_sent(reply: &Reply<Cart, Refusal>) -> String {
    serde_json::to_string(reply).unwrap()
}
