//! Public availability of the SKUs in one bucket: a copy, fed by the events of the stock objects,
//! so that no page view and no watcher ever touches the object that sells.
//!
//! For each SKU, a board keeps the newest version it has received, in whatever order and however
//! often versions arrive. Its host writes the whole bucket to KV at most once every
//! [`PUBLISH_EVERY_SECS`] and sends each change at once to the clients that watch the SKU. Because
//! each bucket has exactly one board, no older copy can overwrite a newer one.

use crate::machine::fnv1a;
use crate::stock::{Availability, PublicStock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Number of buckets that SKUs are spread over. With 30,000 SKUs, a bucket's copy is some 30 KB.
pub const BUCKETS: u32 = 64;

/// Minimum seconds between two copies of a bucket; KV allows one write a second to a key.
pub const PUBLISH_EVERY_SECS: u32 = 5;

/// Public stock by SKU: what a board receives, and what its copy holds.
pub type Posts = BTreeMap<String, PublicStock>;

/// Returns the bucket of a SKU.
#[must_use]
pub fn bucket_of(sku: &str) -> u32 {
    let bucket = fnv1a(sku.as_bytes()).checked_rem(u64::from(BUCKETS));
    bucket
        .and_then(|bucket| u32::try_from(bucket).ok())
        .unwrap_or(0)
}

/// Returns the name of the object that serves `bucket`.
#[must_use]
pub fn object_name(bucket: u32) -> String {
    format!("board-{bucket}")
}

/// Returns the KV key of a bucket's copy.
#[must_use]
pub fn copy_key(bucket: u32) -> String {
    format!("stock/{bucket}")
}

/// Message sent to a watcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame<'a> {
    /// Stock keeping unit.
    pub sku: &'a str,
    /// Current availability.
    pub stock: Availability,
}

/// The newest known public stock of each SKU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    known: Posts,
}

impl Board {
    /// Creates a board from what is already stored.
    #[must_use]
    pub const fn new(known: Posts) -> Self {
        Self { known }
    }

    /// Stores those `posts` that are newer than what is known, and returns them.
    pub fn post(&mut self, posts: Posts) -> Posts {
        let newer: Posts = posts
            .into_iter()
            .filter(|(sku, stock)| self.is_newer(sku, *stock))
            .collect();
        self.known.extend(newer.clone());
        newer
    }

    /// Returns the public stock of `sku`; `None` means the board has never received any.
    #[must_use]
    pub fn of(&self, sku: &str) -> Option<PublicStock> {
        self.known.get(sku).copied()
    }

    /// Returns the public stock of every known SKU.
    #[must_use]
    pub const fn all(&self) -> &Posts {
        &self.known
    }

    fn is_newer(&self, sku: &str, stock: PublicStock) -> bool {
        self.of(sku)
            .is_none_or(|known| known.version < stock.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(sku: &str, stock: Availability, version: u64) -> Posts {
        let stock = PublicStock {
            stock,
            version,
            ..PublicStock::default()
        };
        Posts::from([(sku.to_owned(), stock)])
    }

    #[test]
    fn the_newest_stays_whatever_the_order() {
        let told = [
            post("a", Availability::InStock, 1),
            post("a", Availability::Low, 5),
            post("a", Availability::Out, 9),
            post("b", Availability::Low, 2),
        ];
        for order in [[0, 1, 2, 3], [2, 1, 0, 3], [3, 2, 0, 1], [2, 2, 3, 1]] {
            let mut board = Board::default();
            for at in order {
                board.post(told[at].clone());
            }
            assert_eq!(
                board.of("a").map(|stock| stock.stock),
                Some(Availability::Out)
            );
            assert_eq!(board.post(told[2].clone()), Posts::new());
        }
    }

    #[test]
    fn every_sku_has_a_bucket_and_buckets_fill_evenly() {
        let mut filled = BTreeMap::<u32, u32>::new();
        for number in 0..6400 {
            let bucket = bucket_of(&format!("SKU-{number}"));
            assert!(bucket < BUCKETS);
            *filled.entry(bucket).or_default() += 1;
        }
        assert!(
            filled.values().all(|skus| (50..200).contains(skus)),
            "{filled:?}"
        );
    }
}
