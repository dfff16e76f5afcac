//! Stock under any sequence of commands, repeats, late messages, time jumps and evictions, judged twice: by a naive model
//! that keeps a plain list of holds and sums by scanning, and by an audit that hears of the journal only.
//! `PROPTEST_CASES` sets how many sequences are tried.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test that overflows or unwraps nothing has failed, and says where"
)]

mod object;
mod sqlite;

use durable::Timestamp;
use durable::machine::{Machine, Reply, Request};
use durable::stock::{Command, Event, MAX_QUANTITY, Refusal, ReleaseReason, Stock, TOMBSTONE_SECS};
use durable::stock::{Reply as StockReply, View};
use object::Object;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::env;

const SEQUENCES: u32 = 1_500;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: env::var("PROPTEST_CASES").map_or(SEQUENCES, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn stock_does_what_the_model_does(steps in prop::collection::vec(step(), 1..60)) {
        let mut trial = Trial::new();
        for step in &steps {
            trial.take(step);
        }
    }

    #[test]
    fn a_pinned_hold_outlives_any_time_jump(jump in 0..=i64::MAX) {
        let mut stock = Stock::default();
        for command in [receive(1), hold("a", 1, 1), pin("a")] {
            carry_out(&mut stock, &command, 0).unwrap();
        }

        let later = Timestamp::from_millis(jump);

        prop_assert_eq!(stock.wake_at(), None);
        prop_assert_eq!(stock.due(later), vec![]);
        prop_assert!(stock.decide(&hold("b", 1, 1), later).is_err());
        prop_assert!(stock.decide(&commit("a"), later).is_ok());
    }

    #[test]
    fn a_late_hold_stays_released_while_its_tombstone_stands(
        held_first in any::<bool>(),
        late_millis in 0..i64::from(TOMBSTONE_SECS) * 1000,
    ) {
        let mut stock = Stock::default();
        carry_out(&mut stock, &receive(1), 0).unwrap();
        if held_first {
            carry_out(&mut stock, &hold("a", 1, 60), 0).unwrap();
        }
        carry_out(&mut stock, &release("a"), 0).unwrap();

        prop_assert_eq!(carry_out(&mut stock, &hold("a", 1, 60), late_millis), Err(Refusal::HoldEnded));
        prop_assert_eq!(stock.view().available, 1);
    }
}

#[test]
fn a_burst_of_lapsed_holds_drains_completely() {
    for holds in [499, 500, 501, 1_201] {
        let mut stock = Stock::default();
        carry_out(&mut stock, &receive(holds), 0).unwrap();
        for number in 0..holds {
            carry_out(&mut stock, &hold(&number.to_string(), 1, 60), 0).unwrap();
        }

        let lapsed = rings_until_quiet(&mut stock, 60_000);
        assert_eq!(stock.view().available, i64::from(holds));
        assert_eq!(stock.view().held, 0);

        let forgotten = rings_until_quiet(&mut stock, 60_000 + i64::from(TOMBSTONE_SECS) * 1000);
        assert_eq!(stock.wake_at(), None);
        assert_eq!(lapsed, forgotten);
        assert!(lapsed <= holds.div_ceil(500), "a ring ends too few holds");
    }
}

/// How often the alarm rings at `now` until nothing is due.
fn rings_until_quiet(stock: &mut Stock, now: i64) -> u32 {
    let now = Timestamp::from_millis(now);
    let mut rings = 0;
    while stock.wake_at().is_some_and(|at| at <= now) {
        let due = stock.due(now);
        assert!(!due.is_empty(), "woken for nothing");
        assert!(due.len() <= 500, "one ring does too much");
        due.iter().for_each(|event| stock.apply(event));
        rings += 1;
    }
    assert_eq!(stock.due(now), vec![]);
    rings
}

fn carry_out(stock: &mut Stock, command: &Command, now: i64) -> Result<(), Refusal> {
    let events = stock.decide(command, Timestamp::from_millis(now))?;
    events.iter().for_each(|event| stock.apply(event));
    Ok(())
}

#[derive(Clone, Debug)]
enum Step {
    /// A new operation.
    Send(Command),
    /// An earlier operation again, under its own id.
    Repeat(usize),
    /// The clock moves; a little back, too.
    Wait(i64),
    /// A request that only looks.
    Look,
    /// Memory is lost.
    Evict,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        14 => command().prop_map(Step::Send),
        3 => (0..64_usize).prop_map(Step::Repeat),
        3 => wait().prop_map(Step::Wait),
        1 => Just(Step::Look),
        1 => Just(Step::Evict),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        2 => quantity().prop_map(receive),
        5 => (hold_id(), quantity(), ttl_secs()).prop_map(|(id, quantity, ttl)| hold(id, quantity, ttl)),
        3 => hold_id().prop_map(pin),
        3 => hold_id().prop_map(release),
        2 => hold_id().prop_map(commit),
    ]
}

fn hold_id() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "d", "e"])
}

fn quantity() -> impl Strategy<Value = u32> {
    prop_oneof![
        30 => 1..=4_u32,
        1 => Just(0),
        1 => Just(MAX_QUANTITY),
        1 => MAX_QUANTITY + 1..=u32::MAX,
    ]
}

fn ttl_secs() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 1..=900_u32, 1 => Just(0), 1 => Just(u32::MAX)]
}

fn wait() -> impl Strategy<Value = i64> {
    let tombstone = i64::from(TOMBSTONE_SECS) * 1000;
    prop_oneof![
        8 => 0..=900_000_i64,
        3 => tombstone - 900_000..=tombstone + 900_000,
        1 => -10_000..0_i64,
        1 => 0..=i64::MAX / 4,
    ]
}

fn receive(quantity: u32) -> Command {
    Command::Receive { quantity }
}

fn hold(hold_id: &str, quantity: u32, ttl_secs: u32) -> Command {
    Command::Hold {
        hold_id: hold_id.to_owned(),
        quantity,
        ttl_secs,
    }
}

fn pin(hold_id: &str) -> Command {
    let hold_id = hold_id.to_owned();
    Command::Pin { hold_id }
}

fn release(hold_id: &str) -> Command {
    let hold_id = hold_id.to_owned();
    Command::Release { hold_id }
}

fn commit(hold_id: &str) -> Command {
    let hold_id = hold_id.to_owned();
    Command::Commit { hold_id }
}

/// One sequence: the object, its two judges, and what was sent so far.
struct Trial {
    object: Object<Stock>,
    model: Model,
    audit: Audit,
    sent: Vec<Request<Command>>,
    now: Timestamp,
}

impl Trial {
    fn new() -> Self {
        Self {
            object: Object::new(),
            model: Model::default(),
            audit: Audit::default(),
            sent: vec![],
            now: Timestamp::from_millis(1_800_000_000_000),
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Send(command) => {
                let request = Request::Do {
                    operation_id: self.sent.len().to_string(),
                    command: command.clone(),
                };
                self.ask(&request);
                self.sent.push(request);
            }
            Step::Repeat(back) => {
                let earlier = self.sent.iter().rev().cycle().nth(*back).cloned();
                earlier.iter().for_each(|request| self.ask(request));
            }
            Step::Wait(millis) => self.now = after(self.now, *millis),
            Step::Look => self.ask(&Request::View),
            Step::Evict => self.object.evict(),
        }
    }

    fn ask(&mut self, request: &Request<Command>) {
        let mut untouched = self.object.machine().clone();
        for event in untouched.due(self.now) {
            untouched.apply(&event);
        }

        let reply = self.object.answer(request, self.now);

        self.model.check(request, self.now, &reply);
        self.audit.read(self.object.new_events());
        if let Reply::Refused { .. } = reply {
            assert_eq!(*self.object.machine(), untouched, "a refusal changed stock");
        }
        let stock = self.object.machine();
        assert_eq!(stock.view(), self.model.view());
        assert_eq!(stock.wake_at(), self.model.wake_at());
        self.audit.agree_with(stock.view());
    }
}

/// What stock must be, as plainly as it can be said.
#[derive(Default)]
struct Model {
    on_hand: i64,
    holds: Vec<ModelHold>,
    changes: u64,
    answers: BTreeMap<String, View>,
}

struct ModelHold {
    id: String,
    quantity: i64,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Reserved(Timestamp),
    Pinned,
    Committed,
    Released(Timestamp),
}

impl Model {
    fn check(&mut self, request: &Request<Command>, now: Timestamp, reply: &StockReply) {
        self.lapse(now);
        let Request::Do {
            operation_id,
            command,
        } = request
        else {
            return assert_eq!(*reply, done(self.view(), false));
        };
        if let Some(view) = self.answers.get(operation_id) {
            return assert_eq!(*reply, done(*view, true));
        }
        let objections = self.objections(command);
        if let Reply::Refused { refusal } = reply {
            return assert!(objections.contains(refusal), "{refusal:?}: {objections:?}");
        }
        assert_eq!(objections, vec![], "{command:?} had to be refused");
        self.follow(command, now);
        self.answers.insert(operation_id.clone(), self.view());
        assert_eq!(*reply, done(self.view(), false));
    }

    fn lapse(&mut self, now: Timestamp) {
        for mut hold in std::mem::take(&mut self.holds) {
            match hold.fate {
                Fate::Released(until) if until <= now => {
                    self.changes += 1;
                    continue;
                }
                Fate::Reserved(until) if until <= now => {
                    self.changes += 1;
                    hold.fate = Fate::Released(after_secs(now, TOMBSTONE_SECS));
                }
                _ => {}
            }
            self.holds.push(hold);
        }
    }

    /// Every reason to refuse `command`.
    fn objections(&self, command: &Command) -> Vec<Refusal> {
        let mut objections = vec![];
        if let Command::Receive { quantity } | Command::Hold { quantity, .. } = command
            && !(1..=MAX_QUANTITY).contains(quantity)
        {
            objections.push(Refusal::QuantityOutOfRange { max: MAX_QUANTITY });
        }
        match command {
            Command::Receive { .. } => {}
            Command::Hold {
                hold_id, quantity, ..
            } => match self.hold(hold_id) {
                Some((_, Fate::Released(_))) => objections.push(Refusal::HoldEnded),
                Some((held, _)) if held != i64::from(*quantity) => {
                    objections.push(Refusal::HoldMismatch);
                }
                Some(_) => {}
                None if self.available() >= i64::from(*quantity) => {}
                None => objections.push(Refusal::Short {
                    wanted: *quantity,
                    available: self.available(),
                    contended: self.reserved() > 0,
                }),
            },
            Command::Pin { hold_id } | Command::Commit { hold_id } => match self.hold(hold_id) {
                None | Some((_, Fate::Released(_))) => objections.push(Refusal::HoldEnded),
                Some(_) => {}
            },
            Command::Release { hold_id } => {
                if let Some((_, Fate::Committed)) = self.hold(hold_id) {
                    objections.push(Refusal::AlreadyCommitted);
                }
            }
        }
        objections
    }

    /// Does `command`, to which there is no objection.
    fn follow(&mut self, command: &Command, now: Timestamp) {
        let (id, fate) = match command {
            Command::Receive { quantity } => {
                self.on_hand += i64::from(*quantity);
                self.changes += 1;
                return;
            }
            Command::Hold {
                hold_id, ttl_secs, ..
            } => (hold_id, Fate::Reserved(after_secs(now, *ttl_secs))),
            Command::Pin { hold_id } => (hold_id, Fate::Pinned),
            Command::Commit { hold_id } => (hold_id, Fate::Committed),
            Command::Release { hold_id } => {
                (hold_id, Fate::Released(after_secs(now, TOMBSTONE_SECS)))
            }
        };
        let Some(hold) = self.holds.iter_mut().find(|hold| hold.id == *id) else {
            self.holds.push(ModelHold {
                id: id.clone(),
                quantity: quantity_of(command),
                fate,
            });
            self.changes += 1;
            return;
        };
        if rank(fate) > rank(hold.fate) {
            hold.fate = fate;
            self.changes += 1;
        }
    }

    fn hold(&self, id: &str) -> Option<(i64, Fate)> {
        let hold = self.holds.iter().find(|hold| hold.id == id)?;
        Some((hold.quantity, hold.fate))
    }

    fn sum(&self, counts: impl Fn(Fate) -> bool) -> i64 {
        let counted = self.holds.iter().filter(|hold| counts(hold.fate));
        counted.map(|hold| hold.quantity).sum()
    }

    fn reserved(&self) -> i64 {
        self.sum(|fate| matches!(fate, Fate::Reserved(_)))
    }

    fn available(&self) -> i64 {
        self.on_hand - self.sum(|fate| !matches!(fate, Fate::Released(_)))
    }

    fn view(&self) -> View {
        View {
            on_hand: self.on_hand,
            held: self.sum(|fate| matches!(fate, Fate::Reserved(_) | Fate::Pinned)),
            reserved: self.reserved(),
            committed: self.sum(|fate| fate == Fate::Committed),
            available: self.available(),
            version: self.changes,
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let ends = self.holds.iter().filter_map(|hold| match hold.fate {
            Fate::Reserved(at) | Fate::Released(at) => Some(at),
            Fate::Pinned | Fate::Committed => None,
        });
        ends.min()
    }
}

/// A hold only ever moves up: a second hold, pin, commit or release finds nothing left to do.
fn rank(fate: Fate) -> u8 {
    match fate {
        Fate::Reserved(_) => 0,
        Fate::Pinned => 1,
        Fate::Committed | Fate::Released(_) => 2,
    }
}

fn quantity_of(command: &Command) -> i64 {
    match command {
        Command::Hold { quantity, .. } => i64::from(*quantity),
        _ => 0,
    }
}

fn done(view: View, replayed: bool) -> StockReply {
    Reply::Done { view, replayed }
}

fn after(at: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(millis))
}

fn after_secs(at: Timestamp, secs: u32) -> Timestamp {
    after(at, i64::from(secs) * 1000)
}

/// Follows every unit through the journal. Knows no rule but these: a hold is held once, ends once, and when pinned never
/// by its clock; a committed hold is never heard of again; a released one is remembered long enough.
#[derive(Default)]
struct Audit {
    received: i64,
    open: BTreeMap<String, (i64, bool)>,
    committed: BTreeMap<String, i64>,
    released: BTreeMap<String, Timestamp>,
}

impl Audit {
    fn read(&mut self, events: Vec<(Timestamp, Event)>) {
        for (at, event) in events {
            self.hear(at, event);
        }
    }

    fn hear(&mut self, at: Timestamp, event: Event) {
        match event {
            Event::Received { quantity } => self.received += i64::from(quantity),
            Event::Held {
                hold_id, quantity, ..
            } => {
                assert!(self.is_unknown(&hold_id), "{hold_id} held twice");
                self.open.insert(hold_id, (i64::from(quantity), false));
            }
            Event::Pinned { hold_id } => {
                let (_, pinned) = self.open.get_mut(&hold_id).unwrap();
                assert!(!*pinned, "{hold_id} pinned twice");
                *pinned = true;
            }
            Event::Committed { hold_id } => {
                let (quantity, _) = self.open.remove(&hold_id).unwrap();
                self.committed.insert(hold_id, quantity);
            }
            Event::Released {
                hold_id,
                reason: ReleaseReason::NeverHeld,
                ..
            } => {
                assert!(self.is_unknown(&hold_id), "{hold_id} was known");
                self.released.insert(hold_id, at);
            }
            Event::Released {
                hold_id, reason, ..
            } => {
                let (_, pinned) = self.open.remove(&hold_id).unwrap();
                assert!(
                    !pinned || reason == ReleaseReason::Cancelled,
                    "{hold_id} lapsed though pinned"
                );
                self.released.insert(hold_id, at);
            }
            Event::Forgotten { hold_id } => {
                let released_at = self.released.remove(&hold_id).unwrap();
                assert!(
                    at >= after_secs(released_at, TOMBSTONE_SECS),
                    "{hold_id} forgotten early"
                );
            }
        }
    }

    fn is_unknown(&self, hold_id: &str) -> bool {
        !self.open.contains_key(hold_id)
            && !self.committed.contains_key(hold_id)
            && !self.released.contains_key(hold_id)
    }

    fn agree_with(&self, view: View) {
        let held: i64 = self.open.values().map(|(quantity, _)| quantity).sum();
        let committed: i64 = self.committed.values().sum();
        assert_eq!(
            (view.on_hand, view.held, view.committed),
            (self.received, held, committed),
            "units were lost or made"
        );
        assert_eq!(view.available, view.on_hand - view.held - view.committed);
        assert!(view.available >= 0, "oversold");
    }
}
