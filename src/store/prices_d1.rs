//! What orders are priced from: published listings, shipping, tax; and the quotes made of them.

use crate::error::{Error, Result};
use crate::shop::ports::Prices;
use crate::shop::pricing::{PriceList, Quote, ShippingMethod, TaxRate};
use crate::store::sql::{Database, Statement, TextRow, from_json, to_json};
use durable::Timestamp;
use serde::Deserialize;

/// [`Prices`] on D1.
#[derive(Debug)]
pub struct PricesD1<D>(pub D);

impl<D: Database> Prices for PricesD1<D> {
    async fn price_list(&self, skus: &[String]) -> Result<PriceList> {
        let rows: Vec<PriceListRow> = self
            .0
            .query(Statement::new(PRICE_LIST).bind(to_json(&skus)?))
            .await?;
        let row = rows
            .into_iter()
            .next()
            .ok_or_else(|| Error::internal("no price list"))?;
        Ok(PriceList {
            catalog_seq: row.catalog_seq,
            listings: from_json(&row.listings)?,
            shipping_methods: from_json(&row.shipping_methods)?,
            tax_rate: TaxRate {
                parts_per_million: row.parts_per_million,
            },
        })
    }

    async fn shipping_methods(&self) -> Result<Vec<ShippingMethod>> {
        let rows: Vec<TextRow> = self.0.query(Statement::new(SHIPPING_METHODS)).await?;
        rows.first()
            .map_or_else(|| Ok(vec![]), |row| from_json(&row.value))
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

/// What a publish up to the current one says of each SKU of `?1`: its last row.
const PRICE_LIST: &str = "
SELECT COALESCE((SELECT seq FROM current_publish), 0) AS catalog_seq,
    (SELECT json_group_object(sku, json(listing)) FROM (
        SELECT wanted.value AS sku, (
            SELECT listing FROM listings
            WHERE sku = wanted.value AND seq <= (SELECT seq FROM current_publish) ORDER BY seq DESC LIMIT 1
        ) AS listing
        FROM json_each(?1) AS wanted
    ) WHERE listing IS NOT NULL) AS listings,
    (SELECT json_group_array(json_object('id', id, 'title', title, 'prices', json(prices)) ORDER BY position)
        FROM shipping_methods) AS shipping_methods,
    (SELECT parts_per_million FROM tax_rate) AS parts_per_million";

const SHIPPING_METHODS: &str = "
SELECT json_group_array(json_object('id', id, 'title', title, 'prices', json(prices)) ORDER BY position) AS value
FROM shipping_methods";

#[derive(Deserialize)]
struct PriceListRow {
    catalog_seq: i64,
    listings: String,
    shipping_methods: String,
    parts_per_million: i64,
}
