//! The inbox and its queue.

use crate::ports::Sim;
use durable::Timestamp;
use shop::error::{Error, Result};
use shop::payments::WebhookEvent;
use shop::payments::inbox::{Inbox, StoredEvent};
use shop::payments::provider::ProviderId;

/// Prefix of the keys and IDs of the second provider.
pub const SECOND: &str = "second:";

impl Inbox for Sim {
    async fn receive(&self, event: &WebhookEvent, _now: Timestamp) -> Result<bool> {
        let id = event.key();
        self.call(format!("keep {id}"), move |world| {
            let mut inbox = world.inbox.borrow_mut();
            let is_new = !inbox.contains_key(&id);
            inbox.entry(id.clone()).or_insert(false);
            is_new
        })
        .await
        .map_err(Error::internal)
    }

    async fn enqueue(&self, event_id: &str, _delay_secs: u32) -> Result<()> {
        let id = event_id.to_owned();
        self.call(format!("queue {id}"), move |world| {
            world.queue.borrow_mut().push(id.clone())
        })
        .await
        .map_err(Error::internal)
    }

    async fn receive_all(&self, events: &[WebhookEvent], now: Timestamp) -> Result<Vec<String>> {
        let mut fresh = Vec::new();
        for event in events {
            if self.receive(event, now).await? {
                fresh.push(event.key());
            }
        }
        Ok(fresh)
    }

    async fn enqueue_all(&self, event_ids: &[String]) -> Result<()> {
        for event_id in event_ids {
            self.enqueue(event_id, 0).await?;
        }
        Ok(())
    }

    async fn event(&self, event_key: &str) -> Result<Option<StoredEvent>> {
        let (provider, id) = match event_key.strip_prefix(SECOND) {
            Some(id) => (ProviderId::Second, id),
            None => (ProviderId::Stripe, event_key),
        };
        let is_kept = self.0.inbox.borrow().contains_key(event_key);
        Ok(is_kept.then(|| StoredEvent {
            provider,
            payload: id.split('/').next().unwrap_or_default().to_owned(),
        }))
    }

    async fn processed(&self, event_id: &str, _outcome: &str, _now: Timestamp) -> Result<()> {
        let id = event_id.to_owned();
        self.call(format!("done {id}"), move |world| {
            world.inbox.borrow_mut().insert(id.clone(), true)
        })
        .await
        .map(|_| ())
        .map_err(Error::internal)
    }

    async fn unseen(&self, _before: Timestamp, _limit: u32) -> Result<Vec<String>> {
        let inbox = self.0.inbox.borrow();
        Ok(inbox
            .iter()
            .filter(|(_, done)| !**done)
            .map(|(id, _)| id.clone())
            .collect())
    }
}
