//! Bookkeeping: each hold is counted in exactly one total.

use super::Stock;
use super::holds::{Hold, HoldStatus};
use crate::Timestamp;

impl Stock {
    pub(super) fn count(&mut self, change: i64) {
        self.totals.on_hand = self.totals.on_hand.saturating_add(change);
    }

    pub(super) fn buys(&mut self, customer: &str, quantity: u32) {
        let units = self.buyers.entry(customer.to_owned()).or_default();
        *units = units.saturating_add(quantity);
    }

    /// Takes the units of a hold off its customer's purchase limit.
    pub(super) fn unbuys(&mut self, hold_id: &str) {
        let Some(hold) = self.holds.get(hold_id) else {
            return;
        };
        if let Some(units) = hold
            .customer
            .as_ref()
            .and_then(|customer| self.buyers.get_mut(customer))
        {
            *units = units.saturating_sub(hold.quantity);
        }
    }

    pub(super) fn put(&mut self, hold_id: &str, hold: Hold) {
        self.take(hold_id);
        if let Some(total) = self.total_of(hold.status) {
            *total = total.saturating_add(i64::from(hold.quantity));
        }
        self.index(hold_id, hold);
    }

    pub(super) fn move_to(&mut self, hold_id: &str, status: HoldStatus) {
        if let Some(hold) = self.take(hold_id) {
            self.put(hold_id, Hold { status, ..hold });
        }
    }

    /// Ships units of a committed hold. After the last of them, only the ID stays for a while.
    pub(super) fn leave(&mut self, hold_id: &str, quantity: u32, forget_at: Timestamp) {
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

    pub(super) fn take(&mut self, hold_id: &str) -> Option<Hold> {
        self.ended.remove(hold_id);
        let hold = self.holds.remove(hold_id)?;
        if let Some(expires_at) = hold.status.expires_at() {
            self.ends.remove(&(expires_at, hold_id.to_owned()));
        }
        if let Some(total) = self.total_of(hold.status) {
            *total = total.saturating_sub(i64::from(hold.quantity));
        }
        Some(hold)
    }

    pub(super) fn index(&mut self, hold_id: &str, hold: Hold) {
        if hold.status.forget_at().is_some() {
            self.ended.insert(hold_id.to_owned(), hold);
            return;
        }
        if let Some(expires_at) = hold.status.expires_at() {
            self.ends.insert((expires_at, hold_id.to_owned()));
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
