//! [`Jobs`] in SQL: one statement takes a turn, so that of two runs at once one has it.

use crate::error::Result;
use crate::shop::ports::Jobs;
use crate::shop::reconciliation::Booked;
use crate::store::sql::{Database, Statement, TextRow};
use durable::Timestamp;
use serde::Deserialize;

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

#[derive(Deserialize)]
struct BookedRow {
    payment_ref: String,
    amount: i64,
    currency: String,
    at: i64,
}
