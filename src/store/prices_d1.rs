//! What orders are priced from: published listings, shipping, tax; and the quotes made of them.

use crate::error::{Error, Result};
use crate::shop::ports::Prices;
use crate::shop::pricing::{Listing, Quote, ShippingMethod, TaxRate};
use crate::store::publish_d1::{ListingRow, listings_of};
use crate::store::sql::{Database, Statement, TextRow, from_json, to_json};
use durable::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// [`Prices`] on D1.
#[derive(Debug)]
pub struct PricesD1<D>(pub D);

impl<D: Database> Prices for PricesD1<D> {
    async fn listings(&self, skus: &[String]) -> Result<(i64, BTreeMap<String, Listing>)> {
        let current: Vec<SeqRow> = self
            .0
            .query(Statement::new("SELECT seq FROM current_publish"))
            .await?;
        let seq = current.first().map_or(0, |row| row.seq);
        let rows: Vec<ListingRow> = self
            .0
            .query(Statement::new(LISTINGS_AT).bind(to_json(&skus)?).bind(seq))
            .await?;
        Ok((seq, listings_of(rows)?))
    }

    async fn shipping_methods(&self) -> Result<Vec<ShippingMethod>> {
        let rows: Vec<ShippingRow> = self
            .0
            .query(Statement::new(
                "SELECT id, title, prices FROM shipping_methods ORDER BY position",
            ))
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(ShippingMethod {
                    id: row.id,
                    title: row.title,
                    prices: from_json(&row.prices)?,
                })
            })
            .collect()
    }

    async fn tax_rate(&self) -> Result<TaxRate> {
        let rows: Vec<TaxRow> = self
            .0
            .query(Statement::new("SELECT parts_per_million FROM tax_rate"))
            .await?;
        rows.first()
            .map(|row| TaxRate {
                parts_per_million: row.parts_per_million,
            })
            .ok_or_else(|| Error::internal("no tax rate"))
    }

    async fn save_quote(&self, quote: &Quote, now: Timestamp) -> Result<()> {
        let statement =
            Statement::new("INSERT INTO quotes (id, body, created_at) VALUES (?1, ?2, ?3)")
                .bind(quote.id.as_str())
                .bind(to_json(quote)?)
                .bind(now);
        Ok(self.0.batch(vec![statement]).await?)
    }

    async fn quote(&self, quote_id: &str) -> Result<Option<Quote>> {
        let rows: Vec<TextRow> = self
            .0
            .query(Statement::new("SELECT body AS value FROM quotes WHERE id = ?1").bind(quote_id))
            .await?;
        rows.first().map(|row| from_json(&row.value)).transpose()
    }
}

/// What each SKU is sold as since its last row up to publish `?2`.
const LISTINGS_AT: &str = "
SELECT wanted.value AS sku, (
    SELECT listing FROM listings WHERE sku = wanted.value AND seq <= ?2 ORDER BY seq DESC LIMIT 1
) AS listing
FROM json_each(?1) AS wanted";

#[derive(Deserialize)]
struct SeqRow {
    seq: i64,
}

#[derive(Deserialize)]
struct ShippingRow {
    id: String,
    title: String,
    prices: String,
}

#[derive(Deserialize)]
struct TaxRow {
    parts_per_million: i64,
}
