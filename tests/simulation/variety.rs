//! Variety of the worlds: a rule that no world has tried is not proved.

use crate::actors::PROMOTIONS;
use crate::evidence::ids;
use crate::world::World;
use std::collections::BTreeMap;
use std::fmt;

/// Counts of what happened in all worlds, to show that they had enough variety.
#[derive(Default)]
pub struct Told(BTreeMap<String, u64>);

impl Told {
    pub fn of(world: &World) -> Self {
        let mut told = BTreeMap::new();
        for happening in ids(world, "SELECT happening FROM order_events") {
            *told.entry(happening).or_default() += 1;
        }
        for status in ids(
            world,
            "SELECT 'stray_' || COALESCE(refund_status, 'told') FROM stray_payments",
        ) {
            *told.entry(status).or_default() += 1;
        }
        for (id, total, _) in PROMOTIONS {
            let view = world.promotions.view(id, world.now());
            *told.entry("promotion_used".to_owned()).or_default() += u64::from(view.consumed);
            *told.entry("promotion_used_up".to_owned()).or_default() +=
                u64::from(view.consumed == total);
        }
        Self(told)
    }

    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what.clone()).or_default() += count;
        }
    }

    /// Checks separately for late money, which occurs in few worlds.
    pub fn check_late_money(&self) {
        self.check(&["confirmed_late", "too_late"]);
    }

    /// Checks that every kind of event that this world can produce has occurred.
    pub fn check_variety(&self) {
        self.check(&[
            "placed",
            "refused",
            "hold_lapsed",
            "held_anew",
            "out_of_stock",
            "payment_processing",
            "paid",
            "paid_wrong_amount",
            "approved",
            "rejected",
            "session_expired",
            "payment_renewed",
            "cancel_requested",
            "cancelled",
            "shipped",
            "delivered",
            "completed",
            "returned",
            "refunded",
            "payment_failed",
            "late_attempt",
            "confirmed_late",
            "too_late",
            "refund_promised",
            "refund_found",
            "refund_failed",
            "disputed",
            "stray_told",
            "stray_succeeded",
            "stray_failed",
            "promotion_used",
            "promotion_used_up",
        ]);
    }

    fn check(&self, kinds: &[&str]) {
        for what in kinds {
            assert!(
                self.0.get(*what).is_some_and(|times| *times > 0),
                "no order was ever {what}: {self}"
            );
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
