//! One cart: SKUs and quantities, in the order they were added, and the order that has frozen it.
//!
//! A cart has no authority over prices or stock. Its `version` grows with every change, so that two tabs can't overwrite
//! each other unseen. A checkout freezes it under the order's id; it thaws when the order dies, and loses the bought lines when the
//! order is paid.

use crate::Timestamp;
use crate::machine::{Machine, ReplyOf};
use serde::{Deserialize, Serialize};

/// Most different SKUs in a cart.
pub const MAX_LINES: usize = 100;

/// Most units of one SKU in a cart.
pub const MAX_QUANTITY: u32 = 99;

const CART_KEY: &str = "cart";

/// The name of the object that keeps `cart_id`.
#[must_use]
pub fn object_name(cart_id: &str) -> String {
    cart_id.to_owned()
}

/// What a cart is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Refuse when the cart is no longer at this version; `None` to change whatever there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<u64>,
    /// What to do.
    pub change: Change,
}

/// A change to a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Change {
    /// So many units more.
    Add {
        /// Stock keeping unit.
        sku: String,
        /// Units, at least 1.
        quantity: u32,
    },
    /// So many units, from now on; 0 removes the line.
    Set {
        /// Stock keeping unit.
        sku: String,
        /// Units.
        quantity: u32,
    },
    /// No units; removing what isn't there is fine.
    Remove {
        /// Stock keeping unit.
        sku: String,
    },
    /// Stand still while `order_id` is placed and paid.
    Freeze {
        /// The order.
        order_id: String,
    },
    /// Move again: `order_id` came to nothing.
    Thaw {
        /// The order.
        order_id: String,
    },
    /// `order_id` is paid: drop its lines and move again.
    Complete {
        /// The order.
        order_id: String,
    },
}

/// What has happened to a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The cart now has `quantity` units of `sku`.
    LineSet {
        /// Stock keeping unit.
        sku: String,
        /// Units, at least 1.
        quantity: u32,
    },
    /// The line is gone.
    LineRemoved {
        /// Stock keeping unit.
        sku: String,
    },
    /// The cart stands still.
    Frozen {
        /// The order.
        order_id: String,
    },
    /// The cart moves again, its lines as they were.
    Thawed {
        /// The order.
        order_id: String,
    },
    /// The cart moves again, without the lines it was frozen with.
    Completed {
        /// The order.
        order_id: String,
    },
}

/// Why a cart said no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// The quantity is 0 or more than a cart takes.
    QuantityOutOfRange {
        /// The most allowed.
        max: u32,
    },
    /// Too many different SKUs.
    TooManyLines {
        /// The most allowed.
        max: usize,
    },
    /// There is nothing to order.
    Empty,
    /// An order has frozen the cart.
    FrozenBy {
        /// The order.
        order_id: String,
    },
    /// The cart has changed since.
    Stale {
        /// Its version now.
        version: u64,
    },
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Stock keeping unit.
    pub sku: String,
    /// Units, at least 1.
    pub quantity: u32,
}

/// What a cart answers.
pub type Reply = ReplyOf<Cart>;

/// The machine, which is also its own view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Changes so far.
    pub version: u64,
    /// Lines in the order they were added.
    pub lines: Vec<Line>,
    /// The order that has frozen the cart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_by: Option<String>,
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
            Change::Add { sku, quantity } => self.add(sku, *quantity),
            Change::Set { sku, quantity: 0 } | Change::Remove { sku } => self.remove(sku),
            Change::Set { sku, quantity } => self.set(sku, *quantity),
            Change::Freeze { order_id } => self.freeze(order_id),
            Change::Thaw { order_id } => {
                Ok(self.if_frozen_by(order_id, |order_id| Event::Thawed { order_id }))
            }
            Change::Complete { order_id } => {
                Ok(self.if_frozen_by(order_id, |order_id| Event::Completed { order_id }))
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        self.version = self.version.saturating_add(1);
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
            Event::Frozen { order_id } => self.frozen_by = Some(order_id.clone()),
            Event::Thawed { .. } => self.frozen_by = None,
            Event::Completed { .. } => {
                self.frozen_by = None;
                self.lines.clear();
            }
        }
    }

    fn due(&self, _now: Timestamp) -> Vec<Event> {
        vec![]
    }

    fn wake_at(&self) -> Option<Timestamp> {
        None
    }

    fn view(&self) -> Self {
        self.clone()
    }

    fn touched(_event: &Event) -> Vec<String> {
        vec![CART_KEY.to_owned()]
    }

    fn row(&self, _key: &str) -> Result<Option<String>, serde_json::Error> {
        serde_json::to_string(self).map(Some)
    }

    fn restore(rows: &[(String, String)]) -> Result<Self, serde_json::Error> {
        rows.first().map_or_else(
            || Ok(Self::default()),
            |(_, value)| serde_json::from_str(value),
        )
    }
}

/// The judgements.
impl Cart {
    fn add(&self, sku: &str, quantity: u32) -> Result<Vec<Event>, Refusal> {
        in_range(quantity)?;
        self.set(sku, self.quantity_of(sku).saturating_add(quantity))
    }

    fn set(&self, sku: &str, quantity: u32) -> Result<Vec<Event>, Refusal> {
        self.not_frozen()?;
        in_range(quantity)?;
        let known = self.quantity_of(sku);
        if known == quantity {
            return Ok(vec![]);
        }
        if known == 0 && self.lines.len() >= MAX_LINES {
            return Err(Refusal::TooManyLines { max: MAX_LINES });
        }
        Ok(vec![Event::LineSet {
            sku: sku.to_owned(),
            quantity,
        }])
    }

    fn remove(&self, sku: &str) -> Result<Vec<Event>, Refusal> {
        self.not_frozen()?;
        if self.quantity_of(sku) == 0 {
            return Ok(vec![]);
        }
        Ok(vec![Event::LineRemoved {
            sku: sku.to_owned(),
        }])
    }

    fn freeze(&self, order_id: &str) -> Result<Vec<Event>, Refusal> {
        if self.frozen_by.as_deref() == Some(order_id) {
            return Ok(vec![]);
        }
        self.not_frozen()?;
        if self.lines.is_empty() {
            return Err(Refusal::Empty);
        }
        Ok(vec![Event::Frozen {
            order_id: order_id.to_owned(),
        }])
    }

    fn if_frozen_by(&self, order_id: &str, event: impl FnOnce(String) -> Event) -> Vec<Event> {
        if self.frozen_by.as_deref() == Some(order_id) {
            vec![event(order_id.to_owned())]
        } else {
            vec![]
        }
    }

    fn not_frozen(&self) -> Result<(), Refusal> {
        match &self.frozen_by {
            None => Ok(()),
            Some(order_id) => Err(Refusal::FrozenBy {
                order_id: order_id.clone(),
            }),
        }
    }

    fn quantity_of(&self, sku: &str) -> u32 {
        self.lines
            .iter()
            .find(|line| line.sku == sku)
            .map_or(0, |line| line.quantity)
    }
}

const fn in_range(quantity: u32) -> Result<(), Refusal> {
    if quantity == 0 || quantity > MAX_QUANTITY {
        return Err(Refusal::QuantityOutOfRange { max: MAX_QUANTITY });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    //! Stored JSON must still read after a deploy: change these only by adding.

    use super::*;

    #[test]
    fn stored_row_still_reads() {
        let stored = r#"{"version":3,"lines":[{"sku":"A","quantity":2}],"frozen_by":"ord_1"}"#;
        let cart = Cart::restore(&[("cart".to_owned(), stored.to_owned())]).unwrap();
        assert_eq!(cart.quantity_of("A"), 2);
        assert_eq!(cart.row("cart").unwrap().as_deref(), Some(stored));
    }

    #[test]
    fn stored_events_still_read() {
        for stored in [
            r#"{"event":"line_set","sku":"A","quantity":2}"#,
            r#"{"event":"line_removed","sku":"A"}"#,
            r#"{"event":"frozen","order_id":"ord_1"}"#,
            r#"{"event":"thawed","order_id":"ord_1"}"#,
            r#"{"event":"completed","order_id":"ord_1"}"#,
        ] {
            let event: Event = serde_json::from_str(stored).unwrap();
            assert_eq!(serde_json::to_string(&event).unwrap(), stored);
        }
    }
}
