//! Stock under random sequences of commands, repeats, late messages, time jumps and evictions,
//! checked twice: against a naive model that keeps a plain list of holds and sums by scanning, and
//! by an audit that reads the journal alone. `PROPTEST_CASES` sets the number of sequences.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that overflows or unwraps nothing has failed, and says where"
)]

#[path = "../object/mod.rs"]
mod object;

mod audit;
mod model;

use audit::Audit;
use durable::Timestamp;
use durable::keeper::JOURNAL_SECS;
use durable::machine::{Machine, Reply, Request};
use durable::news::ObjectEvent;
use durable::stock::{Availability, Reply as StockReply, View};
use durable::stock::{
    Command, Event, MAX_QUANTITY, MAX_REASON_BYTES, PublicStock, Refusal, ReleaseReason,
    SETTLED_SECS, Settings, Stock, TOMBSTONE_SECS,
};
use model::{Model, after, after_secs};
use object::{Object, sequences};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const SEQUENCES: u32 = 1_500;

proptest! {
    #![proptest_config(sequences(SEQUENCES))]

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
        assert_eq!(stock.wake_at(), None);
        assert!(lapsed <= holds.div_ceil(500), "a ring ends too few holds");
    }
}

/// Returns how often the alarm fires at `now` until nothing is due.
fn rings_until_quiet(stock: &mut Stock, now: i64) -> u32 {
    let now = Timestamp::from_millis(now);
    let mut rings = 0;
    while stock.wake_at().is_some_and(|at| at <= now) {
        let due = stock.due(now);
        assert!(!due.is_empty(), "woken for nothing");
        assert!(due.len() <= 500, "one ring does too much");
        due.iter().for_each(|event| stock.apply(event, now));
        rings += 1;
    }
    assert_eq!(stock.due(now), vec![]);
    rings
}

fn carry_out(stock: &mut Stock, command: &Command, now: i64) -> Result<(), Refusal> {
    let now = Timestamp::from_millis(now);
    let events = stock.decide(command, now)?;
    events.iter().for_each(|event| stock.apply(event, now));
    Ok(())
}

#[derive(Clone, Debug)]
enum Step {
    /// A new operation.
    Send(Command),
    /// An earlier operation again, under its own ID, while that is remembered.
    Repeat(usize),
    /// The clock moves, sometimes a little backward.
    Wait(i64),
    /// A request for the view alone.
    Look,
    /// The alarm fires.
    Ring,
    /// The object loses its memory, as an eviction would.
    Evict,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        14 => command().prop_map(Step::Send),
        3 => (0..64_usize).prop_map(Step::Repeat),
        3 => wait().prop_map(Step::Wait),
        1 => Just(Step::Look),
        2 => Just(Step::Ring),
        1 => Just(Step::Evict),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        2 => quantity().prop_map(receive),
        8 => (hold_id(), quantity(), ttl_secs(), customer())
            .prop_map(|(id, quantity, ttl, customer)| hold_for(customer, id, quantity, ttl)),
        3 => hold_id().prop_map(pin),
        3 => hold_id().prop_map(release),
        4 => hold_id().prop_map(commit),
        2 => (hold_id(), ttl_secs()).prop_map(|(id, ttl)| extend(id, ttl)),
        2 => hold_id().prop_map(restock),
        4 => (hold_id(), 0..=3_u32).prop_map(|(id, quantity)| ship(id, quantity)),
        2 => (adjustment(), reason()).prop_map(|(by, reason)| Command::Adjust { by, reason }),
        2 => (quantity(), reason()).prop_map(|(quantity, reason)| Command::Count { quantity, reason }),
        1 => (quantity(), reason()).prop_map(|(quantity, reason)| Command::WriteOff { quantity, reason }),
        1 => (quantity(), reason()).prop_map(|(quantity, reason)| Command::Return { quantity, reason }),
        2 => settings().prop_map(|settings| Command::Configure { settings }),
    ]
}

fn customer() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![None, Some("eve"), Some("bob")])
}

fn adjustment() -> impl Strategy<Value = i32> {
    prop_oneof![20 => -4..=4_i32, 1 => Just(i32::MIN), 1 => Just(i32::MAX)]
}

fn reason() -> impl Strategy<Value = String> {
    let reasons = ["counted", " ", ""].map(str::to_owned);
    let long = "x".repeat(MAX_REASON_BYTES + 1);
    prop_oneof![
        20 => Just("counted".to_owned()),
        1 => prop::sample::select(reasons.to_vec()),
        1 => Just(long),
    ]
}

fn settings() -> impl Strategy<Value = Settings> {
    let number = || prop_oneof![20 => 0..=6_u32, 1 => Just(MAX_QUANTITY + 1)];
    let promise_at = prop::sample::select(vec![None, Some(Timestamp::from_millis(9))]);
    (number(), number(), prop::option::of(number()), promise_at).prop_map(
        |(low_threshold, backorder_cap, purchase_limit, promise_at)| Settings {
            low_threshold,
            backorder_cap,
            promise_at,
            purchase_limit,
        },
    )
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
    let settled = i64::from(SETTLED_SECS) * 1000;
    prop_oneof![
        8 => 0..=900_000_i64,
        3 => tombstone - 900_000..=tombstone + 900_000,
        2 => settled - 900_000..=settled + 900_000,
        1 => -10_000..0_i64,
        1 => 0..=i64::MAX / 4,
    ]
}

fn receive(quantity: u32) -> Command {
    Command::Receive { quantity }
}

fn hold(hold_id: &str, quantity: u32, ttl_secs: u32) -> Command {
    hold_for(None, hold_id, quantity, ttl_secs)
}

fn hold_for(customer: Option<&str>, hold_id: &str, quantity: u32, ttl_secs: u32) -> Command {
    Command::Hold {
        hold_id: hold_id.to_owned(),
        quantity,
        ttl_secs,
        customer: customer.map(str::to_owned),
    }
}

fn extend(hold_id: &str, ttl_secs: u32) -> Command {
    let hold_id = hold_id.to_owned();
    Command::Extend { hold_id, ttl_secs }
}

fn restock(hold_id: &str) -> Command {
    let hold_id = hold_id.to_owned();
    Command::Restock { hold_id }
}

fn ship(hold_id: &str, quantity: u32) -> Command {
    let hold_id = hold_id.to_owned();
    Command::Ship { hold_id, quantity }
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

/// One sequence: the object, its two judges, and the commands sent so far.
struct Trial {
    object: Object<Stock>,
    model: Model,
    audit: Audit,
    sent: Vec<(Timestamp, Request<Command>)>,
    now: Timestamp,
    /// Instant of the last alarm. What that has deleted is not missed, because time does not go
    /// back before it.
    rang_at: Timestamp,
    heard: PublicStock,
}

impl Trial {
    fn new() -> Self {
        Self {
            object: Object::new(Stock::default()),
            model: Model::default(),
            audit: Audit::default(),
            sent: vec![],
            now: Timestamp::from_millis(1_800_000_000_000),
            rang_at: Timestamp::default(),
            heard: PublicStock::default(),
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
                self.sent.push((self.now, request));
            }
            Step::Repeat(back) => {
                let earlier = self.sent.iter().rev().cycle().nth(*back).cloned();
                if let Some((sent_at, request)) = earlier
                    && self.now < sent_at.plus_secs(JOURNAL_SECS)
                {
                    self.ask(&request);
                }
            }
            Step::Wait(millis) => self.now = after(self.now, *millis).max(self.rang_at),
            Step::Look => self.ask(&Request::View),
            Step::Ring => {
                self.object.ring(self.now);
                self.rang_at = self.now;
                self.ask(&Request::View);
            }
            Step::Evict => self.object.evict(),
        }
    }

    fn ask(&mut self, request: &Request<Command>) {
        let mut untouched = self.object.machine().clone();
        for event in untouched.due(self.now) {
            untouched.apply(&event, self.now);
        }
        untouched.let_go();

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
        self.listen();
    }

    /// Asserts that the events alone yield the public stock.
    fn listen(&mut self) {
        for news in self.object.news() {
            let ObjectEvent::StockChanged { sku, stock } = news else {
                panic!("{news:?}");
            };
            assert_eq!(sku, "one");
            assert!(!stock.reads_like(&self.heard), "told twice: {stock:?}");
            assert!(stock.version > self.heard.version);
            self.heard = stock;
        }
        let public = self.object.machine().view().public();
        assert!(public.reads_like(&self.heard), "{public:?} is not told");
    }
}
