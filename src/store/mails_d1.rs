//! [`Mails`] in SQL: one statement claims a letter, so that of all who try at once one wins.

use crate::error::Result;
use crate::shop::mail::{CLAIM_SECS, Claim, Letter};
use crate::shop::ports::Mails;
use crate::store::sql::{Database, Statement, to_word};
use durable::Timestamp;
use serde::Deserialize;

/// [`Mails`] on a database.
#[derive(Debug)]
pub struct MailsD1<D>(pub D);

impl<D: Database> Mails for MailsD1<D> {
    async fn claim(&self, letter: &Letter, now: Timestamp) -> Result<Claim> {
        let id = letter.id();
        let claim = Statement::new(
            "INSERT INTO mails (id, order_id, kind, subject, claimed_at, attempts) VALUES (?1, ?2, ?3, ?4, ?5, 1)
             ON CONFLICT (id) DO UPDATE SET claimed_at = ?5, attempts = attempts + 1
             WHERE sent_at IS NULL AND (claimed_at IS NULL OR claimed_at <= ?6)
             RETURNING sent_at",
        )
        .bind(id.as_str())
        .bind(letter.order_id.as_str())
        .bind(to_word(&letter.kind)?)
        .bind(letter.subject.as_str())
        .bind(now)
        .bind(now.minus_secs(CLAIM_SECS));
        let claimed: Vec<SentRow> = self.0.query(claim).await?;
        if !claimed.is_empty() {
            return Ok(Claim::Yours);
        }
        let look = Statement::new("SELECT sent_at FROM mails WHERE id = ?1").bind(id);
        let rows: Vec<SentRow> = self.0.query(look).await?;
        let sent = rows.first().is_some_and(|row| row.sent_at.is_some());
        Ok(if sent { Claim::Sent } else { Claim::Taken })
    }

    async fn sent(&self, mail_id: &str, now: Timestamp) -> Result<()> {
        let statement = Statement::new("UPDATE mails SET sent_at = ?2 WHERE id = ?1");
        Ok(self
            .0
            .repeatable_batch(vec![statement.bind(mail_id).bind(now)])
            .await?)
    }

    async fn failed(&self, mail_id: &str, error: &str) -> Result<()> {
        let statement =
            Statement::new("UPDATE mails SET claimed_at = NULL, last_error = ?2 WHERE id = ?1");
        Ok(self
            .0
            .batch(vec![statement.bind(mail_id).bind(error)])
            .await?)
    }
}

#[derive(Deserialize)]
struct SentRow {
    sent_at: Option<i64>,
}
