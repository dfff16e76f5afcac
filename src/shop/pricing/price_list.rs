//! Prices and rules in force for some SKUs.

use crate::error::Result;
use crate::pricing::quote::{Listing, Quote};
use crate::pricing::settings::SettingsVersion;
use durable::Timestamp;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The basis of a cart's prices: one published catalog, and the merchant's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceList {
    /// The number of the publish.
    pub catalog_seq: i64,
    /// The listing of each of the cart's SKUs.
    pub listings: BTreeMap<String, Rc<Listing>>,
    /// The rules.
    pub settings: Rc<SettingsVersion>,
    /// True if the shopper has an order that came to something.
    pub has_ordered: bool,
}

/// The record of prices that orders use: rows that a publish wrote and nothing changes.
pub trait Prices {
    /// The price list of a cart with these SKUs, for a shopper with this mail address.
    async fn price_list(&self, skus: &[String], email: &str) -> Result<PriceList>;
    /// Keeps a quote, and forgets the cart's others but one that a checkout under way needs.
    async fn save_quote(&self, quote: &Quote, now: Timestamp) -> Result<()>;
    /// A quote by id.
    async fn quote(&self, quote_id: &str) -> Result<Option<Quote>>;
    /// Forgets the oldest quotes, at most `limit`, that were made before `before`.
    async fn forget_quotes(&self, before: Timestamp, limit: u32) -> Result<()>;
}
