//! The inbox of the payment provider's events in D1, and the queue that carries their ids.

use crate::error::{Error, Result};
use crate::shop::payments::WebhookEvent;
use crate::shop::ports::Inbox;
use crate::store::sql::{Database, SqlError, Statement, TextRow};
use durable::Timestamp;
use serde::Deserialize;
use std::rc::Rc;
use worker::Queue;

/// [`Inbox`] on D1 and a queue.
#[derive(Debug)]
pub struct InboxD1<D> {
    /// Where events are kept.
    pub db: D,
    /// Where their ids go.
    pub queue: Rc<Queue>,
}

impl<D: Database> Inbox for InboxD1<D> {
    async fn receive(&self, event: &WebhookEvent, now: Timestamp) -> Result<bool> {
        let statement = Statement::new(
            "INSERT INTO webhook_events (id, kind, payload, received_at) VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(event.id.as_str())
        .bind(event.kind.as_str())
        .bind(event.payload.as_str())
        .bind(now);
        match self.db.batch(vec![statement]).await {
            Ok(()) => Ok(true),
            Err(SqlError::Taken(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn enqueue(&self, event_id: &str) -> Result<()> {
        self.queue
            .send(event_id.to_owned())
            .await
            .map_err(|error| Error::internal(format!("queue: {error}")))
    }

    async fn payload(&self, event_id: &str) -> Result<Option<String>> {
        let statement = Statement::new("SELECT payload AS value FROM webhook_events WHERE id = ?1");
        let rows: Vec<TextRow> = self.db.query(statement.bind(event_id)).await?;
        Ok(rows.into_iter().next().map(|row| row.value))
    }

    async fn processed(&self, event_id: &str, outcome: &str, now: Timestamp) -> Result<()> {
        let statement = Statement::new(
            "UPDATE webhook_events SET processed_at = ?2, outcome = ?3, attempts = attempts + 1 WHERE id = ?1",
        );
        let statement = statement.bind(event_id).bind(now).bind(outcome);
        Ok(self.db.batch(vec![statement]).await?)
    }

    async fn failed(&self, event_id: &str, error: &str, _now: Timestamp) -> Result<u32> {
        let statement = Statement::new(
            "UPDATE webhook_events SET attempts = attempts + 1, last_error = ?2 WHERE id = ?1 RETURNING attempts",
        );
        let rows: Vec<AttemptsRow> = self.db.query(statement.bind(event_id).bind(error)).await?;
        Ok(rows.first().map_or(1, |row| row.attempts))
    }

    async fn unseen(&self, before: Timestamp, limit: u32) -> Result<Vec<String>> {
        let statement = Statement::new(
            "SELECT id AS value FROM webhook_events
             WHERE processed_at IS NULL AND attempts = 0 AND received_at < ?1 ORDER BY received_at LIMIT ?2",
        );
        let rows: Vec<TextRow> = self.db.query(statement.bind(before).bind(limit)).await?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    async fn bury(&self, queue: &str, message_id: &str, body: &str, now: Timestamp) -> Result<()> {
        let statement = Statement::new(
            "INSERT INTO dead_letters (id, queue, body, attempts, last_error, buried_at)
             SELECT ?1, ?2, ?3, COALESCE(MAX(attempts), 0), MAX(last_error), ?4 FROM webhook_events WHERE id = ?3
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(format!("{queue}:{message_id}"))
        .bind(queue)
        .bind(body)
        .bind(now);
        Ok(self.db.batch(vec![statement]).await?)
    }
}

#[derive(Deserialize)]
struct AttemptsRow {
    attempts: u32,
}
