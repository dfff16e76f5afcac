//! Every interleaving of three buyers and two units, explored exhaustively. Each buyer holds, pins,
//! and then commits or releases, or gives up before the hold has arrived or too late. Every message
//! sent may arrive again at any later point. Time may pass at any point, and the alarm may fire at
//! any point after that, so that commands also meet holds that have expired but were not ended yet.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that overflows or panics has failed, and says where"
)]

use durable::Timestamp;
use durable::machine::Machine;
use durable::stock::{Command, Event, Refusal, ReleaseReason, Stock};
use std::collections::{BTreeMap, BTreeSet, HashSet};

const UNITS: u32 = 2;
const TTL_SECS: u32 = 60;

/// Number of times that the clock moves past the expiry of every hold: once for first holds, once
/// for those that follow.
const JUMPS: u32 = 2;

#[test]
fn one_unit_each() {
    let ends = explore([1, 1, 1]);
    assert_eq!(ends, BTreeSet::from([0, 1, 2]), "units sold, over all ends");
}

#[test]
fn one_buyer_wants_both() {
    let ends = explore([2, 1, 1]);
    assert_eq!(ends, BTreeSet::from([0, 1, 2]), "units sold, over all ends");
}

#[test]
fn all_want_both() {
    let ends = explore([2, 2, 2]);
    assert_eq!(ends, BTreeSet::from([0, 2]), "units sold, over all ends");
}

/// Visits every reachable moment. Returns the possible numbers of units sold once nothing is left
/// to happen.
fn explore(wants: [u32; 3]) -> BTreeSet<i64> {
    let mut seen = HashSet::new();
    let mut open = vec![Moment::opening(wants)];
    let mut sold = BTreeSet::new();
    while let Some(moment) = open.pop() {
        moment.check();
        let mut next = moment.successors();
        if next.is_empty() {
            moment.check_end();
            sold.insert(moment.stock.view().committed);
        }
        next.retain(|moment| seen.insert(format!("{moment:?}")));
        open.extend(next);
    }
    sold
}

/// Everything that distinguishes one point of a run from another.
#[derive(Clone, Debug)]
struct Moment {
    stock: Stock,
    now: Timestamp,
    jumps_left: u32,
    buyers: [Buyer; 3],
    /// State of each buyer's units, according to the events alone.
    units: BTreeMap<String, Units>,
}

#[derive(Clone, Debug)]
struct Buyer {
    hold_id: &'static str,
    wants: u32,
    at: Step,
    /// Messages that may arrive again.
    sent: Vec<Command>,
}

/// Progress of a buyer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Arrived,
    GivenUp,
    Held,
    Pinned,
    Bought,
    LeftWithout,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Units {
    Reserved(u32),
    Pinned(u32),
    Committed(u32),
    Freed,
}

impl Moment {
    fn opening(wants: [u32; 3]) -> Self {
        let mut stock = Stock::default();
        stock.apply(&Event::Received { quantity: UNITS }, Timestamp::default());
        let [first, second, third] = wants;
        Self {
            stock,
            now: Timestamp::from_millis(0),
            jumps_left: JUMPS,
            buyers: [("a", first), ("b", second), ("c", third)].map(|(hold_id, wants)| Buyer {
                hold_id,
                wants,
                at: Step::Arrived,
                sent: vec![],
            }),
            units: BTreeMap::new(),
        }
    }

    fn successors(&self) -> Vec<Self> {
        let mut next = vec![];
        for (index, buyer) in self.buyers.iter().enumerate() {
            let fresh = buyer.choices().into_iter();
            next.extend(fresh.map(|command| self.after(index, command)));
            let again = buyer.sent.iter();
            next.extend(again.filter_map(|command| self.after_repeat(index, command)));
        }
        if self.jumps_left > 0 {
            let mut later = self.clone();
            later.now = self.now.plus_secs(TTL_SECS);
            later.jumps_left -= 1;
            next.push(later);
        }
        let due = self.stock.due(self.now);
        if !due.is_empty() {
            let mut rung = self.clone();
            rung.record(due);
            next.push(rung);
        }
        next
    }

    /// Sends `command` for the buyer and takes in the answer.
    fn after(&self, index: usize, command: Command) -> Self {
        let mut next = self.clone();
        let answer = next.deliver(&command);
        let buyer = &mut next.buyers[index];
        buyer.at = match (buyer.at, &command, answer) {
            (Step::Arrived, Command::Hold { .. }, Ok(())) => Step::Held,
            (Step::Arrived, Command::Hold { .. }, Err(refusal)) => {
                assert_eq!(refusal, self.short(buyer.wants));
                Step::LeftWithout
            }
            (Step::Arrived, Command::Release { .. }, Ok(())) => Step::GivenUp,
            (Step::GivenUp, Command::Hold { .. }, Err(Refusal::HoldEnded)) => Step::LeftWithout,
            (Step::Held, Command::Pin { .. }, Ok(())) => Step::Pinned,
            (Step::Held, Command::Pin { .. }, Err(Refusal::HoldEnded)) => {
                assert!(self.now.as_secs() >= i64::from(TTL_SECS), "lapsed early");
                Step::LeftWithout
            }
            (Step::Pinned, Command::Commit { .. }, Ok(())) => Step::Bought,
            (Step::Held | Step::Pinned, Command::Release { .. }, Ok(())) => Step::LeftWithout,
            (Step::Bought, Command::Release { .. }, Err(Refusal::AlreadyCommitted)) => Step::Bought,
            impossible => panic!("{impossible:?}"),
        };
        buyer.sent.push(command);
        next
    }

    /// Delivers an earlier message again, as a new operation. A message without any effect covers
    /// any number of repeats. Only a hold that was refused may succeed now.
    fn after_repeat(&self, index: usize, command: &Command) -> Option<Self> {
        let mut next = self.clone();
        let answer = next.deliver(command);
        if next.stock == self.stock {
            return None;
        }
        let never_held = !self.units.contains_key(self.buyers[index].hold_id);
        assert!(never_held, "{command:?} had an effect twice: {answer:?}");
        Some(next)
    }

    fn deliver(&mut self, command: &Command) -> Result<(), Refusal> {
        let events = self.stock.decide(command, self.now)?;
        self.record(events);
        Ok(())
    }

    fn record(&mut self, events: Vec<Event>) {
        for event in events {
            self.stock.apply(&event, self.now);
            self.follow(&event);
        }
    }

    fn follow(&mut self, event: &Event) {
        let hold_id = hold_id_of(event);
        let becomes = match (event, self.units.get(hold_id)) {
            (Event::Held { quantity, .. }, None) => Units::Reserved(*quantity),
            (Event::Pinned { .. }, Some(Units::Reserved(n))) => Units::Pinned(*n),
            (Event::Committed { .. }, Some(Units::Reserved(n) | Units::Pinned(n))) => {
                Units::Committed(*n)
            }
            (Event::Released { reason, .. }, from) => match (reason, from) {
                (ReleaseReason::NeverHeld, None)
                | (ReleaseReason::Expired, Some(Units::Reserved(_)))
                | (ReleaseReason::Cancelled, Some(Units::Reserved(_) | Units::Pinned(_))) => {
                    Units::Freed
                }
                impossible => panic!("{impossible:?}"),
            },
            impossible => panic!("{impossible:?}"),
        };
        self.units.insert(hold_id.to_owned(), becomes);
    }

    fn short(&self, wanted: u32) -> Refusal {
        let taken: u32 = self.units.values().map(|units| units.taken()).sum();
        Refusal::Short {
            wanted,
            available: i64::from(UNITS) - i64::from(taken),
            contended: self.sum(|units| matches!(units, Units::Reserved(_))) > 0,
            version: self.stock.view().version,
        }
    }

    fn sum(&self, counts: impl Fn(&Units) -> bool) -> i64 {
        let counted = self.units.values().filter(|units| counts(units));
        counted.map(|units| i64::from(units.taken())).sum()
    }

    fn check(&self) {
        let view = self.stock.view();
        assert_eq!(view.on_hand, i64::from(UNITS));
        assert_eq!(
            view.committed,
            self.sum(|units| matches!(units, Units::Committed(_)))
        );
        assert_eq!(view.held + view.committed, self.sum(|_| true));
        assert_eq!(view.available, view.on_hand - view.held - view.committed);
        assert!(view.available >= 0, "oversold: {self:?}");
        for buyer in &self.buyers {
            let units = self.units.get(buyer.hold_id).copied();
            assert!(buyer.may_have(units), "{buyer:?} has {units:?}");
        }
    }

    /// Checks that nothing is held at the end, after the clocks of all remaining holds have run
    /// out.
    fn check_end(&self) {
        let mut last = self.clone();
        last.record(self.stock.due(self.now.plus_secs(TTL_SECS)));
        last.check();
        assert_eq!(last.stock.view().held, 0, "units stay held: {self:?}");
    }
}

impl Buyer {
    fn choices(&self) -> Vec<Command> {
        let hold_id = self.hold_id.to_owned();
        let hold = Command::Hold {
            hold_id: hold_id.clone(),
            quantity: self.wants,
            ttl_secs: TTL_SECS,
            customer: None,
        };
        let release = Command::Release {
            hold_id: hold_id.clone(),
        };
        match self.at {
            Step::Arrived => vec![hold, release],
            Step::GivenUp => vec![hold],
            Step::Held => vec![Command::Pin { hold_id }, release],
            Step::Pinned => vec![Command::Commit { hold_id }, release],
            Step::Bought if !self.sent.contains(&release) => vec![release],
            Step::Bought | Step::LeftWithout => vec![],
        }
    }

    /// Checks that a buyer's units match the last answer: units that are pinned or bought stay so.
    fn may_have(&self, units: Option<Units>) -> bool {
        match self.at {
            Step::Arrived => units.is_none(),
            Step::GivenUp => units == Some(Units::Freed),
            Step::Held => matches!(units, Some(Units::Reserved(_) | Units::Freed)),
            Step::Pinned => units == Some(Units::Pinned(self.wants)),
            Step::Bought => units == Some(Units::Committed(self.wants)),
            Step::LeftWithout => matches!(units, None | Some(Units::Reserved(_) | Units::Freed)),
        }
    }
}

impl Units {
    fn taken(self) -> u32 {
        match self {
            Self::Reserved(n) | Self::Pinned(n) | Self::Committed(n) => n,
            Self::Freed => 0,
        }
    }
}

fn hold_id_of(event: &Event) -> &str {
    match event {
        Event::Held { hold_id, .. }
        | Event::Pinned { hold_id }
        | Event::Released { hold_id, .. }
        | Event::Committed { hold_id } => hold_id,
        other => panic!("{other:?}"),
    }
}
