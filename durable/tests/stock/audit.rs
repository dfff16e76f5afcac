//! Audit of a stock object that hears of its journal only.

use super::*;

/// Follows every unit through the journal. Its only rules: a hold is held once, ends once, and
/// never by expiry when pinned; a committed hold is only ever shipped or restocked; a released one
/// is remembered long enough.
#[derive(Default)]
pub(super) struct Audit {
    pub(super) on_hand: i64,
    open: BTreeMap<String, (i64, bool)>,
    pub(super) committed: BTreeMap<String, i64>,
    /// Ended holds, with the instant until which their ID is remembered.
    over: BTreeMap<String, Timestamp>,
}

impl Audit {
    pub(super) fn read(&mut self, events: Vec<(Timestamp, Event)>) {
        for (at, event) in events {
            self.hear(at, event);
        }
    }

    fn hear(&mut self, at: Timestamp, event: Event) {
        match event {
            Event::Received { quantity } | Event::Returned { quantity, .. } => {
                self.on_hand += i64::from(quantity);
            }
            Event::WrittenOff { quantity, .. } => self.on_hand -= i64::from(quantity),
            Event::Adjusted { by, .. } => self.on_hand += i64::from(by),
            Event::Configured { .. } => {}
            Event::Held {
                hold_id, quantity, ..
            } => {
                assert!(self.is_unknown(&hold_id, at), "{hold_id} held twice");
                self.open.insert(hold_id, (i64::from(quantity), false));
            }
            Event::Extended { hold_id, .. } => {
                let (_, pinned) = self.open.get(&hold_id).unwrap();
                assert!(!pinned, "{hold_id} has a clock though pinned");
            }
            Event::Pinned { hold_id } => {
                let (_, pinned) = self.open.get_mut(&hold_id).unwrap();
                assert!(!*pinned, "{hold_id} pinned twice");
                *pinned = true;
            }
            Event::Committed { hold_id } => {
                let (quantity, _) = self.open.remove(&hold_id).unwrap();
                self.committed.insert(hold_id, quantity);
            }
            Event::Shipped {
                hold_id,
                quantity,
                forget_at,
            } => {
                let left = self.committed.get_mut(&hold_id).unwrap();
                *left -= i64::from(quantity);
                self.on_hand -= i64::from(quantity);
                if *left == 0 {
                    self.committed.remove(&hold_id);
                    self.remember(hold_id, at, forget_at);
                }
            }
            Event::Released {
                hold_id,
                reason,
                forget_at,
                ..
            } => {
                self.end(&hold_id, reason, at);
                self.remember(hold_id, at, forget_at);
            }
            Event::Forgotten { hold_id } => panic!("{hold_id} is forgotten in silence"),
        }
    }

    fn remember(&mut self, hold_id: String, at: Timestamp, forget_at: Timestamp) {
        let long_enough = after_secs(at, TOMBSTONE_SECS);
        assert!(forget_at >= long_enough, "{hold_id} forgotten early");
        self.over.insert(hold_id, forget_at);
    }

    fn end(&mut self, hold_id: &str, reason: ReleaseReason, at: Timestamp) {
        match reason {
            ReleaseReason::NeverHeld => {
                assert!(self.is_unknown(hold_id, at), "{hold_id} was known");
            }
            ReleaseReason::Restocked => {
                self.committed.remove(hold_id).unwrap();
            }
            ReleaseReason::Cancelled | ReleaseReason::Expired => {
                let (_, pinned) = self.open.remove(hold_id).unwrap();
                let lapsed = reason == ReleaseReason::Expired;
                assert!(!(pinned && lapsed), "{hold_id} lapsed though pinned");
            }
        }
    }

    fn is_unknown(&self, hold_id: &str, at: Timestamp) -> bool {
        !self.open.contains_key(hold_id)
            && !self.committed.contains_key(hold_id)
            && self.over.get(hold_id).is_none_or(|until| *until <= at)
    }

    pub(super) fn agree_with(&self, view: View) {
        let held: i64 = self.open.values().map(|(quantity, _)| quantity).sum();
        let committed: i64 = self.committed.values().sum();
        assert_eq!(
            (view.on_hand, view.held, view.committed),
            (self.on_hand, held, committed),
            "units were lost or made"
        );
        let cap = i64::from(view.settings.backorder_cap);
        assert_eq!(
            view.available,
            view.on_hand + cap - view.held - view.committed
        );
        assert!(view.available >= 0, "oversold");
        assert!(view.on_hand >= 0, "more left than there was");
    }
}
