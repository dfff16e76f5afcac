//! Stock under random sequences of commands, repeats, late messages, time jumps and evictions,
//! checked twice: against a naive model that keeps a plain list of holds and sums by scanning, and
//! by an audit that reads the journal alone. `PROPTEST_CASES` sets the number of sequences.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that overflows or unwraps nothing has failed, and says where"
)]

mod object;

use durable::Timestamp;
use durable::keeper::JOURNAL_SECS;
use durable::machine::{Machine, Reply, Request};
use durable::news::ObjectEvent;
use durable::stock::{Availability, Reply as StockReply, View};
use durable::stock::{
    Command, Event, MAX_QUANTITY, MAX_REASON_BYTES, PublicStock, Refusal, ReleaseReason,
    SETTLED_SECS, Settings, Stock, TOMBSTONE_SECS,
};
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

/// The expected behaviour of stock, written as plainly as possible.
#[derive(Default)]
struct Model {
    on_hand: i64,
    rules: Settings,
    holds: Vec<ModelHold>,
    changes: u64,
    carried_out: BTreeSet<String>,
    now: Timestamp,
}

struct ModelHold {
    id: String,
    quantity: i64,
    shipped: i64,
    /// Digest of the customer whom the limit counts.
    buyer: Option<String>,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Reserved(Timestamp),
    Pinned,
    Committed,
    Shipped(Timestamp),
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
        if self.carried_out.contains(operation_id) {
            return assert_eq!(*reply, done(self.view(), true));
        }
        let objections = self.objections(command);
        if let Reply::Refused { refusal } = reply {
            return assert!(objections.contains(refusal), "{refusal:?}: {objections:?}");
        }
        assert_eq!(objections, vec![], "{command:?} had to be refused");
        self.changes += u64::from(self.follow(command, now));
        self.carried_out.insert(operation_id.clone());
        assert_eq!(*reply, done(self.view(), false));
    }

    fn lapse(&mut self, now: Timestamp) {
        self.now = now;
        for hold in &mut self.holds {
            if matches!(hold.fate, Fate::Reserved(until) if until <= now) {
                hold.fate = Fate::Released(after_secs(now, TOMBSTONE_SECS));
                self.changes += 1;
            }
        }
    }

    /// Returns every reason to refuse `command`.
    fn objections(&self, command: &Command) -> Vec<Refusal> {
        let mut objections = vec![];
        if let Some(quantity) = self.quantity_of(command)
            && !(1..=MAX_QUANTITY).contains(&quantity)
        {
            objections.push(Refusal::QuantityOutOfRange { max: MAX_QUANTITY });
        }
        if let Command::Adjust { reason, .. }
        | Command::Count { reason, .. }
        | Command::WriteOff { reason, .. }
        | Command::Return { reason, .. } = command
            && (reason.trim().is_empty() || reason.len() > MAX_REASON_BYTES)
        {
            let max = MAX_REASON_BYTES;
            objections.push(Refusal::ReasonOutOfRange { max });
        }
        match command {
            Command::Receive { .. } | Command::Return { .. } => {}
            Command::Adjust { by, .. } => {
                objections.extend(self.too_few(i64::from(*by), self.rules.backorder_cap));
            }
            Command::Count { quantity, .. } => {
                let by = i64::from(*quantity) - self.on_hand;
                objections.extend(
                    self.too_few(by, self.rules.backorder_cap)
                        .filter(|_| by != 0),
                );
            }
            Command::WriteOff { quantity, .. } => {
                objections.extend(self.too_few(-i64::from(*quantity), self.rules.backorder_cap));
            }
            Command::Configure { settings } => {
                let limit = settings.purchase_limit.unwrap_or(1);
                let numbers = [settings.backorder_cap, settings.low_threshold, limit];
                if limit == 0 || numbers.iter().any(|number| *number > MAX_QUANTITY) {
                    objections.push(Refusal::SettingsOutOfRange { max: MAX_QUANTITY });
                }
                if *settings != self.rules {
                    objections.extend(self.too_few(0, settings.backorder_cap));
                }
            }
            Command::Hold {
                hold_id,
                quantity,
                customer,
                ..
            } => match self.hold(hold_id) {
                Some((_, Fate::Released(_) | Fate::Shipped(_))) => {
                    objections.push(Refusal::HoldEnded);
                }
                Some((left, _)) if left != i64::from(*quantity) => {
                    objections.push(Refusal::HoldMismatch);
                }
                Some(_) => {}
                None => {
                    objections.extend(self.over_limit(*quantity, customer.as_deref()));
                    if self.available() < i64::from(*quantity) {
                        objections.push(Refusal::Short {
                            wanted: *quantity,
                            available: self.available(),
                            contended: self.reserved() > 0,
                            version: self.changes,
                        });
                    }
                }
            },
            Command::Extend { hold_id, .. } => match self.hold(hold_id) {
                None | Some((_, Fate::Released(_) | Fate::Shipped(_))) => {
                    objections.push(Refusal::HoldEnded);
                }
                Some(_) => {}
            },
            Command::Pin { hold_id } | Command::Commit { hold_id } => match self.hold(hold_id) {
                None | Some((_, Fate::Released(_))) => objections.push(Refusal::HoldEnded),
                Some(_) => {}
            },
            Command::Release { hold_id } => {
                if let Some((_, Fate::Committed | Fate::Shipped(_))) = self.hold(hold_id) {
                    objections.push(Refusal::AlreadyCommitted);
                }
            }
            Command::Restock { hold_id } => match self.hold(hold_id) {
                None | Some((_, Fate::Reserved(_) | Fate::Pinned)) => {
                    objections.push(Refusal::NotCommitted);
                }
                Some(_) => {}
            },
            Command::Ship { hold_id, quantity } => match self.hold(hold_id) {
                Some((left, Fate::Committed)) => {
                    let on_hand = self.on_hand;
                    if *quantity == 0 || i64::from(*quantity) > left {
                        let max = left.try_into().unwrap();
                        objections.push(Refusal::QuantityOutOfRange { max });
                    }
                    if i64::from(*quantity) > on_hand {
                        objections.push(Refusal::NotOnHand { on_hand });
                    }
                }
                _ => objections.push(Refusal::NotCommitted),
            },
        }
        objections
    }

    /// Returns the number of units that `command` moves, if it moves any.
    fn quantity_of(&self, command: &Command) -> Option<u32> {
        match command {
            Command::Receive { quantity }
            | Command::WriteOff { quantity, .. }
            | Command::Return { quantity, .. }
            | Command::Hold { quantity, .. } => Some(*quantity),
            Command::Adjust { by, .. } => Some(by.unsigned_abs()),
            Command::Count { quantity, .. } => {
                let by = i64::from(*quantity) - self.on_hand;
                u32::try_from(by.abs()).ok().filter(|by| *by != 0)
            }
            _ => None,
        }
    }

    fn too_few(&self, change: i64, backorder_cap: u32) -> Option<Refusal> {
        let on_hand = self.on_hand + change;
        let promised = self.promised();
        let enough = on_hand >= 0 && on_hand + i64::from(backorder_cap) >= promised;
        (!enough).then_some(Refusal::BelowPromised { promised })
    }

    fn over_limit(&self, quantity: u32, customer: Option<&str>) -> Option<Refusal> {
        let limit = self.rules.purchase_limit?;
        let is_theirs = |hold: &&ModelHold| customer.is_some() && hold.buyer.as_deref() == customer;
        let theirs = self.holds.iter().filter(is_theirs);
        let bought: i64 = theirs.map(ModelHold::bought).sum();
        let left = (i64::from(limit) - bought).max(0).try_into().unwrap();
        (quantity > left).then_some(Refusal::OverLimit { limit, left })
    }

    /// Carries out `command`, to which there is no objection. Returns true when it made a
    /// difference.
    fn follow(&mut self, command: &Command, now: Timestamp) -> bool {
        let forget_at = after_secs(now, TOMBSTONE_SECS);
        let settled_at = after_secs(now, SETTLED_SECS);
        let (id, fate) = match command {
            Command::Receive { quantity } | Command::Return { quantity, .. } => {
                self.on_hand += i64::from(*quantity);
                return true;
            }
            Command::WriteOff { quantity, .. } => {
                self.on_hand -= i64::from(*quantity);
                return true;
            }
            Command::Adjust { by, .. } => {
                self.on_hand += i64::from(*by);
                return true;
            }
            Command::Count { quantity, .. } => {
                let changed = self.on_hand != i64::from(*quantity);
                self.on_hand = i64::from(*quantity);
                return changed;
            }
            Command::Configure { settings } => {
                let changed = self.rules != *settings;
                self.rules = *settings;
                return changed;
            }
            Command::Ship { hold_id, quantity } => {
                let quantity = i64::from(*quantity);
                self.on_hand -= quantity;
                let hold = self.find(hold_id).unwrap();
                hold.quantity -= quantity;
                hold.shipped += quantity;
                if hold.quantity == 0 {
                    hold.fate = Fate::Shipped(settled_at);
                }
                return true;
            }
            Command::Extend { hold_id, ttl_secs } => {
                let later = after_secs(now, *ttl_secs);
                let hold = self.find(hold_id).unwrap();
                let Fate::Reserved(end) = hold.fate else {
                    return false;
                };
                hold.fate = Fate::Reserved(end.max(later));
                return later > end;
            }
            Command::Hold {
                hold_id, ttl_secs, ..
            } => (hold_id, Fate::Reserved(after_secs(now, *ttl_secs))),
            Command::Pin { hold_id } => (hold_id, Fate::Pinned),
            Command::Commit { hold_id } => (hold_id, Fate::Committed),
            Command::Release { hold_id } => (hold_id, Fate::Released(forget_at)),
            Command::Restock { hold_id } => {
                let hold = self.find(hold_id).unwrap();
                let changed = hold.fate == Fate::Committed;
                if changed {
                    hold.fate = Fate::Released(settled_at);
                }
                return changed;
            }
        };
        let limited = self.rules.purchase_limit.is_some();
        let quantity = self.quantity_of(command).map_or(0, i64::from);
        let Some(hold) = self.find(id) else {
            let buyer = match command {
                Command::Hold { customer, .. } if limited => customer.clone(),
                _ => None,
            };
            self.holds.push(ModelHold {
                id: id.clone(),
                quantity,
                shipped: 0,
                buyer,
                fate,
            });
            return true;
        };
        let moves = rank(fate) > rank(hold.fate);
        if moves {
            hold.fate = fate;
        }
        moves
    }

    fn find(&mut self, id: &str) -> Option<&mut ModelHold> {
        let now = self.now;
        let newest = self.holds.iter_mut().rfind(|hold| hold.id == id)?;
        Some(newest).filter(|hold| hold.fate.is_known(now))
    }

    fn hold(&self, id: &str) -> Option<(i64, Fate)> {
        let newest = self.holds.iter().rfind(|hold| hold.id == id)?;
        let is_known = newest.fate.is_known(self.now);
        is_known.then_some((newest.quantity, newest.fate))
    }

    fn sum(&self, counts: impl Fn(Fate) -> bool) -> i64 {
        let counted = self.holds.iter().filter(|hold| counts(hold.fate));
        counted.map(|hold| hold.quantity).sum()
    }

    fn reserved(&self) -> i64 {
        self.sum(|fate| matches!(fate, Fate::Reserved(_)))
    }

    fn held(&self) -> i64 {
        self.sum(|fate| matches!(fate, Fate::Reserved(_) | Fate::Pinned))
    }

    fn promised(&self) -> i64 {
        self.held() + self.sum(|fate| fate == Fate::Committed)
    }

    fn available(&self) -> i64 {
        self.on_hand + i64::from(self.rules.backorder_cap) - self.promised()
    }

    fn view(&self) -> View {
        let free = self.on_hand - self.promised();
        View {
            on_hand: self.on_hand,
            held: self.held(),
            reserved: self.reserved(),
            committed: self.sum(|fate| fate == Fate::Committed),
            available: self.available(),
            settings: self.rules,
            stock: match free {
                free if free > i64::from(self.rules.low_threshold) => Availability::InStock,
                1.. => Availability::Low,
                _ if self.available() > 0 => Availability::Preorder,
                _ => Availability::Out,
            },
            version: self.changes,
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let ends = self.holds.iter().filter_map(|hold| match hold.fate {
            Fate::Reserved(at) => Some(at),
            _ => None,
        });
        ends.min()
    }
}

impl Fate {
    fn is_known(self, now: Timestamp) -> bool {
        match self {
            Self::Shipped(until) | Self::Released(until) => now < until,
            _ => true,
        }
    }
}

impl ModelHold {
    /// Returns the number of units that its buyer has, or may yet have.
    fn bought(&self) -> i64 {
        match self.fate {
            Fate::Released(_) => self.shipped,
            _ => self.shipped + self.quantity,
        }
    }
}

/// Ranks the states of a hold. A hold only ever moves up: a second hold, pin, commit or release
/// finds nothing left to do.
fn rank(fate: Fate) -> u8 {
    match fate {
        Fate::Reserved(_) => 0,
        Fate::Pinned => 1,
        Fate::Committed => 2,
        Fate::Shipped(_) | Fate::Released(_) => 3,
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

/// Follows every unit through the journal. Its only rules: a hold is held once, ends once, and
/// never by expiry when pinned; a committed hold is only ever shipped or restocked; a released one
/// is remembered long enough.
#[derive(Default)]
struct Audit {
    on_hand: i64,
    open: BTreeMap<String, (i64, bool)>,
    committed: BTreeMap<String, i64>,
    /// Ended holds, with the instant until which their ID is remembered.
    over: BTreeMap<String, Timestamp>,
}

impl Audit {
    fn read(&mut self, events: Vec<(Timestamp, Event)>) {
        for (at, event) in events {
            self.hear(at, event);
        }
    }

    fn hear(&mut self, at: Timestamp, event: Event) {
        match event {
            Event::Received { quantity } | Event::Returned { quantity, .. } => {
                self.on_hand += i64::from(quantity);
            }
            Event::WrittenOff { quantity, .. } => self.on_hand -= i64::from(quantity),
            Event::Adjusted { by, .. } => self.on_hand += i64::from(by),
            Event::Configured { .. } => {}
            Event::Held {
                hold_id, quantity, ..
            } => {
                assert!(self.is_unknown(&hold_id, at), "{hold_id} held twice");
                self.open.insert(hold_id, (i64::from(quantity), false));
            }
            Event::Extended { hold_id, .. } => {
                let (_, pinned) = self.open.get(&hold_id).unwrap();
                assert!(!pinned, "{hold_id} has a clock though pinned");
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
            Event::Shipped {
                hold_id,
                quantity,
                forget_at,
            } => {
                let left = self.committed.get_mut(&hold_id).unwrap();
                *left -= i64::from(quantity);
                self.on_hand -= i64::from(quantity);
                if *left == 0 {
                    self.committed.remove(&hold_id);
                    self.remember(hold_id, at, forget_at);
                }
            }
            Event::Released {
                hold_id,
                reason,
                forget_at,
                ..
            } => {
                self.end(&hold_id, reason, at);
                self.remember(hold_id, at, forget_at);
            }
            Event::Forgotten { hold_id } => panic!("{hold_id} is forgotten in silence"),
        }
    }

    fn remember(&mut self, hold_id: String, at: Timestamp, forget_at: Timestamp) {
        let long_enough = after_secs(at, TOMBSTONE_SECS);
        assert!(forget_at >= long_enough, "{hold_id} forgotten early");
        self.over.insert(hold_id, forget_at);
    }

    fn end(&mut self, hold_id: &str, reason: ReleaseReason, at: Timestamp) {
        match reason {
            ReleaseReason::NeverHeld => {
                assert!(self.is_unknown(hold_id, at), "{hold_id} was known");
            }
            ReleaseReason::Restocked => {
                self.committed.remove(hold_id).unwrap();
            }
            ReleaseReason::Cancelled | ReleaseReason::Expired => {
                let (_, pinned) = self.open.remove(hold_id).unwrap();
                let lapsed = reason == ReleaseReason::Expired;
                assert!(!(pinned && lapsed), "{hold_id} lapsed though pinned");
            }
        }
    }

    fn is_unknown(&self, hold_id: &str, at: Timestamp) -> bool {
        !self.open.contains_key(hold_id)
            && !self.committed.contains_key(hold_id)
            && self.over.get(hold_id).is_none_or(|until| *until <= at)
    }

    fn agree_with(&self, view: View) {
        let held: i64 = self.open.values().map(|(quantity, _)| quantity).sum();
        let committed: i64 = self.committed.values().sum();
        assert_eq!(
            (view.on_hand, view.held, view.committed),
            (self.on_hand, held, committed),
            "units were lost or made"
        );
        let cap = i64::from(view.settings.backorder_cap);
        assert_eq!(
            view.available,
            view.on_hand + cap - view.held - view.committed
        );
        assert!(view.available >= 0, "oversold");
        assert!(view.on_hand >= 0, "more left than there was");
    }
}
