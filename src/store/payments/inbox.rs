//! The inbox of the payment providers' events in D1, and the queue that carries their keys. A row
//! is stored under the key of its event, which is unique across providers.

use crate::store::sql::{Database, SqlError, Statement, TextRow, json_chunks};
use durable::Timestamp;
use serde::Serialize;
use shop::error::Result;
use shop::operations::dead_letters::MessageQueues;
use shop::payments::WebhookEvent;
use shop::payments::inbox::{Inbox, StoredEvent};
use shop::payments::provider::ProviderId;

/// [`Inbox`] on D1 and a queue.
#[derive(Debug)]
pub struct InboxD1<D, Q> {
    /// Database of the events.
    pub db: D,
    /// Queue of their keys.
    pub queues: Q,
}

/// Seconds for which an event taken by the sweep is not taken again.
const HANDED_OUT_SECS: u32 = 120;

impl<D: Database, Q: MessageQueues> Inbox for InboxD1<D, Q> {
    async fn receive(&self, event: &WebhookEvent, now: Timestamp) -> Result<bool> {
        let statement = Statement::new(
            "INSERT INTO webhook_events (id, provider, kind, payload, received_at, due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        )
        .bind(event.key())
        .bind(event.provider.as_str())
        .bind(event.kind.as_str())
        .bind(event.payload.as_str())
        .bind(now);
        match self.db.batch(vec![statement]).await {
            Ok(()) => Ok(true),
            Err(SqlError::Taken(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn enqueue(&self, event_key: &str, delay_secs: u32) -> Result<()> {
        self.queues
            .send_later(EVENTS_QUEUE, event_key, delay_secs)
            .await
    }

    async fn receive_all(&self, events: &[WebhookEvent], now: Timestamp) -> Result<Vec<String>> {
        let events: Vec<EventRow<'_>> = events.iter().map(EventRow::of).collect();
        let mut fresh = Vec::new();
        for chunk in json_chunks(&events)? {
            let statement = Statement::new(
                "INSERT INTO webhook_events (id, provider, kind, payload, received_at, due_at)
                 SELECT value ->> 'key', value ->> 'provider', value ->> 'kind', value ->> 'payload', ?2, ?2 FROM json_each(?1) WHERE true
                 ON CONFLICT (id) DO NOTHING RETURNING id AS value",
            );
            let rows: Vec<TextRow> = self.db.query(statement.bind(chunk).bind(now)).await?;
            fresh.extend(rows.into_iter().map(|row| row.value));
        }
        Ok(fresh)
    }

    async fn enqueue_all(&self, event_keys: &[String]) -> Result<()> {
        self.queues.send_all(EVENTS_QUEUE, event_keys).await
    }

    async fn event(&self, event_key: &str) -> Result<Option<StoredEvent>> {
        let statement =
            Statement::new("SELECT provider, payload FROM webhook_events WHERE id = ?1");
        let rows: Vec<StoredEvent> = self.db.query(statement.bind(event_key)).await?;
        Ok(rows.into_iter().next())
    }

    async fn processed(&self, event_key: &str, outcome: &str, now: Timestamp) -> Result<()> {
        let statement = Statement::new(
            "UPDATE webhook_events SET processed_at = ?2, outcome = ?3, attempts = attempts + 1 WHERE id = ?1",
        );
        let statement = statement.bind(event_key).bind(now).bind(outcome);
        Ok(self.db.batch(vec![statement]).await?)
    }

    async fn unseen(&self, before: Timestamp, limit: u32) -> Result<Vec<String>> {
        let statement = Statement::new(
            "UPDATE webhook_events SET due_at = ?1 WHERE id IN
                (SELECT id FROM webhook_events WHERE processed_at IS NULL AND due_at < ?2 ORDER BY due_at LIMIT ?3)
             RETURNING id AS value",
        )
        .bind(before.plus_secs(HANDED_OUT_SECS))
        .bind(before)
        .bind(limit);
        let rows: Vec<TextRow> = self.db.query(statement).await?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }
}

#[derive(Serialize)]
struct EventRow<'a> {
    key: String,
    provider: ProviderId,
    kind: &'a str,
    payload: &'a str,
}

impl<'a> EventRow<'a> {
    fn of(event: &'a WebhookEvent) -> Self {
        Self {
            key: event.key(),
            provider: event.provider,
            kind: &event.kind,
            payload: &event.payload,
        }
    }
}

/// Name of the queue of event keys, for every provider. It dates from when there was only one.
pub const EVENTS_QUEUE: &str = "stripe-events";
