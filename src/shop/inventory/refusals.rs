//! An isolate's memory of refusals, so that a rush on sold-out items asks no object. A refusal is
//! remembered for a second or two, and at most until a newer stock version is read. Then one
//! request asks the object again, and only if it gets units do the others follow. Only refusals are
//! answered from memory, never a hold.

use crate::values::ids::Sku;
use durable::Timestamp;
use durable::stock::PublicStock;
use std::collections::BTreeMap;

/// Seconds for which a refusal is remembered: if others hold the units, and if the units are gone.
const CONTENDED_SECS: u32 = 1;
const SOLD_OUT_SECS: u32 = 2;

/// Milliseconds that one request is given to ask again, and milliseconds after which an unused
/// refusal expires.
const LOOK_MILLIS: i64 = 250;
const STALE_MILLIS: i64 = 1000;

/// Maximum number of SKUs remembered at once.
const MAX_KEPT: usize = 4096;

/// The isolate's memory of refusals.
pub trait RefusalMemory {
    /// Remembers the refusal that an object has just given.
    fn remember(&self, sku: &Sku, shortage: Shortage);
    /// Forgets the refusal, because units were held.
    fn forget(&self, sku: &Sku);
    /// Returns the reason why `quantity` units would be refused. `None` means the object must be
    /// asked.
    fn recall(&self, sku: &Sku, quantity: u32) -> Option<Shortage>;
}

/// Reason why an object refused units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// True if others held units that may come back.
    pub contended: bool,
    /// Units that were available.
    pub available: i64,
    /// Version of the stock at that time.
    pub version: u64,
}

/// Recent refusals.
#[derive(Debug, Default)]
pub struct Refusals(BTreeMap<Sku, Kept>);

#[derive(Clone, Copy, Debug)]
struct Kept {
    shortage: Shortage,
    until: Timestamp,
}

impl Refusals {
    /// Remembers a refusal by the object of `sku`.
    pub fn remember(&mut self, sku: &Sku, shortage: Shortage, now: Timestamp) {
        let is_newer = |kept: &Kept| kept.until > now && kept.shortage.version > shortage.version;
        if self.0.get(sku).is_some_and(is_newer) {
            return;
        }
        if self.0.len() >= MAX_KEPT {
            self.0.retain(|_, kept| kept.until > now);
        }
        if self.0.len() >= MAX_KEPT {
            self.0.clear();
        }
        let until = now.plus_secs(if shortage.contended {
            CONTENDED_SECS
        } else {
            SOLD_OUT_SECS
        });
        self.0.insert(sku.to_owned(), Kept { shortage, until });
    }

    /// Forgets the refusal for `sku`.
    pub fn forget(&mut self, sku: &Sku) {
        self.0.remove(sku);
    }

    /// Returns the reason why `quantity` units would be refused; `word` is the newest public stock
    /// that the isolate has read.
    pub fn recall(
        &mut self,
        sku: &Sku,
        quantity: u32,
        word: Option<PublicStock>,
        now: Timestamp,
    ) -> Option<Shortage> {
        let kept = self.0.get_mut(sku)?;
        let shortage = kept.shortage;
        let has_news = word.is_some_and(|word| word.version > shortage.version);
        if has_news || after(kept.until, STALE_MILLIS) <= now {
            self.0.remove(sku);
            return None;
        }
        if i64::from(quantity) <= shortage.available {
            return None;
        }
        if kept.until <= now {
            kept.until = after(now, LOOK_MILLIS);
            return None;
        }
        Some(shortage)
    }
}

const fn after(at: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GONE: Shortage = Shortage {
        contended: false,
        available: 2,
        version: 7,
    };
    const HELD: Shortage = Shortage {
        contended: true,
        ..GONE
    };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn word(version: u64) -> Option<PublicStock> {
        Some(PublicStock {
            version,
            ..PublicStock::default()
        })
    }

    #[test]
    fn a_refusal_is_repeated_for_its_time_and_for_as_many_units() {
        for (shortage, millis) in [(HELD, 1000), (GONE, 2000)] {
            let mut refusals = Refusals::default();
            refusals.remember(&"A".into(), shortage, at(0));
            assert_eq!(refusals.recall(&"A".into(), 2, None, at(1)), None);
            assert_eq!(refusals.recall(&"B".into(), 3, None, at(1)), None);
            assert_eq!(
                refusals.recall(&"A".into(), 3, None, at(millis - 1)),
                Some(shortage)
            );
            assert_eq!(refusals.recall(&"A".into(), 3, None, at(millis)), None);
        }
    }

    #[test]
    fn when_its_time_is_over_one_request_looks_again() {
        let mut refusals = Refusals::default();
        refusals.remember(&"A".into(), GONE, at(0));
        assert_eq!(refusals.recall(&"A".into(), 1, None, at(2000)), None);
        assert_eq!(refusals.recall(&"A".into(), 3, None, at(2000)), None);
        assert_eq!(refusals.recall(&"A".into(), 3, None, at(2249)), Some(GONE));
        assert_eq!(refusals.recall(&"A".into(), 3, None, at(2250)), None);
        assert_eq!(refusals.recall(&"A".into(), 3, None, at(2251)), Some(GONE));
        assert_eq!(refusals.recall(&"A".into(), 3, None, at(3500)), None);
        assert_eq!(refusals.recall(&"A".into(), 3, None, at(3500)), None);
    }

    #[test]
    fn who_was_given_units_ends_it() {
        let mut refusals = Refusals::default();
        refusals.remember(&"A".into(), GONE, at(0));
        refusals.forget(&"A".into());
        assert_eq!(refusals.recall(&"A".into(), 3, None, at(1)), None);
    }

    #[test]
    fn a_newer_word_ends_a_refusal_and_an_older_one_does_not() {
        let mut refusals = Refusals::default();
        refusals.remember(&"A".into(), GONE, at(0));
        assert_eq!(refusals.recall(&"A".into(), 3, word(7), at(1)), Some(GONE));
        assert_eq!(refusals.recall(&"A".into(), 3, word(8), at(1)), None);
        assert_eq!(refusals.recall(&"A".into(), 3, word(7), at(1)), None);
    }

    #[test]
    fn an_answer_that_comes_late_does_not_replace_a_newer_one() {
        let mut refusals = Refusals::default();
        let newer = Shortage {
            available: 3,
            version: 8,
            ..GONE
        };
        refusals.remember(&"A".into(), newer, at(0));
        refusals.remember(&"A".into(), GONE, at(1));
        assert_eq!(refusals.recall(&"A".into(), 3, None, at(2)), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut refusals = Refusals::default();
        for sku in 0..3 * MAX_KEPT {
            refusals.remember(&Sku::new(sku.to_string()), GONE, at(0));
            assert!(refusals.0.len() <= MAX_KEPT);
        }
    }
}
