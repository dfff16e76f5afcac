//! A cart: SKUs and quantities in the order they were added, a note, and the order that has frozen
//! it.
//!
//! A cart has no authority over prices or stock. Its `version` grows with every change, so that two
//! browser tabs can't silently overwrite each other. A checkout freezes the cart under the order's
//! ID; the cart is unfrozen when the order fails, and loses the purchased lines when the order is
//! paid. Another request of the same checkout (one with the same key) joins the first and works on
//! the same order. The first request to be refused can thus tell whether it may unfreeze the cart
//! alone.
//!
//! A cart that is left unchanged is reported as abandoned once, and deleted when its retention time
//! runs out, but never while an order has frozen it. In that case it asks what became of the order,
//! again after each such period, so that no order can keep a cart forever.

mod judgements;
pub mod messages;

pub use messages::{
    Change, CheckoutName, Command, Event, Line, MAX_LINES, MAX_NOTE_BYTES, MAX_QUANTITY, Refusal,
};

use crate::Timestamp;
use crate::machine::{Machine, ReplyOf, digest_of};
use crate::news::ObjectEvent;
use serde::{Deserialize, Serialize};

const CART_KEY: &str = "cart";

/// Returns the name of the object that keeps `cart_id`.
#[must_use]
pub fn object_name(cart_id: &str) -> String {
    cart_id.to_owned()
}

/// Reply of a cart.
pub type Reply = ReplyOf<Cart>;

/// Periods of inactivity after which a cart does something by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// Seconds until a cart counts as abandoned, or asks about the order that has frozen it.
    pub abandoned_secs: u32,
    /// Seconds until a cart is deleted.
    pub kept_secs: u32,
}

impl Default for Periods {
    fn default() -> Self {
        Self {
            abandoned_secs: 60 * 60,
            kept_secs: 30 * 24 * 60 * 60,
        }
    }
}

/// The machine of a cart, which is also its own view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Number of changes so far.
    pub version: u64,
    /// Lines in the order they were added.
    pub lines: Vec<Line>,
    /// The shopper's note to the merchant.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// ID of the order that has frozen the cart; `None` means it can be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_by: Option<String>,
    /// The checkout that the cart was frozen for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_for: Option<CheckoutName>,
    /// True when another request of that checkout has joined since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joined: bool,
    /// Instant of the last change; `None` means it has never been changed, or was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// True when it has been reported as abandoned since its last change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub abandoned: bool,
    /// Instant at which it last asked about the order that has frozen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    #[serde(skip)]
    periods: Periods,
}

impl Cart {
    /// Creates an empty cart with these periods.
    #[must_use]
    pub fn new(periods: Periods) -> Self {
        Self {
            periods,
            ..Self::default()
        }
    }
}

impl Machine for Cart {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type View = Self;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Refusal> {
        if command
            .if_version
            .is_some_and(|known| known != self.version)
        {
            return Err(Refusal::Stale {
                version: self.version,
            });
        }
        match &command.change {
            Change::Add {
                sku,
                quantity,
                at_most,
            } => self.add(sku, *quantity, *at_most),
            Change::Set {
                sku, quantity: 0, ..
            }
            | Change::Remove { sku } => self.remove(sku),
            Change::Set {
                sku,
                quantity,
                at_most,
            } => self.set(sku, *quantity, *at_most),
            Change::Clear => self.clear(),
            Change::Note { note } => self.write_note(note),
            Change::Merge { lines, note } => self.merge(lines, note),
            Change::Freeze { order_id, checkout } => self.freeze(order_id, checkout.as_ref()),
            Change::Thaw { order_id, alone } => self.thaw(order_id, *alone),
            Change::Complete { order_id } => {
                Ok(self.if_frozen_by(order_id, |order_id| Event::Completed { order_id }))
            }
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Abandoned => {
                self.abandoned = true;
                return;
            }
            Event::AskedAfterOrder => {
                self.asked_at = Some(at);
                return;
            }
            Event::Joined => {
                self.joined = true;
                return;
            }
            _ => {}
        }
        self.version = self.version.saturating_add(1);
        self.changed_at = Some(at);
        self.abandoned = false;
        self.asked_at = None;
        match event {
            Event::LineSet { sku, quantity } => {
                match self.lines.iter_mut().find(|line| line.sku == *sku) {
                    Some(line) => line.quantity = *quantity,
                    None => self.lines.push(Line {
                        sku: sku.clone(),
                        quantity: *quantity,
                    }),
                }
            }
            Event::LineRemoved { sku } => self.lines.retain(|line| line.sku != *sku),
            Event::Noted { note } => self.note.clone_from(note),
            Event::Frozen { order_id, checkout } => {
                self.frozen_by = Some(order_id.clone());
                self.frozen_for.clone_from(checkout);
            }
            Event::Thawed { .. } => self.move_again(),
            Event::Completed { .. } => {
                self.move_again();
                self.empty();
            }
            Event::Cleared => self.empty(),
            Event::Deleted => {
                self.empty();
                self.changed_at = None;
            }
            Event::Abandoned | Event::AskedAfterOrder | Event::Joined => {}
        }
    }

    fn due(&self, now: Timestamp) -> Vec<Event> {
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let abandoned = is_due(self.abandoned_at()).then_some(Event::Abandoned);
        let deleted = is_due(self.deleted_at()).then_some(Event::Deleted);
        let asked = is_due(self.asks_at()).then_some(Event::AskedAfterOrder);
        [abandoned, deleted, asked].into_iter().flatten().collect()
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.abandoned_at()
            .or_else(|| self.deleted_at())
            .or_else(|| self.asks_at())
    }

    fn view(&self) -> Self {
        self.clone()
    }

    fn news(&self, name: &str, before: &Self, events: &[Event]) -> Vec<ObjectEvent> {
        let cart_id = || name.to_owned();
        let of_event = |event: &Event| match event {
            Event::Abandoned => Some(ObjectEvent::CartAbandoned {
                cart_id: cart_id(),
                version: before.version,
                lines: before.lines.clone(),
                idle_since: before.changed_at?,
            }),
            Event::Deleted => Some(ObjectEvent::CartDeleted {
                cart_id: cart_id(),
                version: self.version,
            }),
            Event::AskedAfterOrder => Some(ObjectEvent::CartFrozen {
                cart_id: cart_id(),
                order_id: before.frozen_by.clone()?,
            }),
            _ => None,
        };
        events.iter().filter_map(of_event).collect()
    }

    fn is_over(&self) -> bool {
        self.version > 0 && self.changed_at.is_none() && self.lines.is_empty()
    }

    fn digest(command: &Command) -> Result<String, serde_json::Error> {
        let mut intent = command.clone();
        if let Change::Add { at_most, .. } | Change::Set { at_most, .. } = &mut intent.change {
            *at_most = MAX_QUANTITY;
        }
        digest_of(&intent)
    }

    /// Kept for freezing, because a repeated checkout must continue with the lines it has frozen.
    fn keeps_answer(command: &Command) -> bool {
        matches!(command.change, Change::Freeze { .. })
    }

    fn recall(&mut self, _key: &str, value: &str) -> Result<(), serde_json::Error> {
        let periods = self.periods;
        *self = crate::json::read(value)?;
        self.periods = periods;
        Ok(())
    }

    fn touched(_event: &Event) -> Vec<String> {
        vec![CART_KEY.to_owned()]
    }

    fn keys(&self) -> Vec<String> {
        let known = self.version > 0;
        known.then(|| CART_KEY.to_owned()).into_iter().collect()
    }

    fn row(&self, _key: &str) -> Result<Option<String>, serde_json::Error> {
        serde_json::to_string(self).map(Some)
    }
}

impl Cart {
    /// Returns the instant at which the cart counts as abandoned unless it is changed first.
    fn abandoned_at(&self) -> Option<Timestamp> {
        let wanted = !self.abandoned && !self.lines.is_empty();
        let idle_since = self.idle_since().filter(|_| wanted)?;
        let period = self.periods.abandoned_secs.min(self.periods.kept_secs);
        Some(idle_since.plus_secs(period))
    }

    /// Returns the instant at which the cart is deleted unless it is changed first.
    fn deleted_at(&self) -> Option<Timestamp> {
        let idle_since = self.idle_since()?;
        Some(idle_since.plus_secs(self.periods.kept_secs))
    }

    /// Returns the instant at which the cart next asks about the order that has frozen it.
    fn asks_at(&self) -> Option<Timestamp> {
        self.frozen_by.as_ref()?;
        let since = self.asked_at.or(self.changed_at)?;
        Some(since.plus_secs(self.periods.abandoned_secs))
    }

    fn idle_since(&self) -> Option<Timestamp> {
        self.changed_at.filter(|_| self.frozen_by.is_none())
    }

    fn move_again(&mut self) {
        self.frozen_by = None;
        self.frozen_for = None;
        self.joined = false;
    }

    fn empty(&mut self) {
        self.lines.clear();
        self.note.clear();
    }
}

#[cfg(test)]
mod tests {
    //! Stored JSON must stay readable after a deploy: only ever add to these samples.

    use super::*;

    #[test]
    fn stored_row_still_reads() {
        for stored in [
            r#"{"version":3,"lines":[{"sku":"A","quantity":2}],"frozen_by":"ord_1"}"#,
            r#"{"version":4,"lines":[{"sku":"A","quantity":2}],"note":"ring","changed_at":1000,"abandoned":true}"#,
            r#"{"version":5,"lines":[{"sku":"A","quantity":2}],"frozen_by":"ord_1","frozen_for":{"key":"k","request":"r"},"joined":true,"changed_at":1000}"#,
        ] {
            let cart = Cart::default()
                .restore(&[("cart".to_owned(), stored.to_owned())])
                .unwrap();
            assert_eq!(cart.quantity_of("A"), 2);
            assert_eq!(cart.row("cart").unwrap().as_deref(), Some(stored));
        }
    }

    #[test]
    fn stored_events_still_read() {
        for stored in [
            r#"{"line_set":{"sku":"A","quantity":2}}"#,
            r#"{"line_removed":{"sku":"A"}}"#,
            r#"{"frozen":{"order_id":"ord_1"}}"#,
            r#"{"frozen":{"order_id":"ord_1","checkout":{"key":"k","request":"r"}}}"#,
            r#""joined""#,
            r#"{"thawed":{"order_id":"ord_1"}}"#,
            r#"{"completed":{"order_id":"ord_1"}}"#,
            r#""cleared""#,
            r#"{"noted":{"note":"ring"}}"#,
            r#""abandoned""#,
            r#""asked_after_order""#,
            r#""deleted""#,
        ] {
            let event: Event = crate::json::read(stored).unwrap();
            assert_eq!(serde_json::to_string(&event).unwrap(), stored);
        }
    }
}
