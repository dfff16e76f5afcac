//! The units of one SKU: on hand, held for a checkout, committed to a paid order.
//!
//! Always `held + committed ≤ on_hand`. A hold is `reserved` on its own clock for minutes, until it is pinned; a pinned hold has no
//! clock, because its payment session can still be paid: it ends only by commit or release. A hold ends exactly once. The
//! release of a hold never seen leaves a tombstone that a late hold meets, so that a delayed message can't strand units.

use crate::Timestamp;
use crate::machine::{Machine, ReplyOf};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most units one command may move; far below what would lose precision in a JavaScript number.
pub const MAX_QUANTITY: u32 = 1_000_000;

/// Seconds that a released hold is remembered, so that a hold which arrives late stays released. Far longer than any message of
/// ours is retried (12 retries of at most an hour each).
pub const TOMBSTONE_SECS: u32 = 7 * 24 * 60 * 60;

/// Most holds that one command or alarm ends because their time is up; the alarm goes on with the rest at once.
const DUE_AT_ONCE: usize = 500;

const TOTALS_KEY: &str = "totals";
const HOLD_PREFIX: &str = "hold/";

/// The name of the object that referees `sku`. `shard` is 0 until one object is too slow for one SKU.
#[must_use]
pub fn object_name(sku: &str, shard: u32) -> String {
    format!("{sku}#{shard}")
}

/// What stock is asked to do. A `hold_id` names order and attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Units arrived.
    Receive {
        /// Units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
    },
    /// Reserve units for a checkout, for `ttl_secs` seconds unless pinned.
    Hold {
        /// Order and attempt.
        hold_id: String,
        /// Units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
        /// Seconds until the hold lapses by itself.
        ttl_secs: u32,
    },
    /// Take the hold off its clock: a payment session that can be paid is about to exist.
    Pin {
        /// Which hold.
        hold_id: String,
    },
    /// Give the units back.
    Release {
        /// Which hold.
        hold_id: String,
    },
    /// The order is paid: the units are its own.
    Commit {
        /// Which hold.
        hold_id: String,
    },
}

/// What has happened to the stock of a SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Units arrived.
    Received {
        /// Units.
        quantity: u32,
    },
    /// Units were reserved.
    Held {
        /// Which hold.
        hold_id: String,
        /// Units.
        quantity: u32,
        /// When it lapses unless pinned.
        expires_at: Timestamp,
    },
    /// The hold was taken off its clock.
    Pinned {
        /// Which hold.
        hold_id: String,
    },
    /// The hold ended and its units are free again; the id is remembered until `forget_at`.
    Released {
        /// Which hold.
        hold_id: String,
        /// Who ended it.
        reason: ReleaseReason,
        /// When the tombstone goes.
        forget_at: Timestamp,
    },
    /// The hold became part of a paid order.
    Committed {
        /// Which hold.
        hold_id: String,
    },
    /// A tombstone went.
    Forgotten {
        /// Which hold.
        hold_id: String,
    },
}

/// Who ended a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// The checkout let go.
    Cancelled,
    /// Its time was up.
    Expired,
    /// It was released before it was ever held.
    NeverHeld,
}

/// Why stock said no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// Not enough free units.
    Short {
        /// Units asked for.
        wanted: u32,
        /// Units free now.
        available: i64,
        /// True while other checkouts hold units on the clock, which may come back within minutes.
        contended: bool,
    },
    /// The quantity is 0 or above [`MAX_QUANTITY`].
    QuantityOutOfRange {
        /// The most allowed.
        max: u32,
    },
    /// No such hold, or it has ended: hold again under a new attempt.
    HoldEnded,
    /// The hold is committed to a paid order and can't be released.
    AlreadyCommitted,
    /// The id names a hold that lives with another quantity.
    HoldMismatch,
}

/// What staff and the shop's own use cases may know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Units in the building.
    pub on_hand: i64,
    /// Units held for checkouts, on the clock or pinned.
    pub held: i64,
    /// Those of the held that are on the clock: they may come back within minutes.
    pub reserved: i64,
    /// Units of paid orders that have not left yet.
    pub committed: i64,
    /// Units free to hold.
    pub available: i64,
    /// Changes so far.
    pub version: u64,
}

/// What a stock object answers.
pub type Reply = ReplyOf<Stock>;

/// The machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    totals: Totals,
    holds: BTreeMap<String, Hold>,
    /// Everything that has an end of its own, by when: reserved holds and tombstones.
    ends: BTreeSet<(Timestamp, String)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Totals {
    on_hand: i64,
    reserved: i64,
    pinned: i64,
    committed: i64,
    version: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hold {
    quantity: u32,
    status: HoldStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum HoldStatus {
    Reserved { expires_at: Timestamp },
    Pinned,
    Committed,
    Tombstone { forget_at: Timestamp },
}

impl Machine for Stock {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type View = View;

    fn decide(&self, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Receive { quantity } => self.receive(*quantity),
            Command::Hold {
                hold_id,
                quantity,
                ttl_secs,
            } => self.hold(hold_id, *quantity, now.plus_secs(*ttl_secs)),
            Command::Pin { hold_id } => self.pin(hold_id),
            Command::Release { hold_id } => self.release(hold_id, now),
            Command::Commit { hold_id } => self.commit(hold_id),
        }
    }

    fn apply(&mut self, event: &Event) {
        self.totals.version = self.totals.version.saturating_add(1);
        match event {
            Event::Received { quantity } => add(&mut self.totals.on_hand, *quantity),
            Event::Held {
                hold_id,
                quantity,
                expires_at,
            } => self.put(
                hold_id,
                Hold {
                    quantity: *quantity,
                    status: HoldStatus::Reserved {
                        expires_at: *expires_at,
                    },
                },
            ),
            Event::Pinned { hold_id } => self.move_to(hold_id, HoldStatus::Pinned),
            Event::Committed { hold_id } => self.move_to(hold_id, HoldStatus::Committed),
            Event::Released {
                hold_id, forget_at, ..
            } => self.put(
                hold_id,
                Hold {
                    quantity: 0,
                    status: HoldStatus::Tombstone {
                        forget_at: *forget_at,
                    },
                },
            ),
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
            .filter_map(|(_, hold_id)| {
                let hold = self.holds.get(hold_id)?;
                Some(match hold.status {
                    HoldStatus::Tombstone { .. } => Event::Forgotten {
                        hold_id: hold_id.clone(),
                    },
                    _ => released(hold_id, ReleaseReason::Expired, now),
                })
            })
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
            version,
        }
    }

    fn touched(event: &Event) -> Vec<String> {
        let mut keys = vec![TOTALS_KEY.to_owned()];
        match event {
            Event::Received { .. } => {}
            Event::Held { hold_id, .. }
            | Event::Pinned { hold_id }
            | Event::Released { hold_id, .. }
            | Event::Committed { hold_id }
            | Event::Forgotten { hold_id } => keys.push(format!("{HOLD_PREFIX}{hold_id}")),
        }
        keys
    }

    fn row(&self, key: &str) -> Result<Option<String>, serde_json::Error> {
        match key.strip_prefix(HOLD_PREFIX) {
            None => serde_json::to_string(&self.totals).map(Some),
            Some(hold_id) => self
                .holds
                .get(hold_id)
                .map(serde_json::to_string)
                .transpose(),
        }
    }

    fn restore(rows: &[(String, String)]) -> Result<Self, serde_json::Error> {
        let mut stock = Self::default();
        for (key, value) in rows {
            match key.strip_prefix(HOLD_PREFIX) {
                None => stock.totals = serde_json::from_str(value)?,
                Some(hold_id) => stock.index(hold_id, serde_json::from_str(value)?),
            }
        }
        Ok(stock)
    }
}

/// The judgements, one a command.
impl Stock {
    fn receive(&self, quantity: u32) -> Result<Vec<Event>, Refusal> {
        in_range(quantity)?;
        Ok(vec![Event::Received { quantity }])
    }

    fn hold(
        &self,
        hold_id: &str,
        quantity: u32,
        expires_at: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        in_range(quantity)?;
        if let Some(hold) = self.holds.get(hold_id) {
            return match hold.status {
                HoldStatus::Tombstone { .. } => Err(Refusal::HoldEnded),
                _ if hold.quantity == quantity => Ok(vec![]),
                _ => Err(Refusal::HoldMismatch),
            };
        }
        let available = self.available();
        if available < i64::from(quantity) {
            return Err(Refusal::Short {
                wanted: quantity,
                available,
                contended: self.totals.reserved > 0,
            });
        }
        Ok(vec![Event::Held {
            hold_id: hold_id.to_owned(),
            quantity,
            expires_at,
        }])
    }

    fn pin(&self, hold_id: &str) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id) {
            Some(HoldStatus::Reserved { .. }) => Ok(vec![Event::Pinned {
                hold_id: hold_id.to_owned(),
            }]),
            Some(HoldStatus::Pinned | HoldStatus::Committed) => Ok(vec![]),
            Some(HoldStatus::Tombstone { .. }) | None => Err(Refusal::HoldEnded),
        }
    }

    fn release(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id) {
            Some(HoldStatus::Reserved { .. } | HoldStatus::Pinned) => {
                Ok(vec![released(hold_id, ReleaseReason::Cancelled, now)])
            }
            None => Ok(vec![released(hold_id, ReleaseReason::NeverHeld, now)]),
            Some(HoldStatus::Tombstone { .. }) => Ok(vec![]),
            Some(HoldStatus::Committed) => Err(Refusal::AlreadyCommitted),
        }
    }

    fn commit(&self, hold_id: &str) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id) {
            Some(HoldStatus::Reserved { .. } | HoldStatus::Pinned) => Ok(vec![Event::Committed {
                hold_id: hold_id.to_owned(),
            }]),
            Some(HoldStatus::Committed) => Ok(vec![]),
            Some(HoldStatus::Tombstone { .. }) | None => Err(Refusal::HoldEnded),
        }
    }

    fn available(&self) -> i64 {
        self.totals
            .on_hand
            .saturating_sub(self.totals.reserved)
            .saturating_sub(self.totals.pinned)
            .saturating_sub(self.totals.committed)
    }

    fn status(&self, hold_id: &str) -> Option<HoldStatus> {
        self.holds.get(hold_id).map(|hold| hold.status)
    }
}

/// The records: each hold is counted in exactly one total.
impl Stock {
    fn put(&mut self, hold_id: &str, hold: Hold) {
        self.take(hold_id);
        if let Some(total) = self.total_of(hold.status) {
            add(total, hold.quantity);
        }
        self.index(hold_id, hold);
    }

    fn move_to(&mut self, hold_id: &str, status: HoldStatus) {
        if let Some(hold) = self.holds.get(hold_id).copied() {
            self.put(hold_id, Hold { status, ..hold });
        }
    }

    fn take(&mut self, hold_id: &str) {
        let Some(hold) = self.holds.remove(hold_id) else {
            return;
        };
        if let Some(ends_at) = hold.status.ends_at() {
            self.ends.remove(&(ends_at, hold_id.to_owned()));
        }
        if let Some(total) = self.total_of(hold.status) {
            *total = total.saturating_sub(i64::from(hold.quantity));
        }
    }

    fn index(&mut self, hold_id: &str, hold: Hold) {
        if let Some(ends_at) = hold.status.ends_at() {
            self.ends.insert((ends_at, hold_id.to_owned()));
        }
        self.holds.insert(hold_id.to_owned(), hold);
    }

    fn total_of(&mut self, status: HoldStatus) -> Option<&mut i64> {
        match status {
            HoldStatus::Reserved { .. } => Some(&mut self.totals.reserved),
            HoldStatus::Pinned => Some(&mut self.totals.pinned),
            HoldStatus::Committed => Some(&mut self.totals.committed),
            HoldStatus::Tombstone { .. } => None,
        }
    }
}

impl HoldStatus {
    const fn ends_at(self) -> Option<Timestamp> {
        match self {
            Self::Reserved { expires_at } => Some(expires_at),
            Self::Tombstone { forget_at } => Some(forget_at),
            Self::Pinned | Self::Committed => None,
        }
    }
}

fn released(hold_id: &str, reason: ReleaseReason, now: Timestamp) -> Event {
    Event::Released {
        hold_id: hold_id.to_owned(),
        reason,
        forget_at: now.plus_secs(TOMBSTONE_SECS),
    }
}

const fn in_range(quantity: u32) -> Result<(), Refusal> {
    if quantity == 0 || quantity > MAX_QUANTITY {
        return Err(Refusal::QuantityOutOfRange { max: MAX_QUANTITY });
    }
    Ok(())
}

fn add(total: &mut i64, quantity: u32) {
    *total = total.saturating_add(i64::from(quantity));
}

#[cfg(test)]
mod tests {
    //! Stored JSON must still read after a deploy: change these only by adding.

    use super::*;

    #[test]
    fn stored_rows_still_read() {
        let rows = [
            (
                "totals",
                r#"{"on_hand":5,"reserved":1,"pinned":1,"committed":1,"version":7}"#,
            ),
            (
                "hold/a",
                r#"{"quantity":1,"status":{"status":"reserved","expires_at":1000}}"#,
            ),
            ("hold/b", r#"{"quantity":1,"status":{"status":"pinned"}}"#),
            (
                "hold/c",
                r#"{"quantity":1,"status":{"status":"committed"}}"#,
            ),
            (
                "hold/d",
                r#"{"quantity":0,"status":{"status":"tombstone","forget_at":2000}}"#,
            ),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));

        let stock = Stock::restore(&rows).unwrap();

        assert_eq!(stock.view().available, 2);
        assert_eq!(stock.wake_at(), Some(Timestamp::from_millis(1000)));
        for (key, value) in rows {
            assert_eq!(stock.row(&key).unwrap(), Some(value));
        }
    }

    #[test]
    fn stored_events_still_read() {
        for stored in [
            r#"{"event":"received","quantity":5}"#,
            r#"{"event":"held","hold_id":"a","quantity":1,"expires_at":1000}"#,
            r#"{"event":"pinned","hold_id":"a"}"#,
            r#"{"event":"released","hold_id":"a","reason":"expired","forget_at":2000}"#,
            r#"{"event":"committed","hold_id":"a"}"#,
            r#"{"event":"forgotten","hold_id":"a"}"#,
        ] {
            let event: Event = serde_json::from_str(stored).unwrap();
            assert_eq!(serde_json::to_string(&event).unwrap(), stored);
        }
    }
}
