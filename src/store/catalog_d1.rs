//! The record of the catalog in D1. Many rows go in one statement as JSON, so that a product of 100 variants costs no more round
//! trips than one.

use crate::error::{Error, Result};
use crate::shop::catalog::{Image, Price, Product, ProductOption, Seo, Variant};
use crate::shop::ports::CatalogRecord;
use crate::shop::pricing::Listing;
use crate::store::sql::{Database, SqlError, Statement, from_json, from_word, to_json};
use durable::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Products in one statement: far below D1's 2 MB for a parameter.
const PRODUCTS_AT_ONCE: usize = 50;

/// [`CatalogRecord`] on D1.
#[derive(Debug)]
pub struct CatalogD1<D>(pub D);

impl<D: Database> CatalogRecord for CatalogD1<D> {
    async fn save_products(&self, products: &[Product], now: Timestamp) -> Result<()> {
        let mut statements = Vec::new();
        for chunk in products.chunks(PRODUCTS_AT_ONCE) {
            let json = to_json(&chunk)?;
            statements.push(
                Statement::new(UPSERT_PRODUCTS)
                    .bind(json.as_str())
                    .bind(now),
            );
            for sql in [DELETE_VARIANTS, INSERT_VARIANTS, INSERT_PRICES] {
                statements.push(Statement::new(sql).bind(json.as_str()));
            }
        }
        match self.0.batch(statements).await {
            Err(SqlError::Taken(_)) => Err(Error::invalid(
                "file",
                "sku_taken",
                "A SKU of the file belongs to another product of the shop.",
            )),
            outcome => Ok(outcome?),
        }
    }

    async fn active_products(&self) -> Result<Vec<Product>> {
        let products: Vec<ProductRow> = self.0.query(Statement::new(ACTIVE_PRODUCTS)).await?;
        let variants: Vec<VariantRow> = self.0.query(Statement::new(ACTIVE_VARIANTS)).await?;
        let mut by_product: BTreeMap<String, Vec<Variant>> = BTreeMap::new();
        for row in variants {
            by_product
                .entry(row.product_id.clone())
                .or_default()
                .push(row.into_variant()?);
        }
        products
            .into_iter()
            .map(|row| {
                let variants = by_product.remove(&row.id).unwrap_or_default();
                row.into_product(variants)
            })
            .collect()
    }

    async fn last_listings(&self) -> Result<(i64, BTreeMap<String, Listing>)> {
        let last: Vec<SeqRow> = self
            .0
            .query(Statement::new(
                "SELECT COALESCE(MAX(seq), 0) AS seq FROM publishes",
            ))
            .await?;
        let rows: Vec<ListingRow> = self.0.query(Statement::new(LAST_LISTINGS)).await?;
        let seq = last.first().map_or(0, |row| row.seq);
        Ok((seq, listings_of(rows)?))
    }

    async fn save_publish(
        &self,
        seq: i64,
        version: &str,
        changed: &BTreeMap<String, Option<Listing>>,
        now: Timestamp,
    ) -> Result<()> {
        let claim =
            Statement::new("INSERT INTO publishes (seq, version, created_at) VALUES (?1, ?2, ?3)")
                .bind(seq)
                .bind(version)
                .bind(now);
        let mut statements = vec![claim];
        let changed: Vec<_> = changed.iter().collect();
        for chunk in changed.chunks(PRODUCTS_AT_ONCE) {
            statements.push(
                Statement::new(INSERT_LISTINGS)
                    .bind(to_json(&chunk)?)
                    .bind(seq),
            );
        }
        match self.0.batch(statements).await {
            Err(SqlError::Taken(_)) => Err(Error::conflict(
                "publish_in_progress",
                "Another publish is under way; try again when it has ended.",
                serde_json::json!({"retry_after_secs": 5}),
            )),
            outcome => Ok(outcome?),
        }
    }

    async fn make_current(&self, seq: i64) -> Result<()> {
        let statement = Statement::new(
            "INSERT INTO current_publish (id, seq) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq",
        );
        Ok(self.0.batch(vec![statement.bind(seq)]).await?)
    }
}

/// The listings of rows that are still sold.
///
/// # Errors
/// When a row does not hold a listing.
pub fn listings_of(rows: Vec<ListingRow>) -> Result<BTreeMap<String, Listing>> {
    rows.into_iter()
        .filter_map(|row| {
            let listing = row.listing?;
            Some(from_json(&listing).map(|listing| (row.sku, listing)))
        })
        .collect()
}

/// A row of `listings`.
#[derive(Debug, Deserialize)]
pub struct ListingRow {
    sku: String,
    listing: Option<String>,
}

#[derive(Deserialize)]
struct SeqRow {
    seq: i64,
}

#[derive(Deserialize)]
struct ProductRow {
    id: String,
    handle: String,
    status: String,
    title: String,
    description_html: String,
    vendor: String,
    r#type: String,
    tags: String,
    category: String,
    options: String,
    images: String,
    seo: String,
}

impl ProductRow {
    fn into_product(self, variants: Vec<Variant>) -> Result<Product> {
        Ok(Product {
            id: self.id,
            handle: self.handle,
            title: self.title,
            description_html: self.description_html,
            vendor: self.vendor,
            r#type: self.r#type,
            tags: from_json(&self.tags)?,
            status: from_word(&self.status)?,
            category: from_json(&self.category)?,
            options: from_json::<Vec<ProductOption>>(&self.options)?,
            variants,
            images: from_json::<Vec<Image>>(&self.images)?,
            seo: from_json::<Seo>(&self.seo)?,
        })
    }
}

#[derive(Deserialize)]
struct VariantRow {
    id: String,
    product_id: String,
    sku: String,
    sku_generated: i64,
    title: String,
    option_values: String,
    barcode: Option<String>,
    weight_grams: Option<u32>,
    image: Option<String>,
    tracked: i64,
    prices: String,
}

impl VariantRow {
    fn into_variant(self) -> Result<Variant> {
        Ok(Variant {
            id: self.id,
            sku: self.sku,
            sku_generated: self.sku_generated != 0,
            title: self.title,
            option_values: from_json(&self.option_values)?,
            prices: from_json::<BTreeMap<String, Price>>(&self.prices)?,
            barcode: self.barcode,
            weight_grams: self.weight_grams,
            image: self.image,
            tracked: self.tracked != 0,
        })
    }
}

/// New products go behind those that are there; known ones keep their place.
const UPSERT_PRODUCTS: &str = "
INSERT INTO products (id, handle, position, status, title, description_html, vendor, type, tags, category, options, images, seo, created_at, updated_at)
SELECT
    value ->> 'id', value ->> 'handle',
    (SELECT COALESCE(MAX(position), 0) FROM products) + key + 1,
    value ->> 'status', value ->> 'title', value ->> 'description_html', value ->> 'vendor', value ->> 'type',
    value -> 'tags', value -> 'category', value -> 'options', value -> 'images', value -> 'seo', ?2, ?2
FROM json_each(?1) WHERE true
ON CONFLICT (id) DO UPDATE SET
    handle = excluded.handle, status = excluded.status, title = excluded.title, description_html = excluded.description_html,
    vendor = excluded.vendor, type = excluded.type, tags = excluded.tags, category = excluded.category,
    options = excluded.options, images = excluded.images, seo = excluded.seo, updated_at = excluded.updated_at";

const DELETE_VARIANTS: &str = "
DELETE FROM variants WHERE product_id IN (SELECT value ->> 'id' FROM json_each(?1))";

const INSERT_VARIANTS: &str = "
INSERT INTO variants (id, product_id, position, sku, sku_generated, title, option_values, barcode, weight_grams, image, tracked)
SELECT
    v.value ->> 'id', p.value ->> 'id', v.key, v.value ->> 'sku', COALESCE(v.value ->> 'sku_generated', 0), v.value ->> 'title',
    v.value -> 'option_values', v.value ->> 'barcode', v.value ->> 'weight_grams', v.value ->> 'image', v.value ->> 'tracked'
FROM json_each(?1) AS p, json_each(p.value, '$.variants') AS v";

const INSERT_PRICES: &str = "
INSERT INTO prices (variant_id, currency, amount, compare_at_amount)
SELECT v.value ->> 'id', c.key, c.value ->> 'amount', c.value ->> 'compare_at_amount'
FROM json_each(?1) AS p, json_each(p.value, '$.variants') AS v, json_each(v.value, '$.prices') AS c";

const ACTIVE_PRODUCTS: &str = "
SELECT id, handle, status, title, description_html, vendor, type, tags, category, options, images, seo
FROM products WHERE status = 'active' ORDER BY position";

const ACTIVE_VARIANTS: &str = "
SELECT v.id, v.product_id, v.sku, v.sku_generated, v.title, v.option_values, v.barcode, v.weight_grams, v.image, v.tracked,
    (SELECT json_group_object(currency, CASE WHEN compare_at_amount IS NULL
        THEN json_object('amount', amount)
        ELSE json_object('amount', amount, 'compare_at_amount', compare_at_amount) END)
     FROM prices WHERE variant_id = v.id) AS prices
FROM variants AS v JOIN products AS p ON p.id = v.product_id
WHERE p.status = 'active' ORDER BY v.product_id, v.position";

/// `listing` is that of the row with the highest `seq` (SQLite: bare columns beside `MAX`).
const LAST_LISTINGS: &str = "SELECT sku, listing, MAX(seq) FROM listings GROUP BY sku";

const INSERT_LISTINGS: &str = "
INSERT INTO listings (sku, seq, listing) SELECT value ->> 0, ?2, NULLIF(value -> 1, 'null') FROM json_each(?1)";
