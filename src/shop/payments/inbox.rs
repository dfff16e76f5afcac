//! Inbox of the payment providers' events.

use crate::error::Result;
use crate::payments::WebhookEvent;
use crate::payments::provider::ProviderId;
use durable::Timestamp;
use serde::Deserialize;

/// A stored event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StoredEvent {
    /// Provider that sent it.
    pub provider: ProviderId,
    /// Body as received.
    pub payload: String,
}

/// Inbox of the providers' events, and the queue of their keys.
pub trait Inbox {
    /// Stores an event. Returns false if it is already stored.
    async fn receive(&self, event: &WebhookEvent, now: Timestamp) -> Result<bool>;
    /// Sends the key of an event to the consumer after a delay.
    async fn enqueue(&self, event_key: &str, delay_secs: u32) -> Result<()>;
    /// Stores events, and returns the keys of those that are new.
    async fn receive_all(&self, events: &[WebhookEvent], now: Timestamp) -> Result<Vec<String>>;
    /// Sends the keys of events to the consumer.
    async fn enqueue_all(&self, event_keys: &[String]) -> Result<()>;
    /// Returns an event by its key.
    async fn event(&self, event_key: &str) -> Result<Option<StoredEvent>>;
    /// Records that an event has been processed.
    async fn processed(&self, event_key: &str, outcome: &str, now: Timestamp) -> Result<()>;
    /// Claims events that were due before `before` and are not processed yet, and returns their
    /// keys; each is given to one caller at a time.
    async fn unseen(&self, before: Timestamp, limit: u32) -> Result<Vec<String>>;
}
