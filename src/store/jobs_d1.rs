//! [`Jobs`] in SQL: one statement takes a turn, so that of two runs at once one has it. A fee's row and its journal are one
//! transaction, and the row is unique: it is booked once.

use crate::error::Result;
use crate::shop::ledger::Entry;
use crate::shop::ports::Jobs;
use crate::shop::reconciliation::{Booked, Fee};
use crate::store::sql::{Database, Statement, TextRow, json_chunks};
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// [`Jobs`] on a database.
#[derive(Debug)]
pub struct JobsD1<D>(pub D);

impl<D: Database> Jobs for JobsD1<D> {
    async fn take_turn(&self, job: &str, every_secs: u32, now: Timestamp) -> Result<bool> {
        let statement = Statement::new(
            "INSERT INTO jobs (name, ran_at) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET ran_at = ?2 WHERE ran_at <= ?3 RETURNING name AS value",
        )
        .bind(job)
        .bind(now)
        .bind(now.minus_secs(every_secs));
        let rows: Vec<TextRow> = self.0.query(statement).await?;
        Ok(!rows.is_empty())
    }

    async fn give_turn_back(&self, job: &str) -> Result<()> {
        let statement = Statement::new("DELETE FROM jobs WHERE name = ?1").bind(job);
        Ok(self.0.batch(vec![statement]).await?)
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

    async fn clearing_movements(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Booked>> {
        let statement = Statement::new(
            "SELECT p.payment_ref, e.amount, e.currency, j.at FROM journals AS j
             JOIN ledger_entries AS e ON e.order_id = j.order_id AND e.version = j.version AND e.journal = j.journal
             JOIN payments AS p ON p.order_id = j.order_id
             WHERE j.at >= ?1 AND j.at < ?2 AND e.account = 'clearing' AND p.payment_ref IS NOT NULL",
        );
        let rows: Vec<BookedRow> = self.0.query(statement.bind(from).bind(until)).await?;
        Ok(rows
            .into_iter()
            .map(|row| Booked {
                payment_ref: row.payment_ref,
                amount: row.amount,
                currency: row.currency,
                at: Timestamp::from_millis(row.at),
            })
            .collect())
    }
}

/// Only of money that an order took.
const INSERT_FEES: &str = "
INSERT INTO fees (entry_id, order_id)
SELECT value ->> 'entry_id', p.order_id FROM json_each(?1) JOIN payments AS p ON p.payment_ref = value ->> 'payment_ref' WHERE true
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

#[derive(Deserialize)]
struct BookedRow {
    payment_ref: String,
    amount: i64,
    currency: String,
    at: i64,
}
