//! The uses of one limited promotion: held for a checkout, consumed by a paid order.
//!
//! Never more uses are held and consumed than the limits allow, in total and per customer. A hold
//! expires within minutes (it is `reserved`) until it is pinned; a pinned hold does not expire,
//! because its payment session can still be paid. A hold ends exactly once: by expiry, by release,
//! or, once consumed, by return. Releasing a hold that was never seen leaves a tombstone, which
//! refuses the hold if it arrives late. Each hold carries its limits, so that the limits of its
//! quote apply. Held uses are in memory; consumed and ended ones, and the number of uses of each
//! customer, are past.

mod judgements;
mod messages;
mod records;
#[cfg(test)]
mod tests;
mod uses;

pub use messages::{Command, Event, Limits, Refusal, View};

use crate::Timestamp;
use crate::machine::{Machine, Place, ReplyOf};
use crate::news::ObjectEvent;
use std::collections::{BTreeMap, BTreeSet};
use uses::{Use, UseStatus};

/// Seconds that an ended hold is remembered, so that a late request for the same hold is refused.
pub const TOMBSTONE_SECS: u32 = crate::stock::TOMBSTONE_SECS;

/// Seconds for which a consumed use can be returned because its order was cancelled; afterwards it
/// counts for good.
pub const RETURNABLE_SECS: u32 = 90 * 24 * 60 * 60;

/// Maximum number of holds that one command or alarm ends because they have expired.
const DUE_AT_ONCE: usize = 500;

/// Key of the row of totals, a [`View`].
pub const TOTALS_KEY: &str = "totals";

const USE_PREFIX: &str = "use/";
const CUSTOMER_PREFIX: &str = "customer/";

fn use_key(hold_id: &str) -> String {
    format!("{USE_PREFIX}{hold_id}")
}

/// Returns the key of the row that counts a customer's uses.
#[must_use]
pub fn customer_key(customer: &str) -> String {
    format!("{CUSTOMER_PREFIX}{customer}")
}

/// Returns the name of the object that counts the uses of promotion `id`.
#[must_use]
pub fn object_name(id: &str) -> String {
    id.to_owned()
}

/// Reply of a promotion object.
pub type Reply = ReplyOf<Promotion>;

/// The machine of a promotion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promotion {
    totals: View,
    /// Held uses, by hold ID.
    uses: BTreeMap<String, Use>,
    /// Holds that expire, by instant of expiry.
    ends: BTreeSet<(Timestamp, String)>,
    /// Past rows in memory: consumed and ended uses.
    ended: BTreeMap<String, Use>,
    /// Past rows in memory: number of held and consumed uses by customer.
    customers: BTreeMap<String, u32>,
}

impl Machine for Promotion {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type View = View;

    const PAST_AMONG_OPEN: &'static [(&'static str, &'static str)] = &[
        ("use/*", "*\"tombstone\":{*"),
        ("use/*", "*\"consumed\":{*"),
        ("customer/*", "*"),
    ];

    fn decide(&self, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Hold {
                hold_id,
                customer,
                limits,
                ttl_secs,
            } => self.hold(hold_id, customer, *limits, *ttl_secs, now),
            Command::Pin { hold_id } => self.pin(hold_id, now),
            Command::Release { hold_id } => self.release(hold_id, now),
            Command::Consume { hold_id } => self.consume(hold_id, now),
            Command::Return { hold_id } => self.give_back(hold_id, now),
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        self.totals.version = self.totals.version.saturating_add(1);
        match event {
            Event::Held {
                hold_id,
                customer,
                expires_at,
            } => {
                let uses = self.customers.entry(customer.clone()).or_default();
                *uses = uses.saturating_add(1);
                let status = UseStatus::Reserved {
                    expires_at: *expires_at,
                };
                let customer = Some(customer.clone());
                self.put(hold_id, Use { status, customer });
            }
            Event::Pinned { hold_id } => self.move_to(hold_id, UseStatus::Pinned),
            Event::Consumed {
                hold_id,
                settles_at,
            } => {
                let settles_at = *settles_at;
                self.move_to(hold_id, UseStatus::Consumed { settles_at });
            }
            Event::Released {
                hold_id,
                customer,
                forget_at,
                was_consumed,
            } => {
                let is_consumed =
                    matches!(self.status(hold_id, at), Some(UseStatus::Consumed { .. }));
                if *was_consumed || is_consumed {
                    self.totals.consumed = self.totals.consumed.saturating_sub(1);
                }
                self.end(hold_id, customer.as_deref(), *forget_at);
            }
            Event::Forgotten { hold_id } => {
                self.ended.remove(hold_id);
            }
        }
    }

    fn due(&self, now: Timestamp) -> Vec<Event> {
        self.ends
            .iter()
            .take_while(|(ends_at, _)| *ends_at <= now)
            .take(DUE_AT_ONCE)
            .map(|(_, hold_id)| self.released(hold_id, now))
            .collect()
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.ends.first().map(|(at, _)| *at)
    }

    fn view(&self) -> View {
        self.totals
    }

    fn news(&self, _name: &str, _before: &View, _events: &[Event]) -> Vec<ObjectEvent> {
        vec![]
    }

    fn asks_for(&self, command: &Command) -> Vec<String> {
        let hold_id = command.hold_id();
        if self.uses.contains_key(hold_id) {
            return vec![];
        }
        let mut keys = vec![use_key(hold_id)];
        if let Command::Hold { customer, .. } = command {
            keys.push(customer_key(customer));
        }
        keys
    }

    fn builds_on(event: &Event) -> Option<String> {
        match event {
            Event::Held { customer, .. } => Some(customer_key(customer)),
            Event::Released { customer, .. } => customer.as_deref().map(customer_key),
            _ => None,
        }
    }

    fn recall(&mut self, key: &str, value: &str) -> Result<(), serde_json::Error> {
        if let Some(hold_id) = key.strip_prefix(USE_PREFIX) {
            self.index(hold_id, crate::json::read(value)?);
        } else if let Some(customer) = key.strip_prefix(CUSTOMER_PREFIX) {
            let uses = crate::json::read(value)?;
            self.customers.insert(customer.to_owned(), uses);
        } else {
            self.totals = crate::json::read(value)?;
        }
        Ok(())
    }

    fn let_go(&mut self) {
        self.ended.clear();
        self.customers.clear();
    }

    /// The count of a customer without uses may be deleted.
    fn place(&self, key: &str) -> Place {
        if let Some(customer) = key.strip_prefix(CUSTOMER_PREFIX) {
            let is_none = self.customers.get(customer).is_none_or(|uses| *uses == 0);
            let forget_at = is_none.then(Timestamp::default);
            return Place::Past { forget_at };
        }
        let ended = key
            .strip_prefix(USE_PREFIX)
            .and_then(|hold_id| self.ended.get(hold_id));
        ended.map_or(Place::Open, |known| Place::Past {
            forget_at: known.status.forget_at(),
        })
    }

    fn touched(event: &Event) -> Vec<String> {
        let mut keys = vec![TOTALS_KEY.to_owned()];
        let (hold_id, customer) = match event {
            Event::Held {
                hold_id, customer, ..
            } => (hold_id, Some(customer)),
            Event::Released {
                hold_id, customer, ..
            } => (hold_id, customer.as_ref()),
            Event::Pinned { hold_id }
            | Event::Consumed { hold_id, .. }
            | Event::Forgotten { hold_id } => (hold_id, None),
        };
        keys.push(use_key(hold_id));
        keys.extend(customer.map(|customer| customer_key(customer)));
        keys
    }

    fn keys(&self) -> Vec<String> {
        let mut keys = vec![];
        if self.totals.version > 0 {
            keys.push(TOTALS_KEY.to_owned());
        }
        let uses = self.uses.keys().chain(self.ended.keys());
        keys.extend(uses.map(|hold_id| use_key(hold_id)));
        keys.extend(self.customers.keys().map(|it| customer_key(it)));
        keys
    }

    fn row(&self, key: &str) -> Result<Option<String>, serde_json::Error> {
        if key == TOTALS_KEY {
            return serde_json::to_string(&self.totals).map(Some);
        }
        if let Some(hold_id) = key.strip_prefix(USE_PREFIX) {
            let found = self.uses.get(hold_id).or_else(|| self.ended.get(hold_id));
            return found.map(serde_json::to_string).transpose();
        }
        let uses = key
            .strip_prefix(CUSTOMER_PREFIX)
            .and_then(|customer| self.customers.get(customer));
        uses.map(serde_json::to_string).transpose()
    }
}
