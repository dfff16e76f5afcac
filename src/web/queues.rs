//! The queues: events of the payment provider, and what failed for good.
//!
//! A handler that returns an error panics, and takes the isolate with it: each message is acknowledged or retried by itself, so
//! one poison message holds up no other. Running a message twice is safe: an event is folded by the state it finds
//! (`settlement`), and a dead letter is kept under its message's id.

use crate::app::App;
use crate::error::Result;
use crate::shop::ports::{Inbox, Ports};
use crate::shop::settlement;
use crate::web::log::log_failure;
use worker::{Env, Message, MessageBatch, MessageExt, QueueRetryOptionsBuilder};

/// The dead-letter queue.
const DEAD: &str = "-dead";

/// Longest pause before an event is tried again, in seconds.
const MAX_DELAY_SECS: u32 = 60 * 60;

/// Deals with every message of a batch.
pub async fn consume(batch: &MessageBatch<String>, env: &Env) {
    let app = match App::new(env) {
        Ok(app) => app,
        Err(error) => {
            log_failure("configuration", "queue", &error);
            return batch.retry_all();
        }
    };
    let queue = batch.queue();
    for message in batch.iter() {
        match message {
            Ok(message) if queue.ends_with(DEAD) => bury(&app, &queue, &message).await,
            Ok(message) => handle(&app, &message).await,
            Err(error) => {
                log_failure(
                    "message_unreadable",
                    &queue,
                    &crate::error::Error::internal(error),
                );
            }
        }
    }
}

async fn handle(app: &App, message: &Message<String>) {
    let event_id = message.body();
    let Err(error) = settlement::handle_event(app, event_id, app.now).await else {
        return message.ack();
    };
    log_failure("event_failed", event_id, &error);
    let attempts = app
        .inbox()
        .failed(event_id, &error.to_string(), app.now)
        .await
        .unwrap_or(1);
    let delay = QueueRetryOptionsBuilder::new()
        .with_delay_seconds(delay_secs(attempts, jitter(event_id)))
        .build();
    message.retry_with_options(&delay);
}

async fn bury(app: &App, queue: &str, message: &Message<String>) {
    let buried: Result<()> = app
        .inbox()
        .bury(queue, &message.id(), message.body(), app.now)
        .await;
    match buried {
        Ok(()) => message.ack(),
        Err(error) => {
            log_failure("dead_letter_not_kept", message.body(), &error);
            message.retry();
        }
    }
}

/// Doubles from two seconds to an hour, and up to a quarter more by `jitter`, so that what failed together does not come back
/// together.
fn delay_secs(attempts: u32, jitter: u32) -> u32 {
    let exponential = 1_u32
        .checked_shl(attempts.min(31))
        .map_or(MAX_DELAY_SECS, |secs| secs.min(MAX_DELAY_SECS));
    let quarter = exponential.saturating_div(4).saturating_add(1);
    exponential
        .saturating_add(jitter.checked_rem(quarter).unwrap_or(0))
        .min(MAX_DELAY_SECS)
}

fn jitter(event_id: &str) -> u32 {
    event_id.bytes().fold(0, |hash: u32, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_double_up_to_an_hour() {
        assert_eq!(
            [1, 2, 3, 11, 12, 40].map(|attempts| delay_secs(attempts, 0)),
            [2, 4, 8, 2048, 3600, 3600]
        );
        for attempts in 0..64 {
            for jitter in [0, 1, 999, u32::MAX] {
                assert!((1..=MAX_DELAY_SECS).contains(&delay_secs(attempts, jitter)));
            }
        }
    }
}
