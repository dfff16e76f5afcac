//! The units of one SKU: on hand, held for a checkout, committed to a paid order.
//!
//! Always `held + committed ≤ on_hand + backorder_cap`. A hold is `reserved` on its own clock for minutes, until it is pinned; a
//! pinned hold has no clock, because its payment session can still be paid: it ends only by commit or release. A hold ends exactly
//! once: committed (and then shipped or restocked), released or expired. The release of a hold never seen leaves a tombstone
//! that a late hold meets, so that a delayed message can't strand units.
//!
//! What the public may know is a word, and no number; it is news when it changes.

use crate::Timestamp;
use crate::machine::{Machine, ReplyOf};
use crate::news::News;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most units one command may move; far below what would lose precision in a JavaScript number.
pub const MAX_QUANTITY: u32 = 1_000_000;

/// Most bytes of a reason.
pub const MAX_REASON_BYTES: usize = 200;

/// Seconds that a released hold is remembered, so that a hold which arrives late stays released. Far longer than any message of
/// ours is retried (12 retries of at most an hour each).
pub const TOMBSTONE_SECS: u32 = 7 * 24 * 60 * 60;

/// Free units at which stock is `low`, unless configured.
pub const LOW_THRESHOLD: u32 = 5;

/// Most holds that one command or alarm ends because their time is up; the alarm goes on with the rest at once.
const DUE_AT_ONCE: usize = 500;

const TOTALS_KEY: &str = "totals";
const SETTINGS_KEY: &str = "settings";
const HOLD_PREFIX: &str = "hold/";
const BUYER_PREFIX: &str = "buyer/";

/// The name of the object that referees `sku`. `shard` is 0 until one object is too slow for one SKU.
#[must_use]
pub fn object_name(sku: &str, shard: u32) -> String {
    format!("{sku}#{shard}")
}

/// The SKU that the object `name` referees.
#[must_use]
pub fn sku_of(name: &str) -> &str {
    name.rsplit_once('#').map_or(name, |(sku, _)| sku)
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
    /// Correct the count.
    Adjust {
        /// Units more or, negative, fewer; never 0.
        by: i32,
        /// Why.
        reason: String,
    },
    /// Units are spoilt or lost.
    WriteOff {
        /// Units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
        /// Why.
        reason: String,
    },
    /// Shipped units came back and can be sold again.
    Return {
        /// Units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
        /// Why.
        reason: String,
    },
    /// Sell by these rules from now on.
    Configure {
        /// The rules.
        settings: Settings,
    },
    /// Reserve units for a checkout, for `ttl_secs` seconds unless pinned.
    Hold {
        /// Order and attempt.
        hold_id: String,
        /// Units, 1 to [`MAX_QUANTITY`].
        quantity: u32,
        /// Seconds until the hold lapses by itself.
        ttl_secs: u32,
        /// Whom the purchase limit counts, by a digest; none: each hold for itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
    },
    /// Give a reserved hold `ttl_secs` seconds from now, if that is later than its end.
    Extend {
        /// Which hold.
        hold_id: String,
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
    /// A paid order was cancelled: what has not left yet is free again.
    Restock {
        /// Which hold.
        hold_id: String,
    },
    /// Units of a paid order left the building.
    Ship {
        /// Which hold.
        hold_id: String,
        /// Units, 1 to what is still committed.
        quantity: u32,
    },
}

/// The rules by which a SKU is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Free units at which the public reads `low`.
    pub low_threshold: u32,
    /// Units that may be sold beyond those on hand.
    pub backorder_cap: u32,
    /// When backordered units are promised.
    pub promise_at: Option<Timestamp>,
    /// Most units that one customer may hold and buy in all; at least 1.
    pub purchase_limit: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            low_threshold: LOW_THRESHOLD,
            backorder_cap: 0,
            promise_at: None,
            purchase_limit: None,
        }
    }
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
    /// The count was corrected.
    Adjusted {
        /// Units more or fewer.
        by: i32,
        /// Why.
        reason: String,
    },
    /// Units were spoilt or lost.
    WrittenOff {
        /// Units.
        quantity: u32,
        /// Why.
        reason: String,
    },
    /// Shipped units came back.
    Returned {
        /// Units.
        quantity: u32,
        /// Why.
        reason: String,
    },
    /// The rules changed.
    Configured {
        /// The rules.
        settings: Settings,
    },
    /// Units were reserved.
    Held {
        /// Which hold.
        hold_id: String,
        /// Units.
        quantity: u32,
        /// When it lapses unless pinned.
        expires_at: Timestamp,
        /// Whom the purchase limit counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
    },
    /// The hold lapses later.
    Extended {
        /// Which hold.
        hold_id: String,
        /// When.
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
        /// Whom the purchase limit counts no longer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
    },
    /// The hold became part of a paid order.
    Committed {
        /// Which hold.
        hold_id: String,
    },
    /// Units of a paid order left the building.
    Shipped {
        /// Which hold.
        hold_id: String,
        /// Units.
        quantity: u32,
        /// When the id is forgotten, if these were the last.
        forget_at: Timestamp,
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
    /// Its paid order was cancelled.
    Restocked,
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
    /// The customer would have more than one customer may.
    OverLimit {
        /// The most for one customer.
        limit: u32,
        /// What this customer may still take.
        left: u32,
    },
    /// The quantity is 0 or above [`MAX_QUANTITY`].
    QuantityOutOfRange {
        /// The most allowed.
        max: u32,
    },
    /// There is no reason, or it is longer than [`MAX_REASON_BYTES`].
    ReasonOutOfRange {
        /// The most bytes allowed.
        max: usize,
    },
    /// A cap or threshold above [`MAX_QUANTITY`], or a purchase limit of 0.
    SettingsOutOfRange {
        /// The most allowed.
        max: u32,
    },
    /// Fewer units would be left than are promised to checkouts and orders.
    BelowPromised {
        /// Units held and committed.
        promised: i64,
    },
    /// The units were ordered ahead and have not arrived yet.
    NotOnHand {
        /// Units in the building.
        on_hand: i64,
    },
    /// No such hold, or it has ended: hold again under a new attempt.
    HoldEnded,
    /// The hold is committed to a paid order and can't be released.
    AlreadyCommitted,
    /// The hold belongs to no paid order.
    NotCommitted,
    /// The id names a hold that lives with another quantity.
    HoldMismatch,
}

/// What the public may know of the units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// More are free than the low threshold.
    InStock,
    /// The last are free.
    Low,
    /// None is free.
    #[default]
    Out,
    /// None is free on hand, but some may be ordered ahead.
    Preorder,
}

/// What the public may know of a SKU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicStock {
    /// The word.
    pub stock: Word,
    /// When ordered-ahead units are promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise_at: Option<Timestamp>,
    /// Most units for one customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_limit: Option<u32>,
    /// Grows with every change of the stock: the higher is the newer.
    pub version: u64,
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
    /// Units free to hold, with those that may be backordered.
    pub available: i64,
    /// The rules it is sold by.
    #[serde(flatten)]
    pub settings: Settings,
    /// What the public reads.
    pub stock: Word,
    /// Changes so far.
    pub version: u64,
}

impl View {
    /// What of this the public may know.
    #[must_use]
    pub const fn public(&self) -> PublicStock {
        PublicStock {
            stock: self.stock,
            promise_at: match self.stock {
                Word::Preorder => self.settings.promise_at,
                _ => None,
            },
            purchase_limit: self.settings.purchase_limit,
            version: self.version,
        }
    }
}

impl PublicStock {
    /// Whether the public reads the same, whatever the version.
    #[must_use]
    pub fn reads_like(&self, other: &Self) -> bool {
        let version = self.version;
        *self == Self { version, ..*other }
    }
}

/// What a stock object answers.
pub type Reply = ReplyOf<Stock>;

/// The machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    totals: Totals,
    settings: Settings,
    holds: BTreeMap<String, Hold>,
    /// Everything that has an end of its own, by when: reserved holds and tombstones.
    ends: BTreeSet<(Timestamp, String)>,
    /// Units held and bought under a purchase limit, by customer.
    buyers: BTreeMap<String, u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Totals {
    on_hand: i64,
    reserved: i64,
    pinned: i64,
    committed: i64,
    version: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hold {
    quantity: u32,
    status: HoldStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum HoldStatus {
    Reserved { expires_at: Timestamp },
    Pinned,
    Committed,
    Shipped { forget_at: Timestamp },
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
            Command::Adjust { by, reason } => self.adjust(*by, reason),
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
            ),
            Command::Extend { hold_id, ttl_secs } => self.extend(hold_id, now.plus_secs(*ttl_secs)),
            Command::Pin { hold_id } => self.pin(hold_id),
            Command::Release { hold_id } => self.release(hold_id, now),
            Command::Commit { hold_id } => self.commit(hold_id),
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
            .filter_map(|(_, hold_id)| {
                let hold = self.holds.get(hold_id)?;
                Some(match hold.status {
                    HoldStatus::Tombstone { .. } | HoldStatus::Shipped { .. } => Event::Forgotten {
                        hold_id: hold_id.clone(),
                    },
                    _ => self.released(hold_id, ReleaseReason::Expired, now),
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
            settings: self.settings,
            stock: self.word(),
            version,
        }
    }

    fn news(&self, name: &str, before: &View, _events: &[Event]) -> Vec<News> {
        let stock = self.view().public();
        if stock.reads_like(&before.public()) {
            return vec![];
        }
        let sku = sku_of(name).to_owned();
        vec![News::StockChanged { sku, stock }]
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
        keys.extend(self.holds.keys().map(|hold_id| hold_key(hold_id)));
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
            return self
                .holds
                .get(hold_id)
                .map(serde_json::to_string)
                .transpose();
        }
        let units = key
            .strip_prefix(BUYER_PREFIX)
            .and_then(|customer| self.buyers.get(customer));
        units.map(serde_json::to_string).transpose()
    }

    fn restore(mut self, rows: &[(String, String)]) -> Result<Self, serde_json::Error> {
        for (key, value) in rows {
            if let Some(hold_id) = key.strip_prefix(HOLD_PREFIX) {
                self.index(hold_id, serde_json::from_str(value)?);
            } else if let Some(customer) = key.strip_prefix(BUYER_PREFIX) {
                self.buyers
                    .insert(customer.to_owned(), serde_json::from_str(value)?);
            } else if key == SETTINGS_KEY {
                self.settings = serde_json::from_str(value)?;
            } else {
                self.totals = serde_json::from_str(value)?;
            }
        }
        Ok(self)
    }
}

/// The judgements, one a command.
impl Stock {
    fn receive(&self, quantity: u32) -> Result<Vec<Event>, Refusal> {
        in_range(quantity)?;
        Ok(vec![Event::Received { quantity }])
    }

    fn adjust(&self, by: i32, reason: &str) -> Result<Vec<Event>, Refusal> {
        in_range(by.unsigned_abs())?;
        stated(reason)?;
        self.still_promised(i64::from(by), self.settings.backorder_cap)?;
        let reason = reason.to_owned();
        Ok(vec![Event::Adjusted { by, reason }])
    }

    fn write_off(&self, quantity: u32, reason: &str) -> Result<Vec<Event>, Refusal> {
        in_range(quantity)?;
        stated(reason)?;
        let fewer = i64::from(quantity).saturating_neg();
        self.still_promised(fewer, self.settings.backorder_cap)?;
        let reason = reason.to_owned();
        Ok(vec![Event::WrittenOff { quantity, reason }])
    }

    fn take_back(&self, quantity: u32, reason: &str) -> Result<Vec<Event>, Refusal> {
        in_range(quantity)?;
        stated(reason)?;
        let reason = reason.to_owned();
        Ok(vec![Event::Returned { quantity, reason }])
    }

    fn configure(&self, settings: Settings) -> Result<Vec<Event>, Refusal> {
        let largest = settings
            .backorder_cap
            .max(settings.low_threshold)
            .max(settings.purchase_limit.unwrap_or(1));
        if largest > MAX_QUANTITY || settings.purchase_limit == Some(0) {
            return Err(Refusal::SettingsOutOfRange { max: MAX_QUANTITY });
        }
        if settings == self.settings {
            return Ok(vec![]);
        }
        self.still_promised(0, settings.backorder_cap)?;
        Ok(vec![Event::Configured { settings }])
    }

    fn hold(
        &self,
        hold_id: &str,
        quantity: u32,
        expires_at: Timestamp,
        customer: Option<&str>,
    ) -> Result<Vec<Event>, Refusal> {
        in_range(quantity)?;
        if let Some(hold) = self.holds.get(hold_id) {
            return match hold.status {
                HoldStatus::Tombstone { .. } | HoldStatus::Shipped { .. } => {
                    Err(Refusal::HoldEnded)
                }
                _ if hold.quantity == quantity => Ok(vec![]),
                _ => Err(Refusal::HoldMismatch),
            };
        }
        self.within_limit(quantity, customer)?;
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
            customer: customer
                .filter(|_| self.settings.purchase_limit.is_some())
                .map(str::to_owned),
        }])
    }

    fn extend(&self, hold_id: &str, expires_at: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id) {
            Some(HoldStatus::Reserved { expires_at: end }) if end < expires_at => {
                Ok(vec![Event::Extended {
                    hold_id: hold_id.to_owned(),
                    expires_at,
                }])
            }
            Some(HoldStatus::Reserved { .. } | HoldStatus::Pinned | HoldStatus::Committed) => {
                Ok(vec![])
            }
            Some(HoldStatus::Tombstone { .. } | HoldStatus::Shipped { .. }) | None => {
                Err(Refusal::HoldEnded)
            }
        }
    }

    fn pin(&self, hold_id: &str) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id) {
            Some(HoldStatus::Reserved { .. }) => Ok(vec![Event::Pinned {
                hold_id: hold_id.to_owned(),
            }]),
            Some(HoldStatus::Pinned | HoldStatus::Committed | HoldStatus::Shipped { .. }) => {
                Ok(vec![])
            }
            Some(HoldStatus::Tombstone { .. }) | None => Err(Refusal::HoldEnded),
        }
    }

    fn release(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id) {
            Some(HoldStatus::Reserved { .. } | HoldStatus::Pinned) => {
                Ok(vec![self.released(hold_id, ReleaseReason::Cancelled, now)])
            }
            None => Ok(vec![self.released(hold_id, ReleaseReason::NeverHeld, now)]),
            Some(HoldStatus::Tombstone { .. }) => Ok(vec![]),
            Some(HoldStatus::Committed | HoldStatus::Shipped { .. }) => {
                Err(Refusal::AlreadyCommitted)
            }
        }
    }

    fn commit(&self, hold_id: &str) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id) {
            Some(HoldStatus::Reserved { .. } | HoldStatus::Pinned) => Ok(vec![Event::Committed {
                hold_id: hold_id.to_owned(),
            }]),
            Some(HoldStatus::Committed | HoldStatus::Shipped { .. }) => Ok(vec![]),
            Some(HoldStatus::Tombstone { .. }) | None => Err(Refusal::HoldEnded),
        }
    }

    fn restock(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id) {
            Some(HoldStatus::Committed) => {
                Ok(vec![self.released(hold_id, ReleaseReason::Restocked, now)])
            }
            Some(HoldStatus::Tombstone { .. } | HoldStatus::Shipped { .. }) => Ok(vec![]),
            Some(HoldStatus::Reserved { .. } | HoldStatus::Pinned) | None => {
                Err(Refusal::NotCommitted)
            }
        }
    }

    fn ship(&self, hold_id: &str, quantity: u32, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        let hold = self
            .holds
            .get(hold_id)
            .filter(|hold| hold.status == HoldStatus::Committed)
            .ok_or(Refusal::NotCommitted)?;
        if quantity == 0 || quantity > hold.quantity {
            return Err(Refusal::QuantityOutOfRange { max: hold.quantity });
        }
        let on_hand = self.totals.on_hand;
        if on_hand < i64::from(quantity) {
            return Err(Refusal::NotOnHand { on_hand });
        }
        Ok(vec![Event::Shipped {
            hold_id: hold_id.to_owned(),
            quantity,
            forget_at: now.plus_secs(TOMBSTONE_SECS),
        }])
    }

    /// Refuses what would leave fewer units than are promised.
    fn still_promised(&self, change: i64, backorder_cap: u32) -> Result<(), Refusal> {
        let promised = self.promised();
        let on_hand = self.totals.on_hand.saturating_add(change);
        let left = on_hand.saturating_add(i64::from(backorder_cap));
        if left < promised || on_hand < 0 {
            return Err(Refusal::BelowPromised { promised });
        }
        Ok(())
    }

    fn within_limit(&self, quantity: u32, customer: Option<&str>) -> Result<(), Refusal> {
        let Some(limit) = self.settings.purchase_limit else {
            return Ok(());
        };
        let bought = customer.and_then(|customer| self.buyers.get(customer));
        let left = limit.saturating_sub(bought.copied().unwrap_or(0));
        if quantity > left {
            return Err(Refusal::OverLimit { limit, left });
        }
        Ok(())
    }

    fn available(&self) -> i64 {
        self.free_on_hand()
            .saturating_add(i64::from(self.settings.backorder_cap))
    }

    const fn free_on_hand(&self) -> i64 {
        self.totals.on_hand.saturating_sub(self.promised())
    }

    const fn promised(&self) -> i64 {
        let held = self.totals.reserved.saturating_add(self.totals.pinned);
        held.saturating_add(self.totals.committed)
    }

    fn word(&self) -> Word {
        let free = self.free_on_hand();
        if free > i64::from(self.settings.low_threshold) {
            Word::InStock
        } else if free > 0 {
            Word::Low
        } else if self.available() > 0 {
            Word::Preorder
        } else {
            Word::Out
        }
    }

    fn status(&self, hold_id: &str) -> Option<HoldStatus> {
        self.holds.get(hold_id).map(|hold| hold.status)
    }

    fn released(&self, hold_id: &str, reason: ReleaseReason, now: Timestamp) -> Event {
        Event::Released {
            hold_id: hold_id.to_owned(),
            reason,
            forget_at: now.plus_secs(TOMBSTONE_SECS),
            customer: self
                .holds
                .get(hold_id)
                .and_then(|hold| hold.customer.clone()),
        }
    }
}

/// The records: each hold is counted in exactly one total.
impl Stock {
    fn count(&mut self, change: i64) {
        self.totals.on_hand = self.totals.on_hand.saturating_add(change);
    }

    fn buys(&mut self, customer: &str, quantity: u32) {
        let units = self.buyers.entry(customer.to_owned()).or_default();
        *units = units.saturating_add(quantity);
    }

    /// The customer of a hold has its units no longer.
    fn unbuys(&mut self, hold_id: &str) {
        let Some((customer, quantity)) = self
            .holds
            .get(hold_id)
            .and_then(|hold| Some((hold.customer.clone()?, hold.quantity)))
        else {
            return;
        };
        let left = self.buyers.remove(&customer).unwrap_or(0);
        if left > quantity {
            self.buyers.insert(customer, left.saturating_sub(quantity));
        }
    }

    fn put(&mut self, hold_id: &str, hold: Hold) {
        self.take(hold_id);
        if let Some(total) = self.total_of(hold.status) {
            *total = total.saturating_add(i64::from(hold.quantity));
        }
        self.index(hold_id, hold);
    }

    fn move_to(&mut self, hold_id: &str, status: HoldStatus) {
        if let Some(hold) = self.take(hold_id) {
            self.put(hold_id, Hold { status, ..hold });
        }
    }

    /// Units of a committed hold leave the building; with the last of them, only its id stays for a while.
    fn leave(&mut self, hold_id: &str, quantity: u32, forget_at: Timestamp) {
        let Some(hold) = self.take(hold_id) else {
            return;
        };
        self.count(i64::from(quantity).saturating_neg());
        let left = hold.quantity.saturating_sub(quantity);
        let hold = match left {
            0 => Hold {
                quantity: 0,
                status: HoldStatus::Shipped { forget_at },
                customer: None,
            },
            quantity => Hold { quantity, ..hold },
        };
        self.put(hold_id, hold);
    }

    fn take(&mut self, hold_id: &str) -> Option<Hold> {
        let hold = self.holds.remove(hold_id)?;
        if let Some(ends_at) = hold.status.ends_at() {
            self.ends.remove(&(ends_at, hold_id.to_owned()));
        }
        if let Some(total) = self.total_of(hold.status) {
            *total = total.saturating_sub(i64::from(hold.quantity));
        }
        Some(hold)
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
            HoldStatus::Shipped { .. } | HoldStatus::Tombstone { .. } => None,
        }
    }
}

impl Hold {
    const fn tombstone(forget_at: Timestamp) -> Self {
        Self {
            quantity: 0,
            status: HoldStatus::Tombstone { forget_at },
            customer: None,
        }
    }
}

impl HoldStatus {
    const fn ends_at(self) -> Option<Timestamp> {
        match self {
            Self::Reserved { expires_at } => Some(expires_at),
            Self::Shipped { forget_at } | Self::Tombstone { forget_at } => Some(forget_at),
            Self::Pinned | Self::Committed => None,
        }
    }
}

fn hold_key(hold_id: &str) -> String {
    format!("{HOLD_PREFIX}{hold_id}")
}

fn buyer_key(customer: &str) -> String {
    format!("{BUYER_PREFIX}{customer}")
}

const fn in_range(quantity: u32) -> Result<(), Refusal> {
    if quantity == 0 || quantity > MAX_QUANTITY {
        return Err(Refusal::QuantityOutOfRange { max: MAX_QUANTITY });
    }
    Ok(())
}

fn stated(reason: &str) -> Result<(), Refusal> {
    if reason.trim().is_empty() || reason.len() > MAX_REASON_BYTES {
        return Err(Refusal::ReasonOutOfRange {
            max: MAX_REASON_BYTES,
        });
    }
    Ok(())
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
                r#"{"on_hand":5,"reserved":1,"pinned":1,"committed":2,"version":7}"#,
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
            (
                "hold/e",
                r#"{"quantity":0,"status":{"status":"shipped","forget_at":2000}}"#,
            ),
            (
                "hold/f",
                r#"{"quantity":1,"status":{"status":"committed"},"customer":"9f"}"#,
            ),
            ("buyer/9f", "1"),
            (
                "settings",
                r#"{"low_threshold":3,"backorder_cap":2,"promise_at":5000,"purchase_limit":4}"#,
            ),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));

        let stock = Stock::default().restore(&rows).unwrap();

        assert_eq!(stock.view().available, 3);
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
            r#"{"event":"held","hold_id":"a","quantity":1,"expires_at":1000,"customer":"9f"}"#,
            r#"{"event":"extended","hold_id":"a","expires_at":2000}"#,
            r#"{"event":"pinned","hold_id":"a"}"#,
            r#"{"event":"shipped","hold_id":"a","quantity":1,"forget_at":2000}"#,
            r#"{"event":"adjusted","by":-2,"reason":"counted"}"#,
            r#"{"event":"written_off","quantity":1,"reason":"broken"}"#,
            r#"{"event":"returned","quantity":1,"reason":"unopened"}"#,
            r#"{"event":"configured","settings":{"low_threshold":3,"backorder_cap":0,"promise_at":null,"purchase_limit":null}}"#,
            r#"{"event":"released","hold_id":"a","reason":"expired","forget_at":2000}"#,
            r#"{"event":"committed","hold_id":"a"}"#,
            r#"{"event":"forgotten","hold_id":"a"}"#,
        ] {
            let event: Event = serde_json::from_str(stored).unwrap();
            assert_eq!(serde_json::to_string(&event).unwrap(), stored);
        }
    }
}
