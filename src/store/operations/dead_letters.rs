//! [`DeadLetters`] in SQL. The action of staff on a dead letter, with name and reason, is written
//! to the letter's own row in the same statement.

use crate::store::orders::findings;
use crate::store::sql::{Database, Statement, TextRow, from_word, to_word};
use durable::Timestamp;
use serde::Deserialize;
use shop::error::Result;
use shop::operations::dead_letters::{DeadLetter, DeadLetters, Failure, LetterStatus, Resolution};
use shop::orders::findings::{Finding, FindingKind};
use shop::values::ids::derived_id;
use shop::values::written::Written;

/// [`DeadLetters`] on a database.
#[derive(Debug)]
pub struct DeadLettersD1<D>(pub D);

impl<D: Database> DeadLetters for DeadLettersD1<D> {
    async fn failed(&self, message: &str, error: &str, now: Timestamp) -> Result<u32> {
        let insert = Statement::new(
            "INSERT INTO failures (message, at, error) VALUES (?1, ?2, ?3) RETURNING
             (SELECT COUNT(*) FROM failures WHERE message = ?1
              AND at > COALESCE((SELECT MAX(resolved_at) FROM dead_letters WHERE body = ?1), 0)) + 1 AS attempts",
        )
        .bind(message)
        .bind(now)
        .bind(error);
        let rows: Vec<AttemptsRow> = self.0.query(insert).await?;
        let attempts = rows.first().map_or(1, |row| row.attempts);
        let count = Statement::new(
            "UPDATE webhook_events SET attempts = attempts + 1, last_error = ?2, due_at = ?3 WHERE id = ?1",
        )
        .bind(message)
        .bind(error)
        .bind(now.plus_secs(RETRIED_WITHIN_SECS));
        self.0.batch(vec![count]).await?;
        Ok(attempts)
    }

    async fn bury(&self, queue: &str, message_id: &str, body: &str, now: Timestamp) -> Result<()> {
        let id = derived_id("dl", &format!("{queue}\0{message_id}"));
        let error = "messages could not be processed: look at the dead letters, then replay or discard them";
        let finding = Finding::for_staff(FindingKind::DeadLetter, queue, error, now);
        let tell = findings::save_of_new_letter(&finding, &id)?;
        let bury = Statement::new(BURY)
            .bind(id)
            .bind(queue)
            .bind(body)
            .bind(now);
        let rest =
            Statement::new("UPDATE webhook_events SET due_at = NULL WHERE id = ?1").bind(body);
        Ok(self.0.batch(vec![tell, bury, rest]).await?)
    }

    async fn dead(&self, limit: u32) -> Result<Vec<String>> {
        let statement = Statement::new(
            "SELECT id AS value FROM dead_letters WHERE status = 'dead' ORDER BY buried_at, id LIMIT ?1",
        );
        let rows: Vec<TextRow> = self.0.query(statement.bind(limit)).await?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    async fn letters(
        &self,
        status: LetterStatus,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>> {
        let statement = Statement::new(
            "SELECT id, queue, body, attempts, last_error, buried_at, status, resolved_at, resolved_by, reason FROM dead_letters
             WHERE status = ?1 AND (?2 IS NULL
                OR (buried_at, id) < (SELECT buried_at, id FROM dead_letters WHERE id = ?2))
             ORDER BY buried_at DESC, id DESC LIMIT ?3",
        )
        .bind(to_word(&status)?)
        .bind(after.map(str::to_owned))
        .bind(limit);
        let rows: Vec<LetterRow> = self.0.query(statement).await?;
        rows.into_iter().map(LetterRow::into_letter).collect()
    }

    async fn count(&self, status: LetterStatus) -> Result<u32> {
        let statement =
            Statement::new("SELECT COUNT(*) AS attempts FROM dead_letters WHERE status = ?1");
        let rows: Vec<AttemptsRow> = self.0.query(statement.bind(to_word(&status)?)).await?;
        Ok(rows.first().map_or(0, |row| row.attempts))
    }

    async fn letter(&self, id: &str) -> Result<Option<DeadLetter>> {
        let statement = Statement::new(
            "SELECT id, queue, body, attempts, last_error, buried_at, status, resolved_at, resolved_by, reason FROM dead_letters WHERE id = ?1",
        );
        let rows: Vec<LetterRow> = self.0.query(statement.bind(id)).await?;
        rows.into_iter()
            .next()
            .map(LetterRow::into_letter)
            .transpose()
    }

    async fn history(&self, message: &str) -> Result<Vec<Failure>> {
        let statement = Statement::new(
            "SELECT at, error FROM failures WHERE message = ?1 ORDER BY id DESC LIMIT 100",
        );
        let rows: Vec<FailureRow> = self.0.query(statement.bind(message)).await?;
        Ok(rows
            .into_iter()
            .rev()
            .map(|row| Failure {
                at: Timestamp::from_millis(row.at),
                error: row.error,
            })
            .collect())
    }

    async fn resolve(&self, id: &str, resolution: &Resolution, now: Timestamp) -> Result<Written> {
        let status = to_word(&resolution.status)?;
        let due = Statement::new(
            "UPDATE webhook_events SET due_at = ?2 WHERE ?3 = 'replayed' AND processed_at IS NULL
             AND id = (SELECT body FROM dead_letters WHERE id = ?1 AND status = 'dead')",
        )
        .bind(id)
        .bind(now)
        .bind(status.as_str());
        let update = Statement::new(
            "UPDATE dead_letters SET status = ?2, resolved_at = ?3, resolved_by = ?4, reason = ?5 WHERE id = ?1 AND status = 'dead'",
        )
        .bind(id)
        .bind(status)
        .bind(now)
        .bind(resolution.actor.as_str())
        .bind(resolution.reason.clone());
        self.0.batch(vec![due, update]).await?;
        let is_ours = self.letter(id).await?.is_some_and(|letter| {
            letter.resolved_at == Some(now) && letter.resolution.as_ref() == Some(resolution)
        });
        Ok(if is_ours {
            Written::Landed(())
        } else {
            Written::Lost
        })
    }

    async fn revive(&self, id: &str) -> Result<()> {
        let statement = Statement::new(
            "UPDATE OR IGNORE dead_letters SET status = 'dead', resolved_at = NULL, resolved_by = NULL WHERE id = ?1 AND status = 'replayed'",
        );
        Ok(self.0.batch(vec![statement.bind(id)]).await?)
    }
}

/// Seconds after a failure until the sweep picks up an event that its queue has lost; longer than
/// the longest pause.
const RETRIED_WITHIN_SECS: u32 = 2 * 60 * 60;

const BURY: &str = "
INSERT INTO dead_letters (id, queue, body, attempts, last_error, buried_at)
SELECT ?1, ?2, ?3, COUNT(*), (SELECT error FROM failures WHERE message = ?3 ORDER BY id DESC LIMIT 1), ?4
FROM failures WHERE message = ?3 AND at > COALESCE((SELECT MAX(resolved_at) FROM dead_letters WHERE body = ?3), 0)
ON CONFLICT (id) DO NOTHING
ON CONFLICT (queue, body) WHERE status = 'dead' DO UPDATE
SET attempts = excluded.attempts, last_error = excluded.last_error, buried_at = excluded.buried_at";

#[derive(Deserialize)]
struct AttemptsRow {
    attempts: u32,
}

#[derive(Deserialize)]
struct FailureRow {
    at: i64,
    error: String,
}

#[derive(Deserialize)]
struct LetterRow {
    id: String,
    queue: String,
    body: String,
    attempts: u32,
    last_error: Option<String>,
    buried_at: i64,
    status: String,
    resolved_at: Option<i64>,
    resolved_by: Option<String>,
    reason: Option<String>,
}

impl LetterRow {
    fn into_letter(self) -> Result<DeadLetter> {
        let status = from_word(&self.status)?;
        let reason = self.reason;
        Ok(DeadLetter {
            id: self.id,
            queue: self.queue,
            body: self.body,
            attempts: self.attempts,
            last_error: self.last_error,
            buried_at: Timestamp::from_millis(self.buried_at),
            status,
            resolved_at: self.resolved_at.map(Timestamp::from_millis),
            resolution: self.resolved_by.map(|actor| Resolution {
                status,
                actor,
                reason,
            }),
        })
    }
}
