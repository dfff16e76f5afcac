//! Refusals that this isolate remembers until it reads a newer availability of the SKU.

use crate::store::catalog::availability::last_read;
use durable::Timestamp;
use shop::inventory::refusals::{RefusalMemory, Refusals, Shortage};
use shop::values::ids::Sku;
use std::cell::RefCell;

thread_local! {
    static REFUSALS: RefCell<Refusals> = RefCell::default();
}

/// [`RefusalMemory`] of the isolate.
#[derive(Clone, Copy, Debug)]
pub struct RefusalsHere {
    /// Current time, which moves on while a request waits.
    pub clock: fn() -> Timestamp,
}

impl RefusalMemory for RefusalsHere {
    fn remember(&self, sku: &Sku, shortage: Shortage) {
        let now = (self.clock)();
        REFUSALS.with_borrow_mut(|refusals| refusals.remember(sku, shortage, now));
    }

    fn forget(&self, sku: &Sku) {
        REFUSALS.with_borrow_mut(|refusals| refusals.forget(sku));
    }

    fn recall(&self, sku: &Sku, quantity: u32) -> Option<Shortage> {
        let (word, now) = (last_read(sku), (self.clock)());
        REFUSALS.with_borrow_mut(|refusals| refusals.recall(sku, quantity, word, now))
    }
}
