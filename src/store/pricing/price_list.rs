//! The inputs of pricing (published listings and the merchant's settings, read in one query), and
//! the quotes made from them.
//!
//! The listings of a publish never change. An isolate caches those of the publish that it saw last
//! and reads only the others. Every query checks which publish is current, so the cache is never
//! stale.

use crate::bounded::Bounded;
use crate::store::pricing::settings::{
    SettingsCache, SettingsRow, known_version, remember, select_settings,
};
use crate::store::sql::{Database, Statement, TextRow, from_json, to_json};
use durable::Timestamp;
use serde::Deserialize;
use shop::checkout::quoting::ids_of_quotes;
use shop::error::{Error, Result};
use shop::pricing::price_list::{PriceList, Prices};
use shop::pricing::quote::{Listing, Quote};
use shop::values::ids::{QuoteId, Sku};
use shop::values::mail_addresses::letters_of;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Maximum bytes of listings that an isolate caches, and the bytes that each is counted as.
const KEPT_BYTES: usize = 4_000_000;
const LISTING_BYTES: usize = 2_000;

/// [`Prices`] on D1.
#[derive(Debug)]
pub struct PricesD1<D> {
    /// The database.
    pub db: D,
    /// Settings that were read last.
    pub known: SettingsCache,
    /// Listings that were read before.
    pub listings: ListingCache,
}

/// Cache of the listings of the publish that an isolate saw last.
pub type ListingCache = Rc<RefCell<Listings>>;

/// Listings of one publish.
#[derive(Debug, Default)]
pub struct Listings {
    seq: i64,
    by_sku: Bounded<Rc<Listing>>,
}

impl Listings {
    fn of(&mut self, skus: &[Sku]) -> BTreeMap<Sku, Rc<Listing>> {
        let kept = skus.iter().filter_map(|sku| {
            let listing = self.by_sku.get(sku, KEPT_BYTES)?;
            Some((sku.clone(), listing))
        });
        kept.collect()
    }

    fn keep(&mut self, list: &PriceList) {
        if self.seq != list.catalog_seq {
            self.seq = list.catalog_seq;
            self.by_sku.clear();
        }
        for (sku, listing) in &list.listings {
            let listing = Rc::clone(listing);
            self.by_sku
                .put(sku.as_str().to_owned(), listing, LISTING_BYTES, KEPT_BYTES);
        }
    }
}

impl<D: Database> Prices for PricesD1<D> {
    async fn price_list(&self, skus: &[Sku], email: &str) -> Result<PriceList> {
        let kept_seq = self.listings.borrow().seq;
        let kept = self.listings.borrow_mut().of(skus);
        let others: Vec<&Sku> = skus.iter().filter(|sku| !kept.contains_key(*sku)).collect();
        let statement = Statement::new(PRICE_LIST)
            .bind(known_version(&self.known))
            .bind(to_json(&skus)?)
            .bind(letters_of(email))
            .bind(kept_seq)
            .bind(to_json(&others)?);
        let rows: Vec<PriceListRow> = self.db.query(statement).await?;
        let row = rows
            .into_iter()
            .next()
            .ok_or_else(|| Error::internal("no price list"))?;
        let mut list = row.into_list(&self.known)?;
        self.listings.borrow_mut().keep(&list);
        if list.catalog_seq == kept_seq {
            list.listings.extend(kept);
        }
        Ok(list)
    }

    async fn save_quote(&self, quote: &Quote, now: Timestamp) -> Result<()> {
        let ids = ids_of_quotes(&quote.cart_id);
        let replace = Statement::new(FORGET_QUOTES_OF_CART)
            .bind(ids.as_str())
            .bind(format!("{ids}{AFTER_EVERY_ID}"));
        let keep = Statement::new("INSERT INTO quotes (id, body, created_at) VALUES (?1, ?2, ?3)")
            .bind(quote.id.as_str())
            .bind(to_json(quote)?)
            .bind(now);
        Ok(self.db.batch(vec![replace, keep]).await?)
    }

    async fn quote(&self, quote_id: &QuoteId) -> Result<Option<Quote>> {
        let rows: Vec<TextRow> = self
            .db
            .query(
                Statement::new("SELECT body AS value FROM quotes WHERE id = ?1")
                    .bind(quote_id.as_str()),
            )
            .await?;
        rows.first().map(|row| from_json(&row.value)).transpose()
    }

    async fn forget_quotes(&self, before: Timestamp, limit: u32) -> Result<()> {
        let quotes = Statement::new(FORGET_QUOTES).bind(before).bind(limit);
        let unplaced = Statement::new(FORGET_UNPLACED).bind(before);
        Ok(self.db.batch(vec![quotes, unplaced]).await?)
    }
}

/// A cart has one quote, so that the number of quotes is bounded by the number of carts, however
/// often they are priced.
const FORGET_QUOTES_OF_CART: &str = "DELETE FROM quotes WHERE id BETWEEN ?1 AND ?2";

/// Sorts after the letters and digits that IDs are made of.
const AFTER_EVERY_ID: char = '~';

/// Deletes the oldest first, without an index that every quote would have to be written to: it
/// stops at the first younger quote and reads no further.
const FORGET_QUOTES: &str = "
DELETE FROM quotes WHERE rowid IN (
    SELECT rowid FROM quotes
    WHERE rowid < COALESCE((
        SELECT rowid FROM (SELECT rowid, created_at FROM quotes ORDER BY rowid LIMIT ?2) WHERE created_at >= ?1 LIMIT 1
    ), 9007199254740991)
    ORDER BY rowid LIMIT ?2
)";

/// Rows of checkouts that led to no order; only earlier versions wrote them.
const FORGET_UNPLACED: &str = "DELETE FROM checkouts WHERE step <> 'placed' AND updated_at < ?1";

/// Selects the last listing of each SKU in `?2`, up to the current publish; of each SKU in `?5`
/// instead while publish `?4` is the current one. Orders that were cancelled or expired don't count
/// as an earlier order.
const PRICE_LIST: &str = concat!(
    "
SELECT COALESCE((SELECT seq FROM current_publish), 0) AS catalog_seq,
    (SELECT json_group_object(sku, json(listing)) FROM (
        SELECT wanted.value AS sku, (
            SELECT listing FROM listings
            WHERE sku = wanted.value AND seq <= (SELECT seq FROM current_publish) ORDER BY seq DESC LIMIT 1
        ) AS listing
        FROM json_each(iif((SELECT seq FROM current_publish) = ?4, ?5, ?2)) AS wanted
    ) WHERE listing IS NOT NULL) AS listings,
    EXISTS (SELECT 1 FROM orders WHERE LOWER(email) = ?3 AND status NOT IN ('expired', 'cancelled')) AS has_ordered,
    ",
    select_settings!()
);

/// Row that a [`PriceList`] is read from.
#[derive(Debug, Deserialize)]
pub struct PriceListRow {
    catalog_seq: i64,
    listings: String,
    has_ordered: i64,
    #[serde(flatten)]
    settings: SettingsRow,
}

impl PriceListRow {
    /// Returns the price list, with the settings of the row or, if it has none, the cached ones.
    ///
    /// # Errors
    /// Fails if a column can't be parsed.
    pub fn into_list(self, known: &SettingsCache) -> Result<PriceList> {
        let listings: BTreeMap<Sku, Listing> = from_json(&self.listings)?;
        let listings = listings.into_iter();
        Ok(PriceList {
            catalog_seq: self.catalog_seq,
            listings: listings.map(|(sku, it)| (sku, Rc::new(it))).collect(),
            settings: remember(known, self.settings)?,
            has_ordered: self.has_ordered != 0,
        })
    }
}
