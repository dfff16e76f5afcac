//! Decisions, one method per command.

use super::Cart;
use super::messages::{
    CheckoutName, Event, Line, MAX_LINES, MAX_NOTE_BYTES, MAX_QUANTITY, Refusal,
};
use crate::Timestamp;
use crate::machine::Machine;

impl Cart {
    pub(super) fn add(
        &self,
        sku: &str,
        quantity: u32,
        at_most: u32,
    ) -> Result<Vec<Event>, Refusal> {
        in_range(quantity)?;
        let wanted = self.quantity_of(sku).saturating_add(quantity);
        self.set(sku, wanted.min(MAX_QUANTITY), at_most)
    }

    pub(super) fn set(
        &self,
        sku: &str,
        quantity: u32,
        at_most: u32,
    ) -> Result<Vec<Event>, Refusal> {
        self.not_frozen()?;
        in_range(quantity)?;
        let quantity = quantity.min(at_most.max(1));
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

    pub(super) fn remove(&self, sku: &str) -> Result<Vec<Event>, Refusal> {
        self.not_frozen()?;
        if self.quantity_of(sku) == 0 {
            return Ok(vec![]);
        }
        Ok(vec![Event::LineRemoved {
            sku: sku.to_owned(),
        }])
    }

    pub(super) fn clear(&self) -> Result<Vec<Event>, Refusal> {
        self.not_frozen()?;
        if self.lines.is_empty() && self.note.is_empty() {
            return Ok(vec![]);
        }
        Ok(vec![Event::Cleared])
    }

    pub(super) fn write_note(&self, note: &str) -> Result<Vec<Event>, Refusal> {
        self.not_frozen()?;
        if note.len() > MAX_NOTE_BYTES {
            return Err(Refusal::NoteTooLong {
                max: MAX_NOTE_BYTES,
            });
        }
        if note == self.note {
            return Ok(vec![]);
        }
        let note = note.to_owned();
        Ok(vec![Event::Noted { note }])
    }

    pub(super) fn merge(&self, lines: &[Line], note: &str) -> Result<Vec<Event>, Refusal> {
        self.not_frozen()?;
        let mut merged = self.clone();
        let mut events = vec![];
        for line in lines {
            let known = merged.quantity_of(&line.sku);
            let quantity = line.quantity.clamp(1, MAX_QUANTITY);
            let fits = known > 0 || merged.lines.len() < MAX_LINES;
            if fits && quantity > known {
                let sku = line.sku.clone();
                let event = Event::LineSet { sku, quantity };
                merged.apply(&event, Timestamp::default());
                events.push(event);
            }
        }
        if self.note.is_empty() && !note.is_empty() && note.len() <= MAX_NOTE_BYTES {
            let note = note.to_owned();
            events.push(Event::Noted { note });
        }
        Ok(events)
    }

    pub(super) fn freeze(
        &self,
        order_id: &str,
        checkout: Option<&CheckoutName>,
    ) -> Result<Vec<Event>, Refusal> {
        if self.frozen_by.as_deref() == Some(order_id) {
            return Ok(vec![]);
        }
        if let (Some(first), Some(next)) = (&self.frozen_for, checkout)
            && first.key == next.key
        {
            return self.join(first == next);
        }
        self.not_frozen()?;
        if self.lines.is_empty() {
            return Err(Refusal::Empty);
        }
        Ok(vec![Event::Frozen {
            order_id: order_id.to_owned(),
            checkout: checkout.cloned(),
        }])
    }

    fn join(&self, is_same: bool) -> Result<Vec<Event>, Refusal> {
        if !is_same {
            return Err(Refusal::KeyReused);
        }
        let is_first = !self.joined;
        Ok(is_first.then_some(Event::Joined).into_iter().collect())
    }

    pub(super) fn thaw(&self, order_id: &str, alone: bool) -> Result<Vec<Event>, Refusal> {
        let events = self.if_frozen_by(order_id, |order_id| Event::Thawed { order_id });
        if alone && self.joined && !events.is_empty() {
            return Err(Refusal::Joined);
        }
        Ok(events)
    }

    pub(super) fn if_frozen_by(
        &self,
        order_id: &str,
        event: impl FnOnce(String) -> Event,
    ) -> Vec<Event> {
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

    pub(super) fn quantity_of(&self, sku: &str) -> u32 {
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
