//! The shop's queues. Messages are JSON or IDs as text, because a Rust map would arrive empty.

use crate::store::payments::inbox::EVENTS_QUEUE;
use crate::store::sql::to_json;
use shop::error::{Error, Result};
use shop::messages::email::{EmailJob, LinkRequest};
use shop::messages::mail::{Mail, OUTGOING_QUEUE};
use shop::messages::order_link::LINK_REQUESTS_QUEUE;
use shop::operations::dead_letters::MessageQueues;
use shop::operations::sweep::JOBS_QUEUE;
use shop::publishing::publish::PUBLISHES_QUEUE;
use shop::publishing::publish::record::PublishQueue;
use worker::{MessageBuilder, Queue};

/// All queues that the shop writes to.
#[derive(Clone)]
pub struct Queues {
    /// IDs of the payment provider's events.
    pub events: Queue,
    /// Emails to shoppers.
    pub outgoing: Queue,
    /// Requests for an order link.
    pub link_requests: Queue,
    /// Jobs of each minute.
    pub jobs: Queue,
    /// Numbers of publishes in progress.
    pub publishes: Queue,
}

impl MessageQueues for Queues {
    async fn send_later(&self, queue: &str, body: &str, delay_secs: u32) -> Result<()> {
        let message = MessageBuilder::new(body.to_owned())
            .delay_seconds(delay_secs)
            .build();
        let sent = self.named(queue)?.send(message).await;
        sent.map_err(|error| Error::internal(format!("queue: {error}")))
    }

    async fn send_all(&self, queue: &str, bodies: &[String]) -> Result<()> {
        let sent = self.named(queue)?.send_batch(bodies.to_vec()).await;
        sent.map_err(|error| Error::internal(format!("queue: {error}")))
    }
}

impl Queues {
    /// Returns the queue of this name, with or without the suffix of an environment, as in
    /// `stripe-events-staging`.
    fn named(&self, queue: &str) -> Result<&Queue> {
        if queue.starts_with(EVENTS_QUEUE) {
            Ok(&self.events)
        } else if queue.starts_with(OUTGOING_QUEUE) {
            Ok(&self.outgoing)
        } else if queue.starts_with(LINK_REQUESTS_QUEUE) {
            Ok(&self.link_requests)
        } else if queue.starts_with(JOBS_QUEUE) {
            Ok(&self.jobs)
        } else if queue.starts_with(PUBLISHES_QUEUE) {
            Ok(&self.publishes)
        } else {
            Err(Error::internal(format!("no queue {queue}")))
        }
    }
}

impl PublishQueue for Queues {
    async fn enqueue_publish(&self, seq: i64, delay_secs: u32) -> Result<()> {
        self.send_later(PUBLISHES_QUEUE, &seq.to_string(), delay_secs)
            .await
    }
}

/// [`Mail`] by the queue of outgoing emails.
pub struct Outgoing<Q>(pub Q);

impl<Q: MessageQueues> Mail for Outgoing<Q> {
    async fn post(&self, letter: &EmailJob) -> Result<()> {
        self.0.send(OUTGOING_QUEUE, &to_json(letter)?).await
    }

    async fn ask_for_link(&self, request: &LinkRequest) -> Result<()> {
        self.0.send(LINK_REQUESTS_QUEUE, &to_json(request)?).await
    }
}
