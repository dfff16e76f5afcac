//! Public stock by SKU, from the copies in KV that the boards write.
//!
//! An isolate caches a bucket for [`KEPT_SECS`], also when it is missing, and for as long as KV
//! can't be read. A page that watches the board learns of a change before that.

use crate::store::platform::kv::Kv;
use durable::Timestamp;
use durable::board::{Posts, bucket_of, copy_key};
use durable::stock::PublicStock;
use shop::catalog::availability::PublicStocks;
use shop::error::{Error, Result};
use shop::values::ids::Sku;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Seconds that an isolate shows a copy before it reads it again.
const KEPT_SECS: u32 = 5;

thread_local! {
    /// Copies by bucket, so that their number is bounded.
    static COPIES: RefCell<BTreeMap<u32, (Timestamp, Rc<Posts>)>> = const { RefCell::new(BTreeMap::new()) };
}

/// [`PublicStocks`] on KV.
#[derive(Debug)]
pub struct StockKv {
    /// Namespace of the copies.
    pub kv: Kv,
    /// Time of this request.
    pub now: Timestamp,
}

/// Returns what this isolate last read about a SKU, however old.
#[must_use]
pub fn last_read(sku: &Sku) -> Option<PublicStock> {
    COPIES.with_borrow(|copies| {
        let (_, copy) = copies.get(&bucket_of(sku))?;
        copy.get(sku.as_str()).copied()
    })
}

impl PublicStocks for StockKv {
    async fn public_stocks(&self, skus: &[&Sku]) -> Result<Posts> {
        let buckets: BTreeSet<u32> = skus.iter().map(|sku| bucket_of(sku)).collect();
        let copies = buckets.into_iter().map(|bucket| self.copy(bucket));
        let copies = futures_util::future::try_join_all(copies).await?;
        let known = |sku: &&Sku| {
            copies
                .iter()
                .find_map(|copy| copy.get(sku.as_str()))
                .copied()
        };
        Ok(skus
            .iter()
            .filter_map(|sku| Some((sku.as_str().to_owned(), known(sku)?)))
            .collect())
    }
}

impl StockKv {
    async fn copy(&self, bucket: u32) -> Result<Rc<Posts>> {
        let kept = COPIES.with_borrow(|copies| copies.get(&bucket).cloned());
        if let Some((read_at, copy)) = &kept
            && self.now < read_at.plus_secs(KEPT_SECS)
        {
            return Ok(Rc::clone(copy));
        }
        let copy = match (self.read(bucket).await, kept) {
            (Ok(copy), _) => Rc::new(copy),
            // Meanwhile, the last copy is shown: an order asks the stock object anyway.
            (Err(_), Some((_, copy))) => copy,
            (Err(error), None) => return Err(error),
        };
        COPIES.with_borrow_mut(|copies| copies.insert(bucket, (self.now, Rc::clone(&copy))));
        Ok(copy)
    }

    async fn read(&self, bucket: u32) -> Result<Posts> {
        let bytes = self.kv.read(&copy_key(bucket)).await?;
        bytes.map_or_else(
            || Ok(Posts::new()),
            |bytes| {
                durable::json::read(&bytes)
                    .map_err(|error| Error::internal(format!("stock copy {bucket}: {error}")))
            },
        )
    }
}
