//! The uses of one limited promotion: held for a checkout, consumed by a paid order.
//!
//! Never more uses are held and consumed than the limits allow, in total and per customer. A hold
//! expires within minutes (it is `reserved`) until it is pinned; a pinned hold does not expire,
//! because its payment session can still be paid. A hold ends exactly once: by expiry, by release,
//! or, once consumed, by return. Releasing a hold that was never seen leaves a tombstone, which
//! refuses the hold if it arrives late. Each hold carries its limits, so that the limits of its
//! quote apply. Held uses are in memory; consumed and ended ones, and the number of uses of each
//! customer, are past.

use crate::Timestamp;
use crate::machine::{Machine, Place, ReplyOf};
use crate::news::ObjectEvent;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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

/// Maximum number of uses; `None` means unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Maximum number of uses in total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// Maximum number of uses by each customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_customer: Option<u32>,
}

/// A command to a promotion. A `hold_id` names order and attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Holds a use for a checkout, for `ttl_secs` seconds unless pinned.
    Hold {
        /// ID of the hold, which names the order and the attempt.
        hold_id: String,
        /// Digest that identifies the customer.
        customer: String,
        /// Limits that apply to this hold.
        limits: Limits,
        /// Seconds until the hold expires.
        ttl_secs: u32,
    },
    /// Stops the hold from expiring, because a payment session that can be paid is about to exist.
    Pin {
        /// ID of the hold.
        hold_id: String,
    },
    /// Releases the use.
    Release {
        /// ID of the hold.
        hold_id: String,
    },
    /// Consumes the use, because the order is paid.
    Consume {
        /// ID of the hold.
        hold_id: String,
    },
    /// Returns the use, because the whole paid order was cancelled.
    Return {
        /// ID of the hold.
        hold_id: String,
    },
}

impl Command {
    fn hold_id(&self) -> &str {
        match self {
            Self::Hold { hold_id, .. }
            | Self::Pin { hold_id }
            | Self::Release { hold_id }
            | Self::Consume { hold_id }
            | Self::Return { hold_id } => hold_id,
        }
    }
}

/// An event in the life of a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A use was held.
    Held {
        /// ID of the hold.
        hold_id: String,
        /// Digest of the customer.
        customer: String,
        /// Instant at which it expires unless pinned.
        expires_at: Timestamp,
    },
    /// A hold was pinned and no longer expires.
    Pinned {
        /// ID of the hold.
        hold_id: String,
    },
    /// A hold ended and its use is free again. The ID is remembered until `forget_at`.
    Released {
        /// ID of the hold.
        hold_id: String,
        /// Digest of the customer; `None` means the use was never held.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
        /// Instant from which the tombstone may be deleted.
        forget_at: Timestamp,
        /// True when the use had been consumed by a paid order. Absent in events of earlier
        /// versions.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        was_consumed: bool,
    },
    /// The use belongs to a paid order. It can be returned until `settles_at`.
    Consumed {
        /// ID of the hold.
        hold_id: String,
        /// Instant from which it counts for good.
        settles_at: Timestamp,
    },
    /// The ID is no longer remembered. Written by earlier versions only.
    Forgotten {
        /// ID of the hold.
        hold_id: String,
    },
}

/// Reason why a promotion refused a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The promotion has been used as often as its limit allows.
    UsedUp {
        /// True while other checkouts have holds that expire, so that a use may become free within
        /// minutes.
        contended: bool,
    },
    /// This customer has used the promotion as often as the limit allows.
    UsedUpByCustomer,
    /// There is no such hold, or it has ended; hold again under a new attempt.
    HoldEnded,
    /// The use belongs to a paid order and can't be released.
    AlreadyConsumed,
    /// The use belongs to no paid order.
    NotConsumed,
    /// The ID names a hold of another customer.
    HoldMismatch,
}

/// State as shown to the shop's use cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Number of uses held for checkouts, expiring or pinned.
    pub held: u32,
    /// Number of held uses that still expire.
    pub reserved: u32,
    /// Number of uses consumed by paid orders.
    pub consumed: u32,
    /// Number of changes so far.
    pub version: u64,
}

impl View {
    /// Returns true when nobody can use the promotion now.
    #[must_use]
    pub fn is_used_up(&self, limits: Limits) -> bool {
        let taken = self.held.saturating_add(self.consumed);
        limits.total.is_some_and(|total| taken >= total)
    }
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Use {
    status: UseStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UseStatus {
    Reserved { expires_at: Timestamp },
    Pinned,
    Consumed { settles_at: Timestamp },
    Tombstone { forget_at: Timestamp },
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

/// Decisions, one method per command.
impl Promotion {
    fn hold(
        &self,
        hold_id: &str,
        customer: &str,
        limits: Limits,
        ttl_secs: u32,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        if let Some(known) = self.known(hold_id, now) {
            return match known.status {
                UseStatus::Tombstone { .. } => Err(Refusal::HoldEnded),
                _ if known.customer.as_deref() == Some(customer) => Ok(vec![]),
                _ => Err(Refusal::HoldMismatch),
            };
        }
        let of_customer = self.customers.get(customer).copied().unwrap_or(0);
        if limits.per_customer.is_some_and(|most| of_customer >= most) {
            return Err(Refusal::UsedUpByCustomer);
        }
        if self.totals.is_used_up(limits) {
            let contended = self.totals.reserved > 0;
            return Err(Refusal::UsedUp { contended });
        }
        Ok(vec![Event::Held {
            hold_id: hold_id.to_owned(),
            customer: customer.to_owned(),
            expires_at: now.plus_secs(ttl_secs),
        }])
    }

    fn pin(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id, now) {
            Some(UseStatus::Reserved { .. }) => Ok(vec![Event::Pinned {
                hold_id: hold_id.to_owned(),
            }]),
            Some(UseStatus::Pinned | UseStatus::Consumed { .. }) => Ok(vec![]),
            Some(UseStatus::Tombstone { .. }) | None => Err(Refusal::HoldEnded),
        }
    }

    fn release(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id, now) {
            Some(UseStatus::Reserved { .. } | UseStatus::Pinned) | None => {
                Ok(vec![self.released(hold_id, now)])
            }
            Some(UseStatus::Tombstone { .. }) => Ok(vec![]),
            Some(UseStatus::Consumed { .. }) => Err(Refusal::AlreadyConsumed),
        }
    }

    fn consume(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id, now) {
            Some(UseStatus::Reserved { .. } | UseStatus::Pinned) => Ok(vec![Event::Consumed {
                hold_id: hold_id.to_owned(),
                settles_at: now.plus_secs(RETURNABLE_SECS),
            }]),
            Some(UseStatus::Consumed { .. }) => Ok(vec![]),
            Some(UseStatus::Tombstone { .. }) | None => Err(Refusal::HoldEnded),
        }
    }

    /// Returns the use, unless it already counts for good: then it is no longer known, and stays.
    fn give_back(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id, now) {
            Some(UseStatus::Consumed { .. }) => Ok(vec![self.released(hold_id, now)]),
            Some(UseStatus::Tombstone { .. }) | None => Ok(vec![]),
            Some(UseStatus::Reserved { .. } | UseStatus::Pinned) => Err(Refusal::NotConsumed),
        }
    }

    /// Returns the hold; `None` means it was never held, or ended so long ago that no request for
    /// it can still arrive.
    fn known(&self, hold_id: &str, now: Timestamp) -> Option<&Use> {
        let known = self.uses.get(hold_id).or_else(|| self.ended.get(hold_id))?;
        let forget_at = known.status.forget_at();
        Some(known).filter(|_| forget_at.is_none_or(|at| now < at))
    }

    fn status(&self, hold_id: &str, now: Timestamp) -> Option<UseStatus> {
        self.known(hold_id, now).map(|known| known.status)
    }

    fn released(&self, hold_id: &str, now: Timestamp) -> Event {
        let known = self.known(hold_id, now);
        Event::Released {
            hold_id: hold_id.to_owned(),
            customer: known.and_then(|it| it.customer.clone()),
            forget_at: now.plus_secs(TOMBSTONE_SECS),
            was_consumed: known.is_some_and(|it| matches!(it.status, UseStatus::Consumed { .. })),
        }
    }
}

/// Bookkeeping: each hold is counted in exactly one total.
impl Promotion {
    fn put(&mut self, hold_id: &str, known: Use) {
        self.take(hold_id);
        self.count(known.status, 1);
        self.index(hold_id, known);
    }

    fn move_to(&mut self, hold_id: &str, status: UseStatus) {
        if let Some(known) = self.take(hold_id) {
            self.put(hold_id, Use { status, ..known });
        }
    }

    fn end(&mut self, hold_id: &str, customer: Option<&str>, forget_at: Timestamp) {
        if let Some(uses) = customer.and_then(|it| self.customers.get_mut(it)) {
            *uses = uses.saturating_sub(1);
        }
        let status = UseStatus::Tombstone { forget_at };
        let customer = None;
        self.put(hold_id, Use { status, customer });
    }

    /// Removes a held use and its count in the totals. A consumed use stays counted.
    fn take(&mut self, hold_id: &str) -> Option<Use> {
        self.ended.remove(hold_id);
        let known = self.uses.remove(hold_id)?;
        if let UseStatus::Reserved { expires_at } = known.status {
            self.ends.remove(&(expires_at, hold_id.to_owned()));
        }
        self.count(known.status, -1);
        Some(known)
    }

    fn index(&mut self, hold_id: &str, known: Use) {
        if known.status.forget_at().is_some() {
            self.ended.insert(hold_id.to_owned(), known);
            return;
        }
        if let UseStatus::Reserved { expires_at } = known.status {
            self.ends.insert((expires_at, hold_id.to_owned()));
        }
        self.uses.insert(hold_id.to_owned(), known);
    }

    fn count(&mut self, status: UseStatus, change: i32) {
        let View {
            held,
            reserved,
            consumed,
            ..
        } = &mut self.totals;
        match status {
            UseStatus::Reserved { .. } => {
                *held = held.saturating_add_signed(change);
                *reserved = reserved.saturating_add_signed(change);
            }
            UseStatus::Pinned => *held = held.saturating_add_signed(change),
            UseStatus::Consumed { .. } => *consumed = consumed.saturating_add_signed(change),
            UseStatus::Tombstone { .. } => {}
        }
    }
}

impl UseStatus {
    /// Returns the instant from which the ID may be forgotten; `None` means it is still held. A
    /// consumed use still counts, in total and for its customer.
    const fn forget_at(self) -> Option<Timestamp> {
        match self {
            Self::Consumed { settles_at } => Some(settles_at),
            Self::Tombstone { forget_at } => Some(forget_at),
            Self::Reserved { .. } | Self::Pinned => None,
        }
    }
}

#[cfg(test)]
mod tests {
    //! Stored JSON must stay readable after a deploy: only ever add to these samples.

    use super::*;

    #[test]
    fn stored_rows_still_read() {
        let rows = [
            (
                "totals",
                r#"{"held":2,"reserved":1,"consumed":3,"version":7}"#,
            ),
            (
                "use/a",
                r#"{"status":{"reserved":{"expires_at":1000}},"customer":"9f"}"#,
            ),
            ("use/b", r#"{"status":"pinned","customer":"9f"}"#),
            (
                "use/c",
                r#"{"status":{"consumed":{"settles_at":3000}},"customer":"9f"}"#,
            ),
            ("use/d", r#"{"status":{"tombstone":{"forget_at":2000}}}"#),
            ("customer/9f", "3"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));

        let promotion = Promotion::default().restore(&rows).unwrap();

        assert_eq!(promotion.wake_at(), Some(Timestamp::from_millis(1000)));
        for (key, value) in rows {
            assert_eq!(promotion.row(&key).unwrap(), Some(value));
        }
    }

    #[test]
    fn stored_events_still_read() {
        for stored in [
            r#"{"held":{"hold_id":"a","customer":"9f","expires_at":1000}}"#,
            r#"{"pinned":{"hold_id":"a"}}"#,
            r#"{"released":{"hold_id":"a","customer":"9f","forget_at":2000}}"#,
            r#"{"released":{"hold_id":"a","forget_at":2000}}"#,
            r#"{"released":{"hold_id":"a","customer":"9f","forget_at":2000,"was_consumed":true}}"#,
            r#"{"consumed":{"hold_id":"a","settles_at":3000}}"#,
            r#"{"forgotten":{"hold_id":"a"}}"#,
        ] {
            let event: Event = crate::json::read(stored).unwrap();
            assert_eq!(serde_json::to_string(&event).unwrap(), stored);
        }
    }
}
