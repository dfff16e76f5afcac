//! The record of publishes in D1. Every write that depends on the step a publish has reached begins
//! at the gate, so that a step that runs twice, or late, fails entirely.

use crate::store::catalog::record::{fitting, load_products, page, select_products};
use crate::store::sql::{
    Database, Statement, TextRow, from_json, from_word, json_chunks, to_json, written,
};
use durable::Timestamp;
use serde::Deserialize;
use shop::catalog::record::PageSize;
use shop::catalog::{Card, Product};
use shop::error::{Error, Result};
use shop::pricing::prices::Repricing;
use shop::pricing::quote::Listing;
use shop::publishing::publish::record::{ClaimedDocument, Pointer, Publish, PublishRecord, Step};
use shop::values::ids::Sku;
use shop::values::written::Written;
use std::collections::BTreeMap;

/// Number of cards in one response of the database.
const CARDS_AT_ONCE: u32 = 1000;

/// [`PublishRecord`] on D1.
#[derive(Debug)]
pub struct PublishD1<D>(pub D);

impl<D: Database> PublishRecord for PublishD1<D> {
    async fn last_publish(&self) -> Result<Option<Publish>> {
        self.first_publish(Statement::new(select_publishes!(
            "seq = (SELECT MAX(seq) FROM publishes)"
        )))
        .await
    }

    async fn publish(&self, seq: i64) -> Result<Option<Publish>> {
        self.first_publish(Statement::new(select_publishes!("seq = ?1")).bind(seq))
            .await
    }

    async fn current_publish(&self) -> Result<Option<Pointer>> {
        let rows: Vec<Pointer> = self
            .0
            .query(Statement::new("SELECT seq, previous FROM current_publish"))
            .await?;
        Ok(rows.into_iter().next())
    }

    async fn begin_publish(&self, now: Timestamp) -> Result<Written> {
        written(
            self.0
                .batch(vec![Statement::new(BEGIN_PUBLISH).bind(now)])
                .await,
        )
    }

    async fn active_products_after(
        &self,
        position: i64,
        size: PageSize,
    ) -> Result<Vec<(i64, Product)>> {
        load_products(&self.0, page(ACTIVE_PRODUCTS_AFTER, position, size)).await
    }

    async fn repricing(&self, seq: i64, skus: &[Sku]) -> Result<Repricing> {
        let statement = Statement::new(REPRICING).bind(seq).bind(to_json(&skus)?);
        let rows: Vec<RepricingRow> = self.0.query(statement).await?;
        let row = rows
            .into_iter()
            .next()
            .ok_or_else(|| Error::internal(format!("no publish {seq}")))?;
        Ok(Repricing {
            currencies: from_json(&row.currencies)?,
            scheduled: from_json(&row.scheduled)?,
        })
    }

    async fn is_price_due(&self, now: Timestamp) -> Result<bool> {
        let statement = Statement::new(PRICE_DUE).bind(now);
        let rows: Vec<TextRow> = self.0.query(statement).await?;
        Ok(!rows.is_empty())
    }

    async fn last_listings(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, Listing>> {
        let rows: Vec<ListingRow> = self
            .0
            .query(Statement::new(LAST_LISTINGS).bind(to_json(&skus)?))
            .await?;
        listings_of(rows)
    }

    async fn claim_documents(&self, seq: i64, digests: &[&str]) -> Result<Vec<ClaimedDocument>> {
        let statement = Statement::new(CLAIM_DOCUMENTS)
            .bind(to_json(&digests)?)
            .bind(seq);
        Ok(self.0.query(statement).await?)
    }

    async fn save_step(&self, step: &Step, now: Timestamp) -> Result<Written> {
        let mut statements = vec![
            Statement::new(ONLY_WHERE_IT_WAS)
                .bind(step.seq)
                .bind(step.from_position)
                .bind(u32::from(step.from_listing)),
            Statement::new(NOTE_WRITTEN).bind(to_json(&step.documents)?),
        ];
        for cards in json_chunks(&step.cards)? {
            statements.push(Statement::new(INSERT_CARDS).bind(cards).bind(step.seq));
        }
        let listings: Vec<_> = step.listings.iter().collect();
        for listings in json_chunks(&listings)? {
            statements.push(
                Statement::new(INSERT_LISTINGS)
                    .bind(listings)
                    .bind(step.seq),
            );
        }
        let products = u32::try_from(step.cards.len()).unwrap_or(u32::MAX);
        statements.push(
            Statement::new(MOVE_PUBLISH)
                .bind(step.seq)
                .bind(step.position)
                .bind(u32::from(step.listing))
                .bind(products)
                .bind(now),
        );
        written(self.0.batch(statements).await)
    }

    async fn cards(&self, seq: i64) -> Result<Vec<Card>> {
        let mut cards: Vec<Card> = Vec::new();
        loop {
            let after = cards.last().map_or(-1, |card| card.position);
            let rows: Vec<TextRow> = self
                .0
                .query(
                    Statement::new(CARDS_AFTER)
                        .bind(seq)
                        .bind(after)
                        .bind(CARDS_AT_ONCE),
                )
                .await?;
            if rows.is_empty() {
                return Ok(cards);
            }
            for row in rows {
                cards.push(from_json(&row.value)?);
            }
        }
    }

    async fn finish_publish(&self, seq: i64, version: &str, now: Timestamp) -> Result<Written> {
        let statements = vec![
            Statement::new(ONLY_WHEN_RUNNING).bind(seq),
            Statement::new(ONLY_A_SECOND_AFTER_THE_LAST_SWITCH).bind(now),
            Statement::new(LIST_NO_LONGER).bind(seq),
            Statement::new(RETIRE_CURRENT).bind(now),
            Statement::new(SWITCH).bind(seq).bind(now),
            Statement::new(
                "UPDATE publishes SET state = 'done', version = ?2, error = NULL, moved_at = ?3 WHERE seq = ?1",
            )
            .bind(seq)
            .bind(version)
            .bind(now),
            Statement::new("DELETE FROM publish_cards WHERE seq = ?1").bind(seq),
        ];
        written(self.0.batch(statements).await)
    }

    async fn end_unchanged(&self, seq: i64, version: &str, now: Timestamp) -> Result<()> {
        self.end_without_trace(
            seq,
            Statement::new(
                "UPDATE publishes SET state = 'unchanged', version = ?2, error = NULL, moved_at = ?3 WHERE seq = ?1",
            )
            .bind(seq)
            .bind(version)
            .bind(now),
        )
        .await
    }

    async fn switch_back(&self, seq: i64, now: Timestamp) -> Result<Written> {
        let statements = vec![
            Statement::new(ONLY_WHEN_KEPT_AND_NONE_RUNS).bind(seq),
            Statement::new(ONLY_A_SECOND_AFTER_THE_LAST_SWITCH).bind(now),
            Statement::new(RETIRE_CURRENT).bind(now),
            Statement::new(SWITCH).bind(seq).bind(now),
            Statement::new("UPDATE publishes SET retired_at = NULL WHERE seq = ?1").bind(seq),
        ];
        written(self.0.batch(statements).await)
    }

    async fn publish_failed(&self, seq: i64, error: &str) -> Result<u32> {
        let rows: Vec<FailuresRow> = self
            .0
            .query(
                Statement::new(
                    "UPDATE publishes SET failures = failures + 1, error = ?2 \
                     WHERE seq = ?1 AND state = 'running' RETURNING failures",
                )
                .bind(seq)
                .bind(error),
            )
            .await?;
        Ok(rows.first().map_or(0, |row| row.failures))
    }

    async fn abandon_publish(&self, seq: i64, error: &str, now: Timestamp) -> Result<()> {
        self.end_without_trace(
            seq,
            Statement::new(
                "UPDATE publishes SET state = 'failed', error = ?2, moved_at = ?3 WHERE seq = ?1",
            )
            .bind(seq)
            .bind(error)
            .bind(now),
        )
        .await
    }

    async fn condemn_documents(&self, before: Timestamp) -> Result<()> {
        let statements = vec![
            Statement::new(CONDEMN_VERSIONS).bind(before),
            Statement::new(CONDEMN_DOCUMENTS).bind(before),
            Statement::new(FORGET_DOCUMENTS),
            Statement::new(COLLECT_VERSIONS).bind(before),
        ];
        Ok(self.0.batch(statements).await?)
    }

    async fn condemned_documents(&self, limit: u32) -> Result<Vec<String>> {
        let rows: Vec<TextRow> = self
            .0
            .query(Statement::new("SELECT key AS value FROM condemned LIMIT ?1").bind(limit))
            .await?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    async fn documents_deleted(&self, keys: &[String]) -> Result<()> {
        let statement =
            Statement::new("DELETE FROM condemned WHERE key IN (SELECT value FROM json_each(?1))");
        Ok(self.0.batch(vec![statement.bind(to_json(&keys)?)]).await?)
    }
}

impl<D: Database> PublishD1<D> {
    /// Ends a running publish by `update`. Nothing of it was ever shown to shoppers.
    async fn end_without_trace(&self, seq: i64, update: Statement) -> Result<()> {
        let statements = vec![
            Statement::new(ONLY_WHEN_RUNNING).bind(seq),
            Statement::new("DELETE FROM listings WHERE seq = ?1").bind(seq),
            Statement::new("DELETE FROM publish_cards WHERE seq = ?1").bind(seq),
            update,
        ];
        written(self.0.batch(statements).await).map(|_| ())
    }

    async fn first_publish(&self, statement: Statement) -> Result<Option<Publish>> {
        let rows: Vec<PublishRow> = self.0.query(statement).await?;
        rows.into_iter()
            .next()
            .map(PublishRow::into_publish)
            .transpose()
    }
}

/// Returns the listings of rows that are still for sale.
///
/// # Errors
/// Fails if a row does not hold a listing.
pub fn listings_of(rows: Vec<ListingRow>) -> Result<BTreeMap<Sku, Listing>> {
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
    sku: Sku,
    listing: Option<String>,
}

#[derive(Deserialize)]
struct RepricingRow {
    currencies: String,
    scheduled: String,
}

#[derive(Deserialize)]
struct FailuresRow {
    failures: u32,
}

#[derive(Deserialize)]
struct PublishRow {
    seq: i64,
    state: String,
    version: String,
    products: u32,
    total: u32,
    position: i64,
    listing: i64,
    error: Option<String>,
    collected: i64,
    moved_at: i64,
}

impl PublishRow {
    fn into_publish(self) -> Result<Publish> {
        Ok(Publish {
            seq: self.seq,
            state: from_word(&self.state)?,
            version: self.version,
            products: self.products,
            total: self.total,
            position: self.position,
            listing: self.listing != 0,
            error: self.error,
            collected: self.collected != 0,
            moved_at: Timestamp::from_millis(self.moved_at),
        })
    }
}

macro_rules! select_publishes {
    ($condition:literal) => {
        concat!(
            "SELECT seq, state, version, products, total, position, listing, error, collected, moved_at FROM publishes WHERE ",
            $condition
        )
    };
}
use select_publishes;

/// Fails on the unique index of running publishes when one is running already. A publish keeps the
/// settings that it began with.
const BEGIN_PUBLISH: &str = "
INSERT INTO publishes (seq, version, created_at, state, total, moved_at, settings_version)
SELECT COALESCE(MAX(seq), 0) + 1, '', ?1, 'running', (SELECT COUNT(*) FROM products WHERE status IN ('active', 'unlisted')), ?1,
    (SELECT MAX(version) FROM settings) FROM publishes";

const REPRICING: &str = "
SELECT (SELECT document -> 'currencies' FROM settings WHERE version = publishes.settings_version) AS currencies,
    (SELECT json_group_object(sku, json(prices)) FROM (
        SELECT sku, json_group_array(json(price)) AS prices FROM scheduled_prices
        WHERE sku IN (SELECT value FROM json_each(?2))
            AND valid_from <= publishes.created_at AND valid_until > publishes.created_at
        GROUP BY sku
    )) AS scheduled
FROM publishes WHERE seq = ?1";

/// Failed publishes are ignored here; publishes that were rolled back count.
const PRICE_DUE: &str = "
SELECT sku AS value FROM scheduled_prices, (SELECT MAX(created_at) AS at FROM publishes WHERE state <> 'failed') AS last
WHERE (valid_from > last.at AND valid_from <= ?1) OR (valid_until > last.at AND valid_until <= ?1) LIMIT 1";

const ACTIVE_PRODUCTS_AFTER: &str = select_products!(fitting!("status IN ('active', 'unlisted')"));

/// `listing` belongs to the row with the highest `seq` (in SQLite, bare columns beside `MAX` do).
const LAST_LISTINGS: &str = "
SELECT sku, listing, MAX(seq) FROM listings WHERE sku IN (SELECT value FROM json_each(?1)) GROUP BY sku";

/// A document keeps the key that it got first, whether or not it was written under it.
const CLAIM_DOCUMENTS: &str = "
INSERT INTO documents (digest, key, last_seq, written) SELECT value, value || '-' || ?2, ?2, 0 FROM json_each(?1) WHERE true
ON CONFLICT (digest) DO UPDATE SET last_seq = MAX(last_seq, excluded.last_seq)
RETURNING digest, key, written";

const ONLY_WHEN_RUNNING: &str = "
INSERT INTO gate (open) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM publishes WHERE seq = ?1 AND state = 'running')";

const ONLY_WHERE_IT_WAS: &str = "
INSERT INTO gate (open) SELECT 0 WHERE NOT EXISTS (
    SELECT 1 FROM publishes WHERE seq = ?1 AND state = 'running' AND position = ?2 AND listing = ?3)";

/// KV allows one write of the pointer a second.
const ONLY_A_SECOND_AFTER_THE_LAST_SWITCH: &str = "
INSERT INTO gate (open) SELECT 0 WHERE EXISTS (SELECT 1 FROM current_publish WHERE switched_at > ?1 - 1000)";

const ONLY_WHEN_KEPT_AND_NONE_RUNS: &str = "
INSERT INTO gate (open) SELECT 0
WHERE NOT EXISTS (SELECT 1 FROM publishes WHERE seq = ?1 AND state = 'done' AND collected = 0)
    OR EXISTS (SELECT 1 FROM publishes WHERE state = 'running')
    OR EXISTS (SELECT 1 FROM current_publish WHERE seq = ?1)";

const NOTE_WRITTEN: &str = "
UPDATE documents SET written = 1 WHERE digest IN (SELECT value FROM json_each(?1))";

const INSERT_CARDS: &str = "
INSERT INTO publish_cards (seq, position, card) SELECT ?2, value ->> 'position', value FROM json_each(?1)";

const INSERT_LISTINGS: &str = "
INSERT INTO listings (sku, seq, listing) SELECT value ->> 0, ?2, value -> 1 FROM json_each(?1)";

const MOVE_PUBLISH: &str = "
UPDATE publishes SET position = ?2, listing = ?3, products = products + ?4, moved_at = ?5, failures = 0, error = NULL
WHERE seq = ?1";

const CARDS_AFTER: &str = "
SELECT card AS value FROM publish_cards WHERE seq = ?1 AND position > ?2 ORDER BY position LIMIT ?3";

const LIST_NO_LONGER: &str = "
INSERT INTO listings (sku, seq, listing)
SELECT sku, ?1, NULL FROM (SELECT sku, listing, MAX(seq) FROM listings GROUP BY sku)
WHERE listing IS NOT NULL AND sku NOT IN (
    SELECT skus.value FROM publish_cards AS cards, json_each(cards.card, '$.skus') AS skus WHERE cards.seq = ?1)";

const RETIRE_CURRENT: &str = "
UPDATE publishes SET retired_at = ?1 WHERE seq = (SELECT seq FROM current_publish)";

const SWITCH: &str = "
INSERT INTO current_publish (id, seq, switched_at) VALUES (1, ?1, ?2)
ON CONFLICT (id) DO UPDATE SET previous = seq, seq = excluded.seq, switched_at = excluded.switched_at";

/// Selects publishes that are no longer kept: versions not shown since `?1`, and publishes
/// abandoned before it.
macro_rules! no_longer_kept {
    () => {
        "collected = 0 AND (state = 'done' AND COALESCE(retired_at, ?1) < ?1 OR state = 'failed' AND moved_at < ?1)"
    };
}

const CONDEMN_VERSIONS: &str = concat!(
    "INSERT OR IGNORE INTO condemned (key) SELECT 'version-' || seq FROM publishes WHERE ",
    no_longer_kept!()
);

/// A document's key ends with the number of the publish that had it first. It is deleted when no
/// publish that is kept can use it.
const CONDEMN_DOCUMENTS: &str = concat!(
    "INSERT OR IGNORE INTO condemned (key) SELECT key FROM documents
WHERE EXISTS (SELECT 1 FROM publishes WHERE ",
    no_longer_kept!(),
    ") AND NOT EXISTS (
    SELECT 1 FROM publishes
    WHERE seq BETWEEN CAST(substr(key, length(digest) + 2) AS INTEGER) AND last_seq
        AND state <> 'unchanged' AND collected = 0 AND NOT (",
    no_longer_kept!(),
    "))"
);

const FORGET_DOCUMENTS: &str = "DELETE FROM documents WHERE key IN (SELECT key FROM condemned)";

const COLLECT_VERSIONS: &str = concat!(
    "UPDATE publishes SET collected = 1 WHERE ",
    no_longer_kept!()
);
