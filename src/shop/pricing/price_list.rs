//! Prices and settings in force for a set of SKUs.

use crate::error::Result;
use crate::pricing::quote::{Listing, Quote};
use crate::pricing::settings::SettingsVersion;
use crate::values::ids::{QuoteId, Sku};
use durable::Timestamp;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Basis for pricing a cart: listings from one published catalog, and the merchant's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceList {
    /// Sequence number of the publish.
    pub catalog_seq: i64,
    /// Listing of each of the cart's SKUs.
    pub listings: BTreeMap<Sku, Rc<Listing>>,
    /// Settings in force, with their version.
    pub settings: Rc<SettingsVersion>,
    /// True if the shopper has an earlier order that has neither expired nor been cancelled.
    pub has_ordered: bool,
}

/// Price record that orders use: rows written by a publish, which nothing changes later.
pub trait Prices {
    /// Returns the price list for these SKUs and for the shopper with this email address.
    async fn price_list(&self, skus: &[Sku], email: &str) -> Result<PriceList>;
    /// Saves a quote and deletes the cart's other quotes, except one needed by a checkout in
    /// progress.
    async fn save_quote(&self, quote: &Quote, now: Timestamp) -> Result<()>;
    /// Returns a quote by its id.
    async fn quote(&self, quote_id: &QuoteId) -> Result<Option<Quote>>;
    /// Deletes up to `limit` of the oldest quotes made before `before`.
    async fn forget_quotes(&self, before: Timestamp, limit: u32) -> Result<()>;
}
