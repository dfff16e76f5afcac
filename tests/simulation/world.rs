//! The world of one seed: the clock, the storm, and everything that the shop calls.

use crate::database::SqliteDb;
use crate::objects::ObjectsOf;
use crate::planted::Bug;
use crate::provider::Provider;
use crate::random::Random;
use crate::scheduler::Task;
use durable::Timestamp;
use durable::cart::Cart;
use durable::news::ObjectEvent;
use durable::promotion::Promotion;
use durable::stock::Stock;
use shop::inventory::refusals::Refusals;
use shop::messages::email::EmailJob;
use shop::payments::provider::ProviderId;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use storefront::store::pricing::price_list::ListingCache;
use storefront::store::pricing::settings::SettingsCache;

/// Frequencies of faults, per thousand.
#[derive(Clone, Copy, Default)]
pub struct Storm {
    /// A call fails without effect.
    pub fail: u64,
    /// A call fails after it took effect.
    pub fail_after: u64,
    /// A call is abandoned, and its message arrives later.
    pub late: u64,
    /// A call's message arrives a second time, later.
    pub repeat: u64,
    /// A request dies without an answer.
    pub crash: u64,
    /// The clock jumps.
    pub jump: u64,
    /// The provider is down for a while.
    pub outage: u64,
    /// A request lingers before it freezes its cart or writes its order, for longer than anyone
    /// waits, and then dies.
    pub linger: u64,
}

/// Trips to the database and to the objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    pub reads: u32,
    pub writes: u32,
    pub of_carts: u32,
    pub of_stock: u32,
}

type Late = Box<dyn FnOnce(&World)>;

pub struct World {
    pub random: Random,
    pub storm: Cell<Storm>,
    pub bug: Option<Bug>,
    pub db: SqliteDb,
    pub stock: ObjectsOf<Stock>,
    pub carts: ObjectsOf<Cart>,
    pub promotions: ObjectsOf<Promotion>,
    pub provider: RefCell<Provider>,
    /// A second provider, for tests with two.
    pub second: RefCell<Provider>,
    /// The provider that takes the payments of new orders.
    pub new_payments: Cell<ProviderId>,
    /// Settings that the shop read last.
    pub settings: SettingsCache,
    /// Listings that the shop read before.
    pub listings: ListingCache,
    /// Refusals that the shop remembers.
    pub refusals: RefCell<Refusals>,
    /// Number of order requests for each key.
    pub keys: RefCell<BTreeMap<String, u32>>,
    /// Number of calls that the shop has made.
    pub costs: Cell<Costs>,
    /// Maximum number of milliseconds between two steps, apart from jumps.
    moment: u64,
    /// Number of statements that the shop has run.
    pub statements: Cell<u32>,
    /// True while the clock advances by itself.
    pub is_timeless: Cell<bool>,
    /// Events in the shop's inbox; true for those that were handled.
    pub inbox: RefCell<BTreeMap<String, bool>>,
    /// IDs in the queue.
    pub queue: RefCell<Vec<String>>,
    /// Events of the carts on their way.
    pub news: RefCell<Vec<ObjectEvent>>,
    /// Emails in their queue.
    pub letters: RefCell<Vec<EmailJob>>,
    /// Keys of the emails that the mail provider has sent.
    pub sent: RefCell<BTreeSet<String>>,
    /// Number of confirmations sent, by order.
    pub mails: RefCell<BTreeMap<String, u32>>,
    pub spawned: RefCell<Vec<Task>>,
    /// True if something was written since the last check of the invariants.
    pub touched: Cell<bool>,
    pub in_request: Cell<bool>,
    pub crashed: Cell<bool>,
    /// Number of request steps until a crash.
    pub crash_at: Cell<Option<u32>>,
    late: RefCell<Vec<(i64, Late)>>,
    /// True while the database accepts no writes.
    pub refuses_writes: Cell<bool>,
    /// True while the shop does not call the provider.
    pub is_left_alone: Cell<bool>,
    /// Number of calls that the provider accepts in any second.
    pub calls_a_second: Cell<usize>,
    /// Maximum number of calls in any second so far.
    pub most_calls: Cell<usize>,
    /// Instants of the provider's last calls.
    called_at: RefCell<VecDeque<i64>>,
    /// Instant until which the provider does not answer.
    gone_until: Cell<i64>,
    clock: Cell<i64>,
    names: Cell<u64>,
    trace: RefCell<Vec<String>>,
}

/// Maximum lifetime of a message or request in milliseconds.
const LIFE_MILLIS: i64 = 55_000;

/// Maximum number of milliseconds that a request lingers.
const MAX_LINGER_MILLIS: u64 = 8 * 60_000;

/// Frequency, per thousand, with which a request lingers where it can.
const LINGERS: u64 = 700;

impl World {
    pub fn new(seed: u64, bug: Option<Bug>) -> Rc<Self> {
        let random = Random::new(seed);
        let mut storm = storm_of(&random);
        if matches!(bug, Some(Bug::CartsNotHeard | Bug::ThawedUndecided)) {
            storm.linger = LINGERS;
        }
        // Memory is short-lived: a remembered refusal is used at once, or never.
        let moment = if bug == Some(Bug::MemoryGrants) {
            3
        } else {
            20
        };
        Rc::new(Self {
            moment,
            storm: Cell::new(storm),
            bug,
            db: SqliteDb::migrated(),
            stock: ObjectsOf::default(),
            carts: ObjectsOf::default(),
            promotions: ObjectsOf::default(),
            provider: RefCell::new(Provider::new(ProviderId::Stripe)),
            second: RefCell::new(Provider::new(ProviderId::Second)),
            new_payments: Cell::new(ProviderId::Stripe),
            settings: SettingsCache::default(),
            listings: ListingCache::default(),
            refusals: RefCell::default(),
            keys: RefCell::default(),
            costs: Cell::default(),
            statements: Cell::default(),
            is_timeless: Cell::default(),
            inbox: RefCell::default(),
            queue: RefCell::default(),
            news: RefCell::default(),
            letters: RefCell::default(),
            sent: RefCell::default(),
            mails: RefCell::default(),
            spawned: RefCell::default(),
            touched: Cell::new(true),
            in_request: Cell::new(false),
            crashed: Cell::new(false),
            crash_at: Cell::default(),
            late: RefCell::default(),
            refuses_writes: Cell::default(),
            is_left_alone: Cell::default(),
            calls_a_second: Cell::new(usize::MAX),
            most_calls: Cell::default(),
            called_at: RefCell::default(),
            gone_until: Cell::default(),
            clock: Cell::new(1_795_000_000_000),
            names: Cell::new(0),
            trace: RefCell::default(),
            random,
        })
    }

    pub fn provider_of(&self, id: ProviderId) -> &RefCell<Provider> {
        match id {
            ProviderId::Second => &self.second,
            _ => &self.provider,
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.get())
    }

    /// Counts a call of the shop.
    pub fn count(&self, what: impl FnOnce(&mut Costs)) {
        let mut costs = self.costs.get();
        what(&mut costs);
        self.costs.set(costs);
    }

    /// Counts statements of the shop.
    pub fn count_statements(&self, more: usize) {
        self.statements.set(self.statements.get() + more as u32);
    }

    /// Returns a unique ID that is readable in a trace.
    pub fn name(&self, prefix: &str) -> String {
        self.names.set(self.names.get() + 1);
        format!("{prefix}_{}", self.names.get())
    }

    pub fn note(&self, line: String) {
        let at = self.clock.get() % 1_000_000_000;
        self.trace.borrow_mut().push(format!("{at:>9} {line}"));
    }

    pub fn take_trace(&self) -> Vec<String> {
        self.trace.take()
    }

    pub fn calm(&self) {
        self.storm.set(Storm::default());
        self.gone_until.set(0);
    }

    /// Returns true if a request crashes at this step.
    pub fn crashes_here(&self) -> bool {
        let chosen = self.crash_at.get();
        self.crash_at
            .set(chosen.and_then(|left| left.checked_sub(1)));
        chosen == Some(0) || self.random.chance(self.storm.get().crash)
    }

    /// Returns true if the provider answers. Occasionally, it goes down for longer than a session
    /// request can be repeated.
    pub fn provider_answers(&self) -> bool {
        let now = self.clock.get();
        if now >= self.gone_until.get() && self.random.chance(self.storm.get().outage) {
            self.gone_until.set(now + 40 * 60_000);
            self.note("the provider is gone for 40 minutes".to_owned());
        }
        now >= self.gone_until.get()
    }

    /// Counts one more call of the provider; false if this second has reached its maximum.
    pub fn provider_takes(&self) -> bool {
        let now = self.clock.get();
        let mut called_at = self.called_at.borrow_mut();
        while called_at.front().is_some_and(|at| *at <= now - 1_000) {
            called_at.pop_front();
        }
        called_at.push_back(now);
        self.most_calls
            .set(self.most_calls.get().max(called_at.len()));
        called_at.len() <= self.calls_a_second.get()
    }

    /// Makes a message arrive some time later.
    pub fn later(&self, message: impl FnOnce(&Self) + 'static) {
        self.within(LIFE_MILLIS as u64 / 20, message);
    }

    /// Makes a message arrive after its sender may have been given up.
    pub fn much_later(&self, message: impl FnOnce(&Self) + 'static) {
        self.within(MAX_LINGER_MILLIS, message);
    }

    fn within(&self, millis: u64, message: impl FnOnce(&Self) + 'static) {
        let due = self.clock.get() + self.random.below(millis) as i64;
        self.late.borrow_mut().push((due, Box::new(message)));
    }

    /// Lets a moment pass, rarely a long one; returns true if it exceeded a request's lifetime.
    pub fn time_passes(&self) -> bool {
        if self.is_timeless.get() {
            return false;
        }
        let jump = if self.random.chance(self.storm.get().jump) {
            *self.random.pick(&[
                5_000,
                61_000,
                5 * 60_000,
                11 * 60_000,
                31 * 60_000,
                61 * 60_000,
            ])
        } else {
            self.random.below(self.moment) as i64
        };
        self.advance(jump)
    }

    /// Advances the clock. Messages arrive before it has advanced by more than their lifetime.
    pub fn advance(&self, millis: i64) -> bool {
        let outlives = millis > LIFE_MILLIS;
        if outlives {
            self.note(format!("the clock jumps by {} s", millis / 1000));
        }
        self.clock
            .set(self.clock.get() + if outlives { LIFE_MILLIS } else { millis });
        loop {
            let now = self.clock.get();
            let due = self.late.borrow().iter().position(|(due, _)| *due <= now);
            let Some(at) = due else { break };
            let (_, message) = self.late.borrow_mut().remove(at);
            self.touched.set(true);
            message(self);
        }
        if outlives {
            self.clock.set(self.clock.get() + millis - LIFE_MILLIS);
            self.touched.set(true);
        }
        for provider in [&self.provider, &self.second] {
            provider.borrow_mut().expire(self.now());
        }
        outlives
    }
}

/// Returns the storm of a seed: some are calm, some have one kind of fault, some all of them.
fn storm_of(random: &Random) -> Storm {
    let level = |random: &Random| *random.pick(&[0, 0, 10, 40]);
    Storm {
        fail: level(random),
        fail_after: level(random),
        late: level(random),
        repeat: level(random),
        crash: level(random),
        jump: *random.pick(&[0, 2, 8]),
        outage: *random.pick(&[0, 0, 20]),
        linger: *random.pick(&[0, 0, 0, LINGERS]),
    }
}
