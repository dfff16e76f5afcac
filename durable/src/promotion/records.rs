//! Bookkeeping: each hold is counted in exactly one total.

use super::Promotion;
use super::messages::View;
use super::uses::{Use, UseStatus};
use crate::Timestamp;

impl Promotion {
    pub(super) fn put(&mut self, hold_id: &str, known: Use) {
        self.take(hold_id);
        self.count(known.status, 1);
        self.index(hold_id, known);
    }

    pub(super) fn move_to(&mut self, hold_id: &str, status: UseStatus) {
        if let Some(known) = self.take(hold_id) {
            self.put(hold_id, Use { status, ..known });
        }
    }

    pub(super) fn end(&mut self, hold_id: &str, customer: Option<&str>, forget_at: Timestamp) {
        if let Some(uses) = customer.and_then(|it| self.customers.get_mut(it)) {
            *uses = uses.saturating_sub(1);
        }
        let status = UseStatus::Tombstone { forget_at };
        let customer = None;
        self.put(hold_id, Use { status, customer });
    }

    /// Removes a held use and its count in the totals. A consumed use stays counted.
    pub(super) fn take(&mut self, hold_id: &str) -> Option<Use> {
        self.ended.remove(hold_id);
        let known = self.uses.remove(hold_id)?;
        if let UseStatus::Reserved { expires_at } = known.status {
            self.ends.remove(&(expires_at, hold_id.to_owned()));
        }
        self.count(known.status, -1);
        Some(known)
    }

    pub(super) fn index(&mut self, hold_id: &str, known: Use) {
        if known.status.forget_at().is_some() {
            self.ended.insert(hold_id.to_owned(), known);
            return;
        }
        if let UseStatus::Reserved { expires_at } = known.status {
            self.ends.insert((expires_at, hold_id.to_owned()));
        }
        self.uses.insert(hold_id.to_owned(), known);
    }

    pub(super) fn count(&mut self, status: UseStatus, change: i32) {
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
