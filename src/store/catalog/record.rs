//! The record of the catalog in D1. Many rows are passed in one statement as JSON, so that a
//! product with 100 variants needs no more round trips than one.

use crate::store::sql::{
    Database, GATE_CLOSED, SqlError, Statement, TextRow, from_json, from_word, json_chunks, to_json,
};
use durable::Timestamp;
use serde::Deserialize;
use shop::catalog::record::{CatalogRecord, PageSize};
use shop::catalog::{Image, Price, Product, ProductName, ProductOption, Seo, SourceCell, Variant};
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::values::ids::{ProductId, Sku, VariantId};
use shop::values::written::Written;
use std::collections::BTreeMap;

/// Seconds that the names of an import are kept.
const NAMES_KEPT_SECS: u32 = 24 * 60 * 60;

/// [`CatalogRecord`] on D1.
#[derive(Debug)]
pub struct CatalogD1<D>(pub D);

impl<D: Database> CatalogRecord for CatalogD1<D> {
    async fn save_products(&self, products: &[Product], now: Timestamp) -> Result<Written> {
        self.written_unless_publishing(save_statements(products, now)?)
            .await
    }

    async fn delete_product(&self, id: &ProductId, if_version: u64) -> Result<Written> {
        self.written_unless_publishing(vec![
            Statement::new(UNLESS_PUBLISHING),
            Statement::new(ONLY_AT_VERSION)
                .bind(id.as_str())
                .bind(i64::try_from(if_version).unwrap_or(i64::MAX)),
            Statement::new("DELETE FROM products WHERE id = ?1").bind(id.as_str()),
        ])
        .await
    }

    async fn products(&self, ids: &[ProductId]) -> Result<Vec<Product>> {
        let statement = Statement::new(PRODUCTS_BY_ID).bind(to_json(&ids)?);
        let products = load_products(&self.0, statement).await?;
        Ok(products.into_iter().map(|(_, product)| product).collect())
    }

    async fn products_by_handle(&self, handles: &[String]) -> Result<Vec<Product>> {
        let statement = Statement::new(PRODUCTS_BY_HANDLE).bind(to_json(&handles)?);
        let products = load_products(&self.0, statement).await?;
        Ok(products.into_iter().map(|(_, product)| product).collect())
    }

    async fn source_columns(&self) -> Result<Vec<String>> {
        let rows: Vec<TextRow> = self.0.query(Statement::new(SOURCE_COLUMNS)).await?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    async fn products_after(&self, position: i64, size: PageSize) -> Result<Vec<(i64, Product)>> {
        load_products(&self.0, page(PRODUCTS_AFTER, position, size)).await
    }

    async fn owners_of_skus(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, ProductId>> {
        let rows: Vec<OwnerRow> = self
            .0
            .query(Statement::new(OWNERS_OF_SKUS).bind(to_json(&skus)?))
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.sku, row.product_id))
            .collect())
    }

    async fn products_naming(&self, picture: &str, limit: usize) -> Result<Vec<ProductName>> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let statement = Statement::new(PRODUCTS_NAMING).bind(picture).bind(limit);
        Ok(self.0.query(statement).await?)
    }

    async fn claim_names(
        &self,
        import_id: &str,
        names: &[(String, u64)],
        now: Timestamp,
    ) -> Result<BTreeMap<String, u64>> {
        let json = to_json(&names)?;
        let claims = vec![
            Statement::new("DELETE FROM import_names WHERE claimed_at < ?1")
                .bind(now.minus_secs(NAMES_KEPT_SECS)),
            Statement::new(CLAIM_NAMES)
                .bind(import_id)
                .bind(json.as_str())
                .bind(now),
        ];
        self.0.batch(claims).await?;
        let rows: Vec<NameRow> = self
            .0
            .query(
                Statement::new(NAMES_OF_EARLIER_LINES)
                    .bind(import_id)
                    .bind(json),
            )
            .await?;
        Ok(rows.into_iter().map(|row| (row.name, row.line)).collect())
    }
}

impl<D: Database> CatalogD1<D> {
    /// Runs a batch that is guarded by a version.
    async fn written_unless_publishing(&self, statements: Vec<Statement>) -> Result<Written> {
        match self.0.batch(statements).await {
            Ok(()) => Ok(Written::Landed(())),
            Err(SqlError::Taken(message)) if message.contains(GATE_CLOSED) => {
                let publishing: Vec<TextRow> = self
                    .0
                    .query(Statement::new(
                        "SELECT state AS value FROM publishes WHERE state = 'running'",
                    ))
                    .await?;
                match publishing.first() {
                    Some(_) => Err(publish_in_progress()),
                    None => Ok(Written::Lost),
                }
            }
            Err(SqlError::Taken(message)) => Err(name_taken(&message)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns the products that `statement` selects as [`ProductRow`]s, in its order and with their
/// variants.
///
/// # Errors
/// Fails if a row does not hold a product.
pub async fn load_products(
    db: &impl Database,
    statement: Statement,
) -> Result<Vec<(i64, Product)>> {
    let products: Vec<ProductRow> = db.query(statement).await?;
    let ids: Vec<&str> = products.iter().map(|row| row.id.as_str()).collect();
    let variants: Vec<VariantRow> = db
        .query(Statement::new(VARIANTS_OF_PRODUCTS).bind(to_json(&ids)?))
        .await?;
    let mut by_product: BTreeMap<ProductId, Vec<Variant>> = BTreeMap::new();
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
            Ok((row.position, row.into_product(variants)?))
        })
        .collect()
}

/// Selects the columns of a [`ProductRow`].
macro_rules! select_products {
    ($($tail:tt)+) => {
        concat!(
            "SELECT id, handle, position, status, title, description_html, vendor, type, tags, category, options, images, seo, \
             features, specifications, metadata, created_at, updated_at, version, \
             (SELECT json_group_array(handle) FROM former_handles WHERE product_id = products.id) AS former_handles \
             FROM products ",
            $($tail)+
        )
    };
}
pub(crate) use select_products;

/// Limits a page to as many products as fit, but at least one. Bind its parameters with [`page`].
macro_rules! fitting {
    ($condition:literal) => {
        concat!(
            "WHERE ",
            $condition,
            " AND position > ?1 AND position <= (
    SELECT MAX(position) FROM (
        SELECT position, size, SUM(size) OVER (ORDER BY position) AS sum FROM (
            SELECT position, octet_length(description_html) / 4096
                + (SELECT COUNT(*) FROM variants WHERE product_id = products.id) AS size
            FROM products WHERE ",
            $condition,
            " AND position > ?1 ORDER BY position LIMIT ?2))
    WHERE sum <= ?3 OR sum = size)
ORDER BY position"
        )
    };
}
pub(crate) use fitting;

/// Creates a statement that contains [`fitting`].
#[must_use]
pub fn page(sql: &'static str, after: i64, size: PageSize) -> Statement {
    Statement::new(sql)
        .bind(after)
        .bind(size.products)
        .bind(u32::try_from(size.variants).unwrap_or(u32::MAX))
}

fn save_statements(products: &[Product], now: Timestamp) -> Result<Vec<Statement>> {
    let mut statements = vec![Statement::new(UNLESS_PUBLISHING)];
    let chunks = json_chunks(products)?;
    // All old variants are deleted before any new one is inserted, so that a SKU can move between
    // products of one batch.
    for chunk in &chunks {
        statements.push(Statement::new(ONLY_AT_VERSIONS).bind(chunk.as_str()));
        statements.push(
            Statement::new(UPSERT_PRODUCTS)
                .bind(chunk.as_str())
                .bind(now),
        );
        statements.push(Statement::new(DELETE_VARIANTS).bind(chunk.as_str()));
    }
    for chunk in &chunks {
        for sql in [INSERT_VARIANTS, INSERT_PRICES] {
            statements.push(Statement::new(sql).bind(chunk.as_str()));
        }
    }
    Ok(statements)
}

/// Returns 422 for a handle or SKU that another product has; `message` is SQLite's error.
fn name_taken(message: &str) -> Error {
    let (field, code) = if message.contains("products.handle") {
        ("handle", Code::HandleTaken)
    } else {
        ("sku", Code::SkuTaken)
    };
    let detail = format!("Another product of the shop already has this {field}.");
    Error::invalid(field, code, detail)
}

fn publish_in_progress() -> Error {
    Error::conflict(
        Code::PublishInProgress,
        "A publish is in progress. The catalog can be changed again once it has ended.",
        serde_json::json!({"retry_after_secs": 2}),
    )
}

#[derive(Deserialize)]
struct OwnerRow {
    sku: Sku,
    product_id: ProductId,
}

#[derive(Deserialize)]
struct NameRow {
    name: String,
    line: u64,
}

#[derive(Deserialize)]
struct ProductRow {
    id: ProductId,
    handle: String,
    position: i64,
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
    features: String,
    specifications: String,
    metadata: String,
    created_at: i64,
    updated_at: i64,
    version: u64,
    former_handles: String,
}

impl ProductRow {
    fn into_product(self, variants: Vec<Variant>) -> Result<Product> {
        Ok(Product {
            id: self.id,
            handle: self.handle,
            former_handles: from_json(&self.former_handles)?,
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
            features: from_json(&self.features)?,
            specifications: from_json(&self.specifications)?,
            metadata: from_json(&self.metadata)?,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
            version: self.version,
        })
    }
}

#[derive(Deserialize)]
struct VariantRow {
    id: VariantId,
    product_id: ProductId,
    sku: Sku,
    sku_generated: i64,
    title: String,
    option_values: String,
    barcode: Option<String>,
    weight_grams: Option<u32>,
    image: Option<String>,
    tracked: i64,
    tax_class: String,
    source: String,
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
            tax_class: self.tax_class,
            source: from_json::<BTreeMap<String, SourceCell>>(&self.source)?,
        })
    }
}

/// Fails its batch while a publish is running.
const UNLESS_PUBLISHING: &str = "
INSERT INTO gate (open) SELECT 0 WHERE EXISTS (SELECT 1 FROM publishes WHERE state = 'running')";

/// Fails its batch if the product is at another version.
const ONLY_AT_VERSION: &str = "
INSERT INTO gate (open) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM products WHERE id = ?1 AND version = ?2)";

/// Fails its batch if one of the products is at another version than expected. A product without an
/// expected version is new.
const ONLY_AT_VERSIONS: &str = "
INSERT INTO gate (open) SELECT 0 WHERE EXISTS (
    SELECT 1 FROM json_each(?1) AS given LEFT JOIN products ON products.id = given.value ->> 'id'
    WHERE COALESCE(products.version, 0) <> COALESCE(given.value ->> 'version', 0))";

/// Appends new products after the existing ones; existing products keep their position and creation
/// time.
const UPSERT_PRODUCTS: &str = "
INSERT INTO products (id, handle, position, status, title, description_html, vendor, type, tags, category, options, images, seo,
    features, specifications, metadata, created_at, updated_at)
SELECT
    value ->> 'id', value ->> 'handle',
    (SELECT COALESCE(MAX(position), 0) FROM products) + key + 1,
    value ->> 'status', value ->> 'title', value ->> 'description_html', value ->> 'vendor', value ->> 'type',
    value -> 'tags', value -> 'category', value -> 'options', value -> 'images', value -> 'seo',
    value -> 'features', value -> 'specifications', value -> 'metadata', ?2, ?2
FROM json_each(?1) WHERE true
ON CONFLICT (id) DO UPDATE SET
    handle = excluded.handle, status = excluded.status, title = excluded.title, description_html = excluded.description_html,
    vendor = excluded.vendor, type = excluded.type, tags = excluded.tags, category = excluded.category,
    options = excluded.options, images = excluded.images, seo = excluded.seo, features = excluded.features,
    specifications = excluded.specifications, metadata = excluded.metadata, updated_at = excluded.updated_at,
    version = version + 1";

const DELETE_VARIANTS: &str = "
DELETE FROM variants WHERE product_id IN (SELECT value ->> 'id' FROM json_each(?1))";

const INSERT_VARIANTS: &str = "
INSERT INTO variants (id, product_id, position, sku, sku_generated, title, option_values, barcode, weight_grams, image, tracked, tax_class, source)
SELECT
    v.value ->> 'id', p.value ->> 'id', v.key, v.value ->> 'sku', COALESCE(v.value ->> 'sku_generated', 0), v.value ->> 'title',
    v.value -> 'option_values', v.value ->> 'barcode', v.value ->> 'weight_grams', v.value ->> 'image', v.value ->> 'tracked',
    COALESCE(v.value ->> 'tax_class', 'standard'), COALESCE(v.value -> 'source', '{}')
FROM json_each(?1) AS p, json_each(p.value, '$.variants') AS v";

const INSERT_PRICES: &str = "
INSERT INTO prices (variant_id, currency, amount, compare_at_amount)
SELECT v.value ->> 'id', c.key, c.value ->> 'amount', c.value ->> 'compare_at_amount'
FROM json_each(?1) AS p, json_each(p.value, '$.variants') AS v, json_each(v.value, '$.prices') AS c";

const PRODUCTS_BY_ID: &str =
    select_products!("WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY position");

const PRODUCTS_BY_HANDLE: &str =
    select_products!("WHERE handle IN (SELECT value FROM json_each(?1)) ORDER BY position");

const SOURCE_COLUMNS: &str = "
SELECT DISTINCT cells.key AS value FROM variants, json_each(variants.source) AS cells ORDER BY 1";

const PRODUCTS_AFTER: &str = select_products!(fitting!("true"));

const VARIANTS_OF_PRODUCTS: &str = "
SELECT v.id, v.product_id, v.sku, v.sku_generated, v.title, v.option_values, v.barcode, v.weight_grams, v.image, v.tracked, v.tax_class, v.source,
    (SELECT json_group_object(currency, CASE WHEN compare_at_amount IS NULL
        THEN json_object('amount', amount)
        ELSE json_object('amount', amount, 'compare_at_amount', compare_at_amount) END)
     FROM prices WHERE variant_id = v.id) AS prices
FROM variants AS v WHERE v.product_id IN (SELECT value FROM json_each(?1)) ORDER BY v.product_id, v.position";

const OWNERS_OF_SKUS: &str = "
SELECT sku, product_id FROM variants WHERE sku IN (SELECT value FROM json_each(?1))";

const PRODUCTS_NAMING: &str = "
SELECT id, handle, title FROM products
WHERE instr(images, ?1) OR instr(description_html, ?1)
    OR EXISTS (SELECT 1 FROM variants WHERE product_id = products.id AND instr(image, ?1))
ORDER BY position LIMIT ?2";

const CLAIM_NAMES: &str = "
INSERT OR IGNORE INTO import_names (import_id, name, line, claimed_at)
SELECT ?1, value ->> 0, value ->> 1, ?3 FROM json_each(?2)";

/// Looks up the given names first (`CROSS JOIN` fixes the order), so that each finds its row by
/// key.
const NAMES_OF_EARLIER_LINES: &str = "
SELECT known.name, known.line FROM json_each(?2) AS given
CROSS JOIN import_names AS known ON known.import_id = ?1 AND known.name = given.value ->> 0
WHERE known.line <> given.value ->> 1";
