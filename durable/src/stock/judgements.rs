//! Decisions, one method per command.

use super::Stock;
use super::holds::HoldStatus;
use super::messages::{
    Availability, Event, MAX_QUANTITY, MAX_REASON_BYTES, Refusal, ReleaseReason, Settings,
};
use crate::Timestamp;

/// Seconds that a released hold is remembered, so that a late request for the same hold is refused.
/// A hold is requested by a visitor's request, a queue message or the sweep. The platform lets none
/// of them run for more than 15 minutes, and all had begun when the release was sent; this is twice
/// that. A request later still would hold units that expire within minutes, as those of any hold.
pub const TOMBSTONE_SECS: u32 = 30 * 60;

/// Seconds that a hold is remembered after its units were shipped or restocked. A task of its order
/// is retried 12 times, at most an hour apart, and staff resend a dead letter within days.
/// Remembering costs a row, but no memory.
pub const SETTLED_SECS: u32 = 7 * 24 * 60 * 60;

impl Stock {
    pub(super) fn receive(&self, quantity: u32) -> Result<Vec<Event>, Refusal> {
        in_range(quantity)?;
        Ok(vec![Event::Received { quantity }])
    }

    pub(super) fn adjust(&self, by: i32, reason: &str) -> Result<Vec<Event>, Refusal> {
        in_range(by.unsigned_abs())?;
        stated(reason)?;
        self.still_promised(i64::from(by), self.settings.backorder_cap)?;
        let reason = reason.to_owned();
        Ok(vec![Event::Adjusted { by, reason }])
    }

    pub(super) fn recount(&self, quantity: u32, reason: &str) -> Result<Vec<Event>, Refusal> {
        let by = i64::from(quantity).saturating_sub(self.totals.on_hand);
        if by == 0 {
            stated(reason)?;
            return Ok(vec![]);
        }
        let max = MAX_QUANTITY;
        let by = i32::try_from(by).map_err(|_| Refusal::QuantityOutOfRange { max })?;
        self.adjust(by, reason)
    }

    pub(super) fn write_off(&self, quantity: u32, reason: &str) -> Result<Vec<Event>, Refusal> {
        in_range(quantity)?;
        stated(reason)?;
        let fewer = i64::from(quantity).saturating_neg();
        self.still_promised(fewer, self.settings.backorder_cap)?;
        let reason = reason.to_owned();
        Ok(vec![Event::WrittenOff { quantity, reason }])
    }

    pub(super) fn take_back(&self, quantity: u32, reason: &str) -> Result<Vec<Event>, Refusal> {
        in_range(quantity)?;
        stated(reason)?;
        let reason = reason.to_owned();
        Ok(vec![Event::Returned { quantity, reason }])
    }

    pub(super) fn configure(&self, settings: Settings) -> Result<Vec<Event>, Refusal> {
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

    pub(super) fn hold(
        &self,
        hold_id: &str,
        quantity: u32,
        expires_at: Timestamp,
        customer: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        in_range(quantity)?;
        if let Some(hold) = self.holds.get(hold_id) {
            if hold.quantity == quantity {
                return Ok(vec![]);
            }
            return Err(Refusal::HoldMismatch);
        }
        if self.status(hold_id, now).is_some() {
            return Err(Refusal::HoldEnded);
        }
        self.within_limit(quantity, customer)?;
        let available = self.available();
        if available < i64::from(quantity) {
            return Err(Refusal::Short {
                wanted: quantity,
                available,
                contended: self.totals.reserved > 0,
                version: self.totals.version,
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

    pub(super) fn extend(
        &self,
        hold_id: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id, now) {
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

    pub(super) fn pin(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id, now) {
            Some(HoldStatus::Reserved { .. }) => Ok(vec![Event::Pinned {
                hold_id: hold_id.to_owned(),
            }]),
            Some(HoldStatus::Pinned | HoldStatus::Committed | HoldStatus::Shipped { .. }) => {
                Ok(vec![])
            }
            Some(HoldStatus::Tombstone { .. }) | None => Err(Refusal::HoldEnded),
        }
    }

    pub(super) fn release(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id, now) {
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

    pub(super) fn commit(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id, now) {
            Some(HoldStatus::Reserved { .. } | HoldStatus::Pinned) => Ok(vec![Event::Committed {
                hold_id: hold_id.to_owned(),
            }]),
            Some(HoldStatus::Committed | HoldStatus::Shipped { .. }) => Ok(vec![]),
            Some(HoldStatus::Tombstone { .. }) | None => Err(Refusal::HoldEnded),
        }
    }

    pub(super) fn restock(&self, hold_id: &str, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self.status(hold_id, now) {
            Some(HoldStatus::Committed) => {
                Ok(vec![self.released(hold_id, ReleaseReason::Restocked, now)])
            }
            Some(HoldStatus::Tombstone { .. } | HoldStatus::Shipped { .. }) => Ok(vec![]),
            Some(HoldStatus::Reserved { .. } | HoldStatus::Pinned) | None => {
                Err(Refusal::NotCommitted)
            }
        }
    }

    pub(super) fn ship(
        &self,
        hold_id: &str,
        quantity: u32,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
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
            forget_at: now.plus_secs(SETTLED_SECS),
        }])
    }

    /// Refuses a change that would leave fewer units than are promised.
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

    pub(super) fn available(&self) -> i64 {
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

    pub(super) fn word(&self) -> Availability {
        let free = self.free_on_hand();
        if free > i64::from(self.settings.low_threshold) {
            Availability::InStock
        } else if free > 0 {
            Availability::Low
        } else if self.available() > 0 {
            Availability::Preorder
        } else {
            Availability::Out
        }
    }

    /// Returns the hold's status; `None` means it was never held, or ended so long ago that no
    /// request for it can still arrive.
    fn status(&self, hold_id: &str, now: Timestamp) -> Option<HoldStatus> {
        let known = self.holds.get(hold_id).or_else(|| self.ended.get(hold_id));
        known
            .map(|hold| hold.status)
            .filter(|status| status.forget_at().is_none_or(|at| now < at))
    }

    pub(super) fn released(&self, hold_id: &str, reason: ReleaseReason, now: Timestamp) -> Event {
        let remembered_secs = match reason {
            ReleaseReason::Restocked => SETTLED_SECS,
            _ => TOMBSTONE_SECS,
        };
        Event::Released {
            hold_id: hold_id.to_owned(),
            reason,
            forget_at: now.plus_secs(remembered_secs),
            customer: self
                .holds
                .get(hold_id)
                .and_then(|hold| hold.customer.clone()),
        }
    }
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
