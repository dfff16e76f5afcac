//! The units of one SKU: on hand, held for a checkout, committed to a paid order.
//!
//! Always `held + committed ≤ on_hand + backorder_cap`. A hold expires within minutes (it is
//! `reserved`) until it is pinned. A pinned hold does not expire, because its payment session can
//! still be paid: it ends only by commit or release. A hold ends exactly once: committed (and then
//! shipped or restocked), released or expired. Releasing a hold that was never seen leaves a
//! tombstone, which refuses the hold if it arrives late, so that a delayed message can't strand
//! units. Open holds are in memory; ended holds and the number of units that each customer has
//! bought are past.
//!
//! The public sees an availability and never a number. An event is sent when that availability
//! changes.

mod holds;
mod judgements;
pub mod messages;
mod records;
#[cfg(test)]
mod tests;

pub use judgements::{SETTLED_SECS, TOMBSTONE_SECS};
pub use messages::{
    Availability, Command, Event, LOW_THRESHOLD, MAX_QUANTITY, MAX_REASON_BYTES, PublicStock,
    Refusal, ReleaseReason, Settings, View,
};

use crate::Timestamp;
use crate::machine::{Machine, Place, ReplyOf};
use crate::news::ObjectEvent;
use holds::{Hold, HoldStatus, Totals};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of holds that one command or alarm ends because they have expired. The next alarm
/// continues at once.
const DUE_AT_ONCE: usize = 500;

const TOTALS_KEY: &str = "totals";
const SETTINGS_KEY: &str = "settings";
const HOLD_PREFIX: &str = "hold/";
const BUYER_PREFIX: &str = "buyer/";

/// Returns the name of the object that decides over `sku`. `shard` is 0 until one object is too
/// slow for one SKU.
#[must_use]
pub fn object_name(sku: &str, shard: u32) -> String {
    format!("{sku}#{shard}")
}

/// Returns the SKU of the object `name`.
#[must_use]
pub fn sku_of(name: &str) -> &str {
    name.rsplit_once('#').map_or(name, |(sku, _)| sku)
}
/// Reply of a stock object.
pub type Reply = ReplyOf<Stock>;

/// The machine of a SKU's stock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    totals: Totals,
    settings: Settings,
    /// Open holds, by ID.
    holds: BTreeMap<String, Hold>,
    /// Holds that expire, by instant of expiry.
    ends: BTreeSet<(Timestamp, String)>,
    /// Past rows in memory: ended holds.
    ended: BTreeMap<String, Hold>,
    /// Past rows in memory: units held and bought under a purchase limit, by customer.
    buyers: BTreeMap<String, u32>,
}

impl Machine for Stock {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type View = View;

    const PAST_AMONG_OPEN: &'static [(&'static str, &'static str)] = &[
        ("hold/*", "*\"tombstone\":{*"),
        ("hold/*", "*\"shipped\":{*"),
        ("buyer/*", "*"),
    ];

    fn decide(&self, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Receive { quantity } => self.receive(*quantity),
            Command::Adjust { by, reason } => self.adjust(*by, reason),
            Command::Count { quantity, reason } => self.recount(*quantity, reason),
            Command::WriteOff { quantity, reason } => self.write_off(*quantity, reason),
            Command::Return { quantity, reason } => self.take_back(*quantity, reason),
            Command::Configure { settings } => self.configure(*settings),
            Command::Hold {
                hold_id,
                quantity,
                ttl_secs,
                customer,
            } => self.hold(
                hold_id,
                *quantity,
                now.plus_secs(*ttl_secs),
                customer.as_deref(),
                now,
            ),
            Command::Extend { hold_id, ttl_secs } => {
                self.extend(hold_id, now.plus_secs(*ttl_secs), now)
            }
            Command::Pin { hold_id } => self.pin(hold_id, now),
            Command::Release { hold_id } => self.release(hold_id, now),
            Command::Commit { hold_id } => self.commit(hold_id, now),
            Command::Restock { hold_id } => self.restock(hold_id, now),
            Command::Ship { hold_id, quantity } => self.ship(hold_id, *quantity, now),
        }
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        self.totals.version = self.totals.version.saturating_add(1);
        match event {
            Event::Received { quantity } | Event::Returned { quantity, .. } => {
                self.count(i64::from(*quantity));
            }
            Event::WrittenOff { quantity, .. } => {
                self.count(i64::from(*quantity).saturating_neg());
            }
            Event::Adjusted { by, .. } => self.count(i64::from(*by)),
            Event::Configured { settings } => self.settings = *settings,
            Event::Held {
                hold_id,
                quantity,
                expires_at,
                customer,
            } => {
                if let Some(customer) = customer {
                    self.buys(customer, *quantity);
                }
                self.put(
                    hold_id,
                    Hold {
                        quantity: *quantity,
                        status: HoldStatus::Reserved {
                            expires_at: *expires_at,
                        },
                        customer: customer.clone(),
                    },
                );
            }
            Event::Extended {
                hold_id,
                expires_at,
            } => self.move_to(
                hold_id,
                HoldStatus::Reserved {
                    expires_at: *expires_at,
                },
            ),
            Event::Pinned { hold_id } => self.move_to(hold_id, HoldStatus::Pinned),
            Event::Committed { hold_id } => self.move_to(hold_id, HoldStatus::Committed),
            Event::Released {
                hold_id, forget_at, ..
            } => {
                self.unbuys(hold_id);
                self.put(hold_id, Hold::tombstone(*forget_at));
            }
            Event::Shipped {
                hold_id,
                quantity,
                forget_at,
            } => self.leave(hold_id, *quantity, *forget_at),
            Event::Forgotten { hold_id } => {
                self.take(hold_id);
            }
        }
    }

    fn due(&self, now: Timestamp) -> Vec<Event> {
        self.ends
            .iter()
            .take_while(|(ends_at, _)| *ends_at <= now)
            .take(DUE_AT_ONCE)
            .map(|(_, hold_id)| self.released(hold_id, ReleaseReason::Expired, now))
            .collect()
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.ends.first().map(|(at, _)| *at)
    }

    fn view(&self) -> View {
        let Totals {
            on_hand,
            reserved,
            pinned,
            committed,
            version,
        } = self.totals;
        View {
            on_hand,
            held: reserved.saturating_add(pinned),
            reserved,
            committed,
            available: self.available(),
            settings: self.settings,
            stock: self.word(),
            version,
        }
    }

    fn news(&self, name: &str, before: &View, _events: &[Event]) -> Vec<ObjectEvent> {
        let stock = self.view().public();
        if stock.reads_like(&before.public()) {
            return vec![];
        }
        let sku = sku_of(name).to_owned();
        vec![ObjectEvent::StockChanged { sku, stock }]
    }

    fn standing_news(&self, name: &str) -> Option<ObjectEvent> {
        let (sku, stock) = (sku_of(name).to_owned(), self.view().public());
        Some(ObjectEvent::StockChanged { sku, stock })
    }

    fn asks_for(&self, command: &Command) -> Vec<String> {
        let Some(hold_id) = command.hold_id() else {
            return vec![];
        };
        if self.holds.contains_key(hold_id) {
            return vec![];
        }
        let mut keys = vec![hold_key(hold_id)];
        if let Command::Hold {
            customer: Some(customer),
            ..
        } = command
            && self.settings.purchase_limit.is_some()
        {
            keys.push(buyer_key(customer));
        }
        keys
    }

    fn builds_on(event: &Event) -> Option<String> {
        match event {
            Event::Held { customer, .. } | Event::Released { customer, .. } => {
                customer.as_deref().map(buyer_key)
            }
            _ => None,
        }
    }

    fn recall(&mut self, key: &str, value: &str) -> Result<(), serde_json::Error> {
        if let Some(hold_id) = key.strip_prefix(HOLD_PREFIX) {
            self.index(hold_id, crate::json::read(value)?);
        } else if let Some(customer) = key.strip_prefix(BUYER_PREFIX) {
            let units = crate::json::read(value)?;
            self.buyers.insert(customer.to_owned(), units);
        } else if key == SETTINGS_KEY {
            self.settings = crate::json::read(value)?;
        } else {
            self.totals = crate::json::read(value)?;
        }
        Ok(())
    }

    fn let_go(&mut self) {
        self.ended.clear();
        self.buyers.clear();
    }

    /// The count of a customer without units may be deleted.
    fn place(&self, key: &str) -> Place {
        if let Some(customer) = key.strip_prefix(BUYER_PREFIX) {
            let is_none = self.buyers.get(customer).is_none_or(|units| *units == 0);
            let forget_at = is_none.then(Timestamp::default);
            return Place::Past { forget_at };
        }
        let ended = key
            .strip_prefix(HOLD_PREFIX)
            .and_then(|hold_id| self.ended.get(hold_id));
        ended.map_or(Place::Open, |hold| Place::Past {
            forget_at: hold.status.forget_at(),
        })
    }

    fn touched(event: &Event) -> Vec<String> {
        let mut keys = vec![TOTALS_KEY.to_owned()];
        match event {
            Event::Received { .. }
            | Event::Adjusted { .. }
            | Event::WrittenOff { .. }
            | Event::Returned { .. } => {}
            Event::Configured { .. } => keys.push(SETTINGS_KEY.to_owned()),
            Event::Held {
                hold_id, customer, ..
            }
            | Event::Released {
                hold_id, customer, ..
            } => {
                keys.push(hold_key(hold_id));
                keys.extend(customer.as_deref().map(buyer_key));
            }
            Event::Extended { hold_id, .. }
            | Event::Pinned { hold_id }
            | Event::Committed { hold_id }
            | Event::Shipped { hold_id, .. }
            | Event::Forgotten { hold_id } => keys.push(hold_key(hold_id)),
        }
        keys
    }

    fn keys(&self) -> Vec<String> {
        let mut keys = vec![];
        if self.totals.version > 0 {
            keys.push(TOTALS_KEY.to_owned());
        }
        if self.settings != Settings::default() {
            keys.push(SETTINGS_KEY.to_owned());
        }
        let holds = self.holds.keys().chain(self.ended.keys());
        keys.extend(holds.map(|hold_id| hold_key(hold_id)));
        keys.extend(self.buyers.keys().map(|customer| buyer_key(customer)));
        keys
    }

    fn row(&self, key: &str) -> Result<Option<String>, serde_json::Error> {
        if key == TOTALS_KEY {
            return serde_json::to_string(&self.totals).map(Some);
        }
        if key == SETTINGS_KEY {
            let changed = self.settings != Settings::default();
            return changed
                .then(|| serde_json::to_string(&self.settings))
                .transpose();
        }
        if let Some(hold_id) = key.strip_prefix(HOLD_PREFIX) {
            let hold = self.holds.get(hold_id).or_else(|| self.ended.get(hold_id));
            return hold.map(serde_json::to_string).transpose();
        }
        let units = key
            .strip_prefix(BUYER_PREFIX)
            .and_then(|customer| self.buyers.get(customer));
        units.map(serde_json::to_string).transpose()
    }
}

fn hold_key(hold_id: &str) -> String {
    format!("{HOLD_PREFIX}{hold_id}")
}

fn buyer_key(customer: &str) -> String {
    format!("{BUYER_PREFIX}{customer}")
}
