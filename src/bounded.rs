//! A cache in an isolate's memory, bounded by size.
//!
//! Entries live in two generations. An entry that is used stays in the young generation or moves
//! back to it. When the young generation takes up half of the room, it becomes the old one, and
//! whatever was not used since then is dropped.

use std::collections::HashMap;
use std::mem::take;

/// Values by name, bounded by their total size in bytes.
#[derive(Debug)]
pub struct Bounded<V> {
    young: HashMap<String, (V, usize)>,
    old: HashMap<String, (V, usize)>,
    young_bytes: usize,
}

impl<V> Default for Bounded<V> {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            young_bytes: 0,
        }
    }
}

impl<V: Clone> Bounded<V> {
    /// Returns the value under `name`, if it is cached.
    pub fn get(&mut self, name: &str, max_bytes: usize) -> Option<V> {
        if let Some((value, _)) = self.young.get(name) {
            return Some(value.clone());
        }
        let (value, bytes) = self.old.remove(name)?;
        self.insert(name.to_owned(), value.clone(), bytes, max_bytes);
        Some(value)
    }

    /// Caches a value of `bytes` bytes (plus its name) within a total of `max_bytes`.
    pub fn put(&mut self, name: String, value: V, bytes: usize, max_bytes: usize) {
        let bytes = bytes.saturating_add(name.len());
        self.insert(name, value, bytes, max_bytes);
    }

    fn insert(&mut self, name: String, value: V, bytes: usize, max_bytes: usize) {
        let half = max_bytes / 2;
        if bytes > half {
            return;
        }
        if self.young_bytes.saturating_add(bytes) > half {
            self.old = take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes = self.young_bytes.saturating_add(bytes);
        if let Some((_, before)) = self.young.insert(name, (value, bytes)) {
            self.young_bytes = self.young_bytes.saturating_sub(before);
        }
    }

    /// Drops all entries.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_used_outlives_what_is_not() {
        let mut kept = Bounded::default();
        kept.put("used".into(), 0, 10, 100);
        for number in 1..1000 {
            kept.put(number.to_string(), number, 10, 100);
            assert_eq!(kept.get("used", 100), Some(0));
        }
        assert_eq!(kept.get("1", 100), None);
        assert_eq!(kept.get("999", 100), Some(999));
    }

    proptest! {
        #[test]
        fn the_bound_holds(puts in prop::collection::vec(("[a-c]{0,20}", 0_usize..80, any::<bool>()), 0..200)) {
            let mut kept = Bounded::default();
            let sum = |kept: &HashMap<String, (usize, usize)>| -> usize {
                kept.iter().map(|(name, (bytes, _))| name.len() + bytes).sum()
            };
            for (name, bytes, asks) in puts {
                if asks {
                    kept.get(&name, 100);
                } else {
                    kept.put(name, bytes, bytes, 100);
                }
                let (young, old) = (sum(&kept.young), sum(&kept.old));
                prop_assert_eq!(young, kept.young_bytes);
                prop_assert!(young + old <= 100);
            }
        }
    }
}
