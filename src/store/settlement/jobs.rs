//! [`Jobs`] in SQL. One statement takes a turn, so that only one of two concurrent runs has it. The
//! row of a fee and its journal are written in one transaction, and the row is unique, so a fee is
//! booked once. A balance movement is stored under the provider's ID, so it is stored once, however
//! often it is read.

use crate::store::sql::{Database, Statement, TextRow, from_json, json_chunks, to_json};
use durable::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shop::error::Result;
use shop::orders::ledger::Entry;
use shop::payments::BalanceEntry;
use shop::payments::provider::ProviderId;
use shop::settlement::reconciliation::record::{BalanceMovements, Fee, Jobs, MAX_SUSPECTS};
use std::ops::Range;

/// [`Jobs`] on a database.
#[derive(Debug)]
pub struct JobsD1<D>(pub D);

impl<D: Database> Jobs for JobsD1<D> {
    async fn take_turn<P: DeserializeOwned + Default>(
        &self,
        job: &str,
        lost_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<P>> {
        let statement = Statement::new(
            "INSERT INTO jobs (name, ran_at, due_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET ran_at = ?2, due_at = ?3 WHERE due_at <= ?2
             RETURNING COALESCE(progress, '') AS value",
        )
        .bind(job)
        .bind(now)
        .bind(lost_at);
        let rows: Vec<TextRow> = self.0.query(statement).await?;
        match rows.first().map(|row| row.value.as_str()) {
            None => Ok(None),
            Some("") => Ok(Some(P::default())),
            Some(progress) => from_json(progress).map(Some),
        }
    }

    async fn end_turn<P: Serialize>(
        &self,
        job: &str,
        lost_at: Timestamp,
        progress: &P,
        due_at: Timestamp,
    ) -> Result<bool> {
        let statement = Statement::new(
            "UPDATE jobs SET progress = ?2, due_at = ?3 WHERE name = ?1 AND due_at = ?4 RETURNING name AS value",
        )
        .bind(job)
        .bind(to_json(progress)?)
        .bind(due_at)
        .bind(lost_at);
        let rows: Vec<TextRow> = self.0.query(statement).await?;
        Ok(!rows.is_empty())
    }

    async fn book_fees(&self, fees: &[Fee]) -> Result<()> {
        let rows: Vec<FeeRow<'_>> = fees.iter().map(FeeRow::of).collect();
        for chunk in json_chunks(&rows)? {
            let statements = [INSERT_FEES, INSERT_FEE_ENTRIES, INSERT_FEE_JOURNALS];
            let batch = statements.map(|sql| Statement::new(sql).bind(chunk.as_str()));
            self.0.batch(batch.to_vec()).await?;
        }
        Ok(())
    }

    async fn keep_entries(&self, provider: ProviderId, entries: &[BalanceEntry]) -> Result<()> {
        for chunk in json_chunks(entries)? {
            let statement = Statement::new(KEEP_ENTRIES)
                .bind(chunk)
                .bind(provider.as_str());
            self.0.repeatable_batch(vec![statement]).await?;
        }
        Ok(())
    }

    async fn forget_entries(&self, provider: ProviderId, before: Timestamp) -> Result<()> {
        let statement = Statement::new(
            "DELETE FROM balance_entries WHERE id IN (SELECT id FROM balance_entries WHERE at < ?1 AND provider = ?3 LIMIT ?2)",
        );
        let statement = statement
            .bind(before)
            .bind(MAX_FORGOTTEN)
            .bind(provider.as_str());
        Ok(self.0.repeatable_batch(vec![statement]).await?)
    }

    async fn suspects(
        &self,
        provider: ProviderId,
        slice: &Range<Timestamp>,
        window: &Range<Timestamp>,
    ) -> Result<Vec<String>> {
        let statement = Statement::new(SUSPECTS)
            .bind(slice.start)
            .bind(slice.end)
            .bind(window.start)
            .bind(window.end)
            .bind(MAX_SUSPECTS)
            .bind(provider.as_str());
        let rows: Vec<TextRow> = self.0.query(statement).await?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    async fn movements(
        &self,
        payment_refs: &[String],
        window: &Range<Timestamp>,
    ) -> Result<BalanceMovements> {
        let of_refs = |sql| {
            to_json(&payment_refs).map(|refs| {
                Statement::new(sql)
                    .bind(refs)
                    .bind(window.start)
                    .bind(window.end)
            })
        };
        Ok(BalanceMovements {
            provider: self.0.query(of_refs(ENTRIES_OF)?).await?,
            ledger: self.0.query(of_refs(BOOKED_OF)?).await?,
        })
    }
}

/// Maximum number of rows that one statement deletes: twice what a run inserts.
const MAX_FORGOTTEN: u32 = 12_000;

const KEEP_ENTRIES: &str = "
INSERT INTO balance_entries (id, provider, payment_ref, kind, amount, fee, currency, at)
SELECT value ->> 'id', ?2, value ->> 'payment_ref', value ->> 'kind', value ->> 'amount', value ->> 'fee', value ->> 'currency', value ->> 'at'
FROM json_each(?1) WHERE true
ON CONFLICT (id) DO UPDATE SET payment_ref = excluded.payment_ref, kind = excluded.kind, amount = excluded.amount,
    fee = excluded.fee, currency = excluded.currency, at = excluded.at";

/// Only narrows the candidates: an order left out here would not be reported later either.
const SUSPECTS: &str = "
WITH moved AS (
    SELECT payment_ref FROM balance_entries WHERE at >= ?1 AND at < ?2 AND provider = ?6
    UNION
    SELECT p.payment_ref FROM journals AS j
    JOIN ledger_entries AS e ON e.order_id = j.order_id AND e.version = j.version AND e.journal = j.journal AND e.account = 'clearing'
    JOIN payments AS p ON p.order_id = j.order_id AND p.payment_ref IS NOT NULL AND p.provider = ?6
    WHERE j.at >= ?1 AND j.at < ?2
    UNION
    SELECT s.payment_ref FROM journals AS j JOIN stray_payments AS s ON s.session_id = j.order_id AND s.provider = ?6
    WHERE j.at >= ?1 AND j.at < ?2
), books AS (
    SELECT payment_ref, p.order_id AS book FROM moved JOIN payments AS p USING (payment_ref)
    UNION ALL
    SELECT payment_ref, s.session_id FROM moved JOIN stray_payments AS s USING (payment_ref)
), provider AS (
    SELECT payment_ref, SUM(b.amount - b.fee) AS amount, group_concat(DISTINCT b.currency ORDER BY b.currency) AS currencies
    FROM moved JOIN balance_entries AS b USING (payment_ref)
    WHERE b.at >= ?3 AND b.at < ?4 GROUP BY payment_ref
), ledger AS (
    SELECT payment_ref, SUM(e.amount) AS amount, group_concat(DISTINCT e.currency ORDER BY e.currency) AS currencies
    FROM books JOIN ledger_entries AS e ON e.order_id = books.book AND e.account = 'clearing'
    JOIN journals AS j ON j.order_id = e.order_id AND j.version = e.version AND j.journal = e.journal
    WHERE j.at >= ?3 AND j.at < ?4 GROUP BY payment_ref
)
SELECT payment_ref AS value FROM moved LEFT JOIN provider USING (payment_ref) LEFT JOIN ledger USING (payment_ref)
WHERE COALESCE(provider.amount, 0) <> COALESCE(ledger.amount, 0)
    AND COALESCE(provider.currencies, ledger.currencies) = COALESCE(ledger.currencies, provider.currencies)
ORDER BY payment_ref LIMIT ?5";

const ENTRIES_OF: &str = "
SELECT b.id, b.payment_ref, b.kind, b.amount, b.fee, b.currency, b.at
FROM json_each(?1) AS wanted JOIN balance_entries AS b ON b.payment_ref = wanted.value
WHERE b.at >= ?2 AND b.at < ?3";

const BOOKED_OF: &str = "
WITH books AS (
    SELECT p.payment_ref, p.order_id AS book FROM json_each(?1) AS wanted JOIN payments AS p ON p.payment_ref = wanted.value
    UNION ALL
    SELECT s.payment_ref, s.session_id FROM json_each(?1) AS wanted JOIN stray_payments AS s ON s.payment_ref = wanted.value
)
SELECT books.payment_ref, e.amount, e.currency, j.at
FROM books JOIN ledger_entries AS e ON e.order_id = books.book AND e.account = 'clearing'
JOIN journals AS j ON j.order_id = e.order_id AND j.version = e.version AND j.journal = e.journal
WHERE j.at >= ?2 AND j.at < ?3";

/// Books only fees on money that an order received, or that is booked as a stray payment.
const INSERT_FEES: &str = "
INSERT INTO fees (entry_id, order_id)
SELECT value ->> 'entry_id', p.order_id FROM json_each(?1) JOIN payments AS p ON p.payment_ref = value ->> 'payment_ref'
UNION ALL
SELECT value ->> 'entry_id', s.session_id FROM json_each(?1) JOIN stray_payments AS s ON s.payment_ref = value ->> 'payment_ref'
WHERE s.refund_id IS NOT NULL
ON CONFLICT (entry_id) DO NOTHING";

const INSERT_FEE_ENTRIES: &str = "
INSERT INTO ledger_entries (order_id, version, journal, account, amount, currency)
SELECT f.order_id, 0, f.seq, entry.value ->> 'account', entry.value ->> 'amount', fee.value ->> 'currency'
FROM json_each(?1) AS fee JOIN fees AS f ON f.entry_id = fee.value ->> 'entry_id' JOIN json_each(fee.value, '$.entries') AS entry WHERE true
ON CONFLICT DO NOTHING";

const INSERT_FEE_JOURNALS: &str = "
INSERT INTO journals (order_id, version, journal, at, balance)
SELECT f.order_id, 0, f.seq, fee.value ->> 'at',
    (SELECT SUM(amount) FROM ledger_entries WHERE order_id = f.order_id AND version = 0 AND journal = f.seq)
FROM json_each(?1) AS fee JOIN fees AS f ON f.entry_id = fee.value ->> 'entry_id' WHERE true
ON CONFLICT DO NOTHING";

#[derive(Serialize)]
struct FeeRow<'a> {
    entry_id: &'a str,
    payment_ref: &'a str,
    currency: &'static str,
    entries: &'a [Entry],
    at: Timestamp,
}

impl<'a> FeeRow<'a> {
    fn of(fee: &'a Fee) -> Self {
        Self {
            entry_id: &fee.entry_id,
            payment_ref: &fee.payment_ref,
            currency: fee.journal.currency.code(),
            entries: &fee.journal.entries,
            at: fee.at,
        }
    }
}
