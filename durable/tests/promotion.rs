//! The uses of a promotion under random sequences of commands, repeats, time jumps and evictions,
//! checked against a naive model that keeps a plain list of uses and counts by scanning.
//! `PROPTEST_CASES` sets the number of sequences.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that overflows or unwraps nothing has failed, and says where"
)]

mod object;

use durable::Timestamp;
use durable::keeper::JOURNAL_SECS;
use durable::machine::{Machine, Reply, Request};
use durable::promotion::{
    Command, Limits, Promotion, RETURNABLE_SECS, Refusal, Reply as PromotionReply, TOMBSTONE_SECS,
    View, customer_key,
};
use object::{Object, sequences};
use proptest::prelude::*;

const SEQUENCES: u32 = 800;

/// Limits of every hold in a sequence.
const LIMITS: Limits = Limits {
    total: Some(3),
    per_customer: Some(2),
};

proptest! {
    #![proptest_config(sequences(SEQUENCES))]

    #[test]
    fn a_promotion_does_what_the_model_does(steps in prop::collection::vec(step(), 1..60)) {
        let mut trial = Trial::new();
        for step in &steps {
            trial.take(step);
        }
    }
}

#[test]
fn a_use_that_counts_for_good_is_forgotten_and_still_counts() {
    let mut object = Object::new(Promotion::default());
    let mut ask = |id: u32, command: &Command, secs: u32| {
        let request = Request::Do {
            operation_id: id.to_string(),
            command: command.clone(),
        };
        object.answer(&request, Timestamp::default().plus_secs(secs))
    };
    let single = Limits {
        total: Some(1),
        per_customer: None,
    };
    ask(0, &hold_within(single, "a", "eve"), 0);
    ask(1, &consume("a"), 1);
    let after = RETURNABLE_SECS + 2;
    assert!(
        matches!(ask(2, &give_back("a"), after), Reply::Done { view, .. } if view.consumed == 1)
    );
    let refused = Reply::Refused {
        refusal: Refusal::UsedUp { contended: false },
    };
    assert_eq!(ask(3, &hold_within(single, "b", "bob"), after), refused);
    assert_eq!(object.machine().wake_at(), None);
    object.ring(Timestamp::default().plus_secs(after + 600));
    assert_eq!(object.row("use/a"), None, "forgotten");
    assert_eq!(object.row(&customer_key("eve")).as_deref(), Some("1"));
}

#[test]
fn a_burst_of_lapsed_uses_drains_completely() {
    let mut promotion = Promotion::default();
    for number in 0..1_201 {
        let command = hold_within(Limits::default(), &number.to_string(), "eve");
        let at = Timestamp::default();
        for event in promotion.decide(&command, at).unwrap() {
            promotion.apply(&event, at);
        }
    }
    let later = Timestamp::default().plus_secs(10_000);
    let mut rings = 0;
    while promotion.wake_at().is_some_and(|at| at <= later) {
        let due = promotion.due(later);
        assert!((1..=500).contains(&due.len()));
        due.iter().for_each(|event| promotion.apply(event, later));
        rings += 1;
    }
    assert_eq!((rings, promotion.view().held), (3, 0));
}

#[derive(Clone, Debug)]
enum Step {
    /// A new operation.
    Send(Command),
    /// An earlier operation again, under its own ID, while that is remembered.
    Repeat(usize),
    /// The clock advances by this many seconds.
    Wait(u32),
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
        2 => Just(Step::Ring),
        1 => Just(Step::Evict),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let id = || prop::sample::select(vec!["a", "b", "c", "d", "e", "f"]);
    let customer = prop::sample::select(vec!["eve", "bob"]);
    prop_oneof![
        6 => (id(), customer).prop_map(|(id, customer)| hold_within(LIMITS, id, customer)),
        2 => id().prop_map(|id| Command::Pin { hold_id: id.to_owned() }),
        2 => id().prop_map(|id| Command::Release { hold_id: id.to_owned() }),
        3 => id().prop_map(consume),
        2 => id().prop_map(give_back),
    ]
}

fn wait() -> impl Strategy<Value = u32> {
    prop_oneof![
        6 => 0..900_u32,
        2 => TOMBSTONE_SECS - 900..TOMBSTONE_SECS + 900,
        1 => RETURNABLE_SECS - 900..RETURNABLE_SECS + 900,
    ]
}

fn hold_within(limits: Limits, hold_id: &str, customer: &str) -> Command {
    Command::Hold {
        hold_id: hold_id.to_owned(),
        customer: customer.to_owned(),
        limits,
        ttl_secs: HOLD_SECS,
    }
}

const HOLD_SECS: u32 = 600;

fn consume(hold_id: &str) -> Command {
    Command::Consume {
        hold_id: hold_id.to_owned(),
    }
}

fn give_back(hold_id: &str) -> Command {
    Command::Return {
        hold_id: hold_id.to_owned(),
    }
}

struct Trial {
    object: Object<Promotion>,
    model: Model,
    /// The requests sent, each with the instant at which it was carried out.
    sent: Vec<(Request<Command>, Option<Timestamp>)>,
    now: Timestamp,
}

impl Trial {
    fn new() -> Self {
        Self {
            object: Object::new(Promotion::default()),
            model: Model::default(),
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
                let reply = self.object.answer(&request, self.now);
                let wanted = self.model.take(command, self.now);
                let first = self.judge(&reply, wanted);
                self.sent.push((request, first));
            }
            Step::Repeat(back) => {
                let earlier = self.sent.iter().rev().cycle().nth(*back).cloned();
                let Some((request, first)) = earlier else {
                    return;
                };
                if first.is_some_and(|at| at.plus_secs(JOURNAL_SECS) <= self.now) {
                    return;
                }
                let reply = self.object.answer(&request, self.now);
                self.model.pass(self.now);
                match (first, &request) {
                    // Carried out before: nothing changes.
                    (Some(_), _) => {
                        let view = self.object.machine().view();
                        let replayed = true;
                        assert_eq!(reply, Reply::Done { view, replayed });
                    }
                    (None, Request::Do { command, .. }) => {
                        let wanted = self.model.take(command, self.now);
                        let first = self.judge(&reply, wanted);
                        let at = self.sent.iter().position(|(sent, _)| same(sent, &request));
                        self.sent[at.unwrap()].1 = first;
                    }
                    (None, Request::View) => {}
                }
            }
            Step::Wait(secs) => self.now = self.now.plus_secs(*secs),
            Step::Ring => self.object.ring(self.now),
            Step::Evict => self.object.evict(),
        }
        self.object.new_events();
        self.agree();
    }

    /// Asserts that the answer is the model's, and returns the instant at which it was carried out.
    fn judge(&self, reply: &PromotionReply, wanted: Result<(), Refusal>) -> Option<Timestamp> {
        match (reply, wanted) {
            (Reply::Done { view, replayed }, Ok(())) => {
                assert!(!replayed);
                assert_eq!(*view, self.object.machine().view());
                Some(self.now)
            }
            (Reply::Refused { refusal }, Err(wanted)) => {
                assert_eq!(*refusal, wanted);
                None
            }
            (reply, wanted) => unreachable!("{reply:?}, the model says {wanted:?}"),
        }
    }

    fn agree(&mut self) {
        self.object.answer(&Request::View, self.now);
        self.object.new_events();
        assert_eq!(self.object.news(), vec![], "nobody waits for news of it");
        self.model.pass(self.now);
        let machine = self.object.machine();
        let View {
            held,
            reserved,
            consumed,
            ..
        } = machine.view();
        assert_eq!((held, reserved, consumed), self.model.counts());
        assert!(held + consumed <= LIMITS.total.unwrap());
        for customer in ["eve", "bob"] {
            let row = self.object.row(&customer_key(customer));
            let uses: u32 = row.map_or(0, |row| row.parse().unwrap());
            assert_eq!(uses, self.model.of(customer), "{customer}");
            assert!(uses <= LIMITS.per_customer.unwrap());
        }
    }
}

fn same(a: &Request<Command>, b: &Request<Command>) -> bool {
    match (a, b) {
        (
            Request::Do {
                operation_id: a, ..
            },
            Request::Do {
                operation_id: b, ..
            },
        ) => a == b,
        _ => false,
    }
}

/// A plain list of uses.
#[derive(Default)]
struct Model {
    uses: Vec<Use>,
}

struct Use {
    id: String,
    customer: String,
    state: State,
    ends_at: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Reserved,
    Pinned,
    Consumed,
    /// Consumed, and no longer known by its ID.
    Settled,
    Ended,
}

impl Model {
    fn pass(&mut self, now: Timestamp) {
        for it in &mut self.uses {
            if it.ends_at.is_none_or(|at| at > now) {
                continue;
            }
            match it.state {
                State::Reserved => {
                    it.state = State::Ended;
                    it.ends_at = Some(now.plus_secs(TOMBSTONE_SECS));
                }
                State::Consumed => {
                    it.state = State::Settled;
                    it.ends_at = None;
                    it.id.clear();
                }
                _ => it.id.clear(),
            }
        }
        self.uses
            .retain(|it| it.state != State::Ended || !it.id.is_empty());
    }

    fn take(&mut self, command: &Command, now: Timestamp) -> Result<(), Refusal> {
        self.pass(now);
        match command {
            Command::Hold {
                hold_id, customer, ..
            } => self.hold(hold_id, customer, now),
            Command::Pin { hold_id } => match self.find(hold_id) {
                Some(it) if it.state == State::Reserved => {
                    it.state = State::Pinned;
                    it.ends_at = None;
                    Ok(())
                }
                Some(it) if it.state != State::Ended => Ok(()),
                _ => Err(Refusal::HoldEnded),
            },
            Command::Consume { hold_id } => match self.find(hold_id) {
                Some(it) if matches!(it.state, State::Reserved | State::Pinned) => {
                    it.state = State::Consumed;
                    it.ends_at = Some(now.plus_secs(RETURNABLE_SECS));
                    Ok(())
                }
                Some(it) if it.state == State::Consumed => Ok(()),
                _ => Err(Refusal::HoldEnded),
            },
            Command::Release { hold_id } => match self.find(hold_id) {
                Some(it) if it.state == State::Consumed => Err(Refusal::AlreadyConsumed),
                Some(it) => {
                    end(it, now);
                    Ok(())
                }
                None => {
                    self.uses.push(Use {
                        id: hold_id.clone(),
                        customer: String::new(),
                        state: State::Ended,
                        ends_at: Some(now.plus_secs(TOMBSTONE_SECS)),
                    });
                    Ok(())
                }
            },
            Command::Return { hold_id } => match self.find(hold_id) {
                Some(it) if matches!(it.state, State::Reserved | State::Pinned) => {
                    Err(Refusal::NotConsumed)
                }
                Some(it) => {
                    end(it, now);
                    Ok(())
                }
                None => Ok(()),
            },
        }
    }

    fn hold(&mut self, id: &str, customer: &str, now: Timestamp) -> Result<(), Refusal> {
        if let Some(it) = self.find(id) {
            return match it.state {
                State::Ended => Err(Refusal::HoldEnded),
                _ if it.customer == customer => Ok(()),
                _ => Err(Refusal::HoldMismatch),
            };
        }
        let (held, reserved, consumed) = self.counts();
        if self.of(customer) >= LIMITS.per_customer.unwrap() {
            return Err(Refusal::UsedUpByCustomer);
        }
        if held + consumed >= LIMITS.total.unwrap() {
            let contended = reserved > 0;
            return Err(Refusal::UsedUp { contended });
        }
        self.uses.push(Use {
            id: id.to_owned(),
            customer: customer.to_owned(),
            state: State::Reserved,
            ends_at: Some(now.plus_secs(HOLD_SECS)),
        });
        Ok(())
    }

    fn find(&mut self, id: &str) -> Option<&mut Use> {
        self.uses.iter_mut().find(|it| it.id == id)
    }

    fn counts(&self) -> (u32, u32, u32) {
        let count = |states: &[State]| {
            let those = self.uses.iter().filter(|it| states.contains(&it.state));
            u32::try_from(those.count()).unwrap()
        };
        (
            count(&[State::Reserved, State::Pinned]),
            count(&[State::Reserved]),
            count(&[State::Consumed, State::Settled]),
        )
    }

    fn of(&self, customer: &str) -> u32 {
        let of = |it: &&Use| it.customer == customer && it.state != State::Ended;
        u32::try_from(self.uses.iter().filter(of).count()).unwrap()
    }
}

/// Ends a use. A use that ended before is remembered from its first end on.
fn end(it: &mut Use, now: Timestamp) {
    if it.state != State::Ended {
        it.state = State::Ended;
        it.ends_at = Some(now.plus_secs(TOMBSTONE_SECS));
    }
}
