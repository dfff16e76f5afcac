//! What orders are priced from: published listings and the merchant's settings, in one query; and the quotes made of them.

use crate::error::{Error, Result};
use crate::shop::ports::Prices;
use crate::shop::pricing::{PriceList, Quote};
use crate::store::settings_d1::{
    KnownSettings, SettingsRow, known_version, remember, select_settings,
};
use crate::store::sql::{Database, Statement, TextRow, from_json, to_json};
use durable::Timestamp;
use serde::Deserialize;

/// [`Prices`] on D1.
#[derive(Debug)]
pub struct PricesD1<D> {
    /// The database.
    pub db: D,
    /// The settings that were read last.
    pub known: KnownSettings,
}

impl<D: Database> Prices for PricesD1<D> {
    async fn price_list(&self, skus: &[String], email: &str) -> Result<PriceList> {
        let statement = Statement::new(PRICE_LIST)
            .bind(known_version(&self.known))
            .bind(to_json(&skus)?)
            .bind(email.trim().to_lowercase());
        let rows: Vec<PriceListRow> = self.db.query(statement).await?;
        let row = rows
            .into_iter()
            .next()
            .ok_or_else(|| Error::internal("no price list"))?;
        row.into_list(&self.known)
    }

    async fn save_quote(&self, quote: &Quote, now: Timestamp) -> Result<()> {
        let statement =
            Statement::new("INSERT INTO quotes (id, body, created_at) VALUES (?1, ?2, ?3)")
                .bind(quote.id.as_str())
                .bind(to_json(quote)?)
                .bind(now);
        Ok(self.db.batch(vec![statement]).await?)
    }

    async fn quote(&self, quote_id: &str) -> Result<Option<Quote>> {
        let rows: Vec<TextRow> = self
            .db
            .query(Statement::new("SELECT body AS value FROM quotes WHERE id = ?1").bind(quote_id))
            .await?;
        rows.first().map(|row| from_json(&row.value)).transpose()
    }

    async fn forget_quotes(&self, before: Timestamp, limit: u32) -> Result<()> {
        let statement = Statement::new(FORGET_QUOTES).bind(before).bind(limit);
        Ok(self.db.batch(vec![statement]).await?)
    }
}

/// The oldest come first, without an index that every quote would have to be written to.
const FORGET_QUOTES: &str = "
DELETE FROM quotes WHERE rowid IN (SELECT rowid FROM quotes ORDER BY rowid LIMIT ?2) AND created_at < ?1
    AND id NOT IN (SELECT quote_id FROM checkouts WHERE step <> 'placed')";

/// What a publish up to the current one says of each SKU of `?2`: its last row. An order that came to nothing is none.
const PRICE_LIST: &str = concat!(
    "
SELECT COALESCE((SELECT seq FROM current_publish), 0) AS catalog_seq,
    (SELECT json_group_object(sku, json(listing)) FROM (
        SELECT wanted.value AS sku, (
            SELECT listing FROM listings
            WHERE sku = wanted.value AND seq <= (SELECT seq FROM current_publish) ORDER BY seq DESC LIMIT 1
        ) AS listing
        FROM json_each(?2) AS wanted
    ) WHERE listing IS NOT NULL) AS listings,
    EXISTS (SELECT 1 FROM orders WHERE LOWER(email) = ?3 AND status NOT IN ('expired', 'cancelled')) AS has_ordered,
    ",
    select_settings!()
);

/// What a [`PriceList`] is read from.
#[derive(Debug, Deserialize)]
pub struct PriceListRow {
    catalog_seq: i64,
    listings: String,
    has_ordered: i64,
    #[serde(flatten)]
    settings: SettingsRow,
}

impl PriceListRow {
    /// The list, with the settings of the row or those that are known.
    ///
    /// # Errors
    /// When a column does not read.
    pub fn into_list(self, known: &KnownSettings) -> Result<PriceList> {
        Ok(PriceList {
            catalog_seq: self.catalog_seq,
            listings: from_json(&self.listings)?,
            settings: remember(known, self.settings)?,
            has_ordered: self.has_ordered != 0,
        })
    }
}
