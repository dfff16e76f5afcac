//! The world of one seed: the clock, the storm, and everything the shop talks to.

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
use shop::messages::mail::EmailJob;
use shop::payments::provider::ProviderId;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use storefront::store::pricing::price_list::ListingCache;
use storefront::store::pricing::settings::SettingsCache;

/// Frequencies of faults, per thousand.
#[derive(Clone, Copy, Default)]
pub struct Storm {
    /// A call fails and nothing was done.
    pub fail: u64,
    /// A call fails though it was done.
    pub fail_after: u64,
    /// A call is given up, and its message arrives later.
    pub late: u64,
    /// A call's message arrives a second time, later.
    pub repeat: u64,
    /// A request ends without a word.
    pub crash: u64,
    /// The clock jumps.
    pub jump: u64,
    /// The provider is gone for a while.
    pub outage: u64,
    /// A request outlives everyone's patience before it freezes its cart, or before it writes its
    /// order, and dies then.
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
    /// Another one, which tests of two ask for payments.
    pub second: RefCell<Provider>,
    /// The provider that takes the payments of new orders.
    pub new_payments: Cell<ProviderId>,
    /// The settings that the shop read last.
    pub settings: SettingsCache,
    /// The listings that the shop read before.
    pub listings: ListingCache,
    /// Refusals that the shop remembers.
    pub refusals: RefCell<Refusals>,
    /// Number of requests for an order that each key has made.
    pub keys: RefCell<BTreeMap<String, u32>>,
    /// Calls that the shop has made.
    pub costs: Cell<Costs>,
    /// Milliseconds that pass between two steps at most, but for jumps.
    moment: u64,
    /// Statements that the shop has asked for.
    pub statements: Cell<u32>,
    /// True while the clock moves by itself.
    pub is_timeless: Cell<bool>,
    /// Events that the shop keeps, and whether they were dealt with.
    pub inbox: RefCell<BTreeMap<String, bool>>,
    /// Ids on the queue.
    pub queue: RefCell<Vec<String>>,
    /// News of the carts on their way.
    pub news: RefCell<Vec<ObjectEvent>>,
    /// Letters on their queue.
    pub letters: RefCell<Vec<EmailJob>>,
    /// Keys of the letters that the mail provider has sent.
    pub sent: RefCell<BTreeSet<String>>,
    /// Confirmations that it has sent, by order.
    pub mails: RefCell<BTreeMap<String, u32>>,
    pub spawned: RefCell<Vec<Task>>,
    /// True if something was written since the invariants were last checked.
    pub touched: Cell<bool>,
    pub in_request: Cell<bool>,
    pub crashed: Cell<bool>,
    /// Number of steps of requests until one crashes.
    pub crash_at: Cell<Option<u32>>,
    late: RefCell<Vec<(i64, Late)>>,
    /// True while the database takes no writes.
    pub refuses_writes: Cell<bool>,
    /// True while the shop leaves the provider alone.
    pub is_left_alone: Cell<bool>,
    /// Calls that the provider takes in any second.
    pub calls_a_second: Cell<usize>,
    /// The most calls of any second.
    pub most_calls: Cell<usize>,
    /// Instants of the last calls of the provider.
    called_at: RefCell<VecDeque<i64>>,
    /// Until when the provider answers nothing.
    gone_until: Cell<i64>,
    clock: Cell<i64>,
    names: Cell<u64>,
    trace: RefCell<Vec<String>>,
}

/// Milliseconds that a message, or a request, lives at most.
const LIFE_MILLIS: i64 = 55_000;

/// Milliseconds for which a request that outlives everyone's patience does so at most.
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
        // Memory is short: what it tells is asked for at once, or never.
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

    /// Counts something that the shop has asked for.
    pub fn count(&self, what: impl FnOnce(&mut Costs)) {
        let mut costs = self.costs.get();
        what(&mut costs);
        self.costs.set(costs);
    }

    /// Counts statements that the shop has asked for.
    pub fn count_statements(&self, more: usize) {
        self.statements.set(self.statements.get() + more as u32);
    }

    /// An id that no other has, in a form that can be read in a trace.
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

    /// True if a request crashes at this step.
    pub fn crashes_here(&self) -> bool {
        let chosen = self.crash_at.get();
        self.crash_at
            .set(chosen.and_then(|left| left.checked_sub(1)));
        chosen == Some(0) || self.random.chance(self.storm.get().crash)
    }

    /// True if the provider answers. Now and then it stops, for longer than a session's request can
    /// be repeated.
    pub fn provider_answers(&self) -> bool {
        let now = self.clock.get();
        if now >= self.gone_until.get() && self.random.chance(self.storm.get().outage) {
            self.gone_until.set(now + 40 * 60_000);
            self.note("the provider is gone for 40 minutes".to_owned());
        }
        now >= self.gone_until.get()
    }

    /// Takes one more call of the provider's; false when this second has had enough.
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

    /// Has a message arrive some time later.
    pub fn later(&self, message: impl FnOnce(&Self) + 'static) {
        self.within(LIFE_MILLIS as u64 / 20, message);
    }

    /// Has a message arrive after others may have given up whoever sent it.
    pub fn much_later(&self, message: impl FnOnce(&Self) + 'static) {
        self.within(MAX_LINGER_MILLIS, message);
    }

    fn within(&self, millis: u64, message: impl FnOnce(&Self) + 'static) {
        let due = self.clock.get() + self.random.below(millis) as i64;
        self.late.borrow_mut().push((due, Box::new(message)));
    }

    /// A moment passes, seldom a long one: true when it was longer than a request lives.
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

    /// Moves the clock. Messages on their way arrive before it has moved by more than they live.
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

/// Some seeds are calm, some have one kind of trouble, some all.
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
