//! Decisions, one method per command.

use super::messages::{Event, Limits, Refusal};
use super::uses::{Use, UseStatus};
use super::{Promotion, RETURNABLE_SECS, TOMBSTONE_SECS};
use crate::Timestamp;

impl Promotion {
    pub(super) fn hold(
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

    pub(super) fn pin(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id, now) {
            Some(UseStatus::Reserved { .. }) => Ok(vec![Event::Pinned {
                hold_id: hold_id.to_owned(),
            }]),
            Some(UseStatus::Pinned | UseStatus::Consumed { .. }) => Ok(vec![]),
            Some(UseStatus::Tombstone { .. }) | None => Err(Refusal::HoldEnded),
        }
    }

    pub(super) fn release(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id, now) {
            Some(UseStatus::Reserved { .. } | UseStatus::Pinned) | None => {
                Ok(vec![self.released(hold_id, now)])
            }
            Some(UseStatus::Tombstone { .. }) => Ok(vec![]),
            Some(UseStatus::Consumed { .. }) => Err(Refusal::AlreadyConsumed),
        }
    }

    pub(super) fn consume(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
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
    pub(super) fn give_back(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id, now) {
            Some(UseStatus::Consumed { .. }) => Ok(vec![self.released(hold_id, now)]),
            Some(UseStatus::Tombstone { .. }) | None => Ok(vec![]),
            Some(UseStatus::Reserved { .. } | UseStatus::Pinned) => Err(Refusal::NotConsumed),
        }
    }

    /// Returns the hold; `None` means it was never held, or ended so long ago that no request for
    /// it can still arrive.
    pub(super) fn known(&self, hold_id: &str, now: Timestamp) -> Option<&Use> {
        let known = self.uses.get(hold_id).or_else(|| self.ended.get(hold_id))?;
        let forget_at = known.status.forget_at();
        Some(known).filter(|_| forget_at.is_none_or(|at| now < at))
    }

    pub(super) fn status(&self, hold_id: &str, now: Timestamp) -> Option<UseStatus> {
        self.known(hold_id, now).map(|known| known.status)
    }

    pub(super) fn released(&self, hold_id: &str, now: Timestamp) -> Event {
        let known = self.known(hold_id, now);
        Event::Released {
            hold_id: hold_id.to_owned(),
            customer: known.and_then(|it| it.customer.clone()),
            forget_at: now.plus_secs(TOMBSTONE_SECS),
            was_consumed: known.is_some_and(|it| matches!(it.status, UseStatus::Consumed { .. })),
        }
    }
}
