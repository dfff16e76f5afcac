//! The queues: events of the payment provider, letters to shoppers, news of the objects, publishes under way, and what
//! failed for good.
//!
//! A handler that returns an error panics, and takes the isolate with it: each message is acknowledged or retried by itself, so
//! one poison message holds up no other. Running a message twice is safe: an event is folded by the state it finds
//! (`settlement`), a letter is claimed by its row (`mail`), news keep the newest (`news`), a publish goes on
//! from where it is (`publish`), and a dead letter is kept under its message's id.

use crate::app::App;
use crate::error::{Error, Result};
use crate::shop::dead_letters::DEAD_SUFFIX;
use crate::shop::mail::{Letter, OUTGOING_QUEUE, send_letter};
use crate::shop::news::{NEWS_QUEUE, hear_news};
use crate::shop::ports::{DeadLetters, Ports};
use crate::shop::publish::{PUBLISHES_QUEUE, continue_publish};
use crate::shop::settlement;
use crate::web::log::log_failure;
use durable::news::News;
use worker::{Env, Message, MessageBatch, MessageExt, QueueRetryOptionsBuilder};

/// Longest pause before a message is tried again, in seconds.
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
    if queue.starts_with(NEWS_QUEUE) && !queue.ends_with(DEAD_SUFFIX) {
        return hear(&app, batch).await;
    }
    for message in batch.iter() {
        match message {
            Ok(message) if queue.ends_with(DEAD_SUFFIX) => bury(&app, &queue, &message).await,
            Ok(message) if queue.starts_with(PUBLISHES_QUEUE) => publish(&app, &message).await,
            Ok(message) => {
                let outcome = handle(&app, &queue, message.body()).await;
                finish(&app, &message, outcome).await;
            }
            Err(error) => log_failure("message_unreadable", &queue, &Error::internal(error)),
        }
    }
}

async fn handle(app: &App, queue: &str, body: &str) -> Result<()> {
    if !queue.starts_with(OUTGOING_QUEUE) {
        return settlement::handle_event(app, body, app.now).await;
    }
    let letter: Letter = serde_json::from_str(body)
        .map_err(|error| Error::internal(format!("a letter does not read: {error}")))?;
    let links = app.order_links();
    send_letter(
        &app.orders(),
        &app.mails(),
        &app.config.mail,
        &letter,
        &links,
        app.now,
    )
    .await
}

/// Acknowledges a message, or notes why it failed and has it tried again after a pause.
async fn finish(app: &App, message: &Message<String>, outcome: Result<()>) {
    let Err(error) = outcome else {
        return message.ack();
    };
    log_failure("message_failed", &subject(message.body()), &error);
    let attempts = app
        .dead_letters()
        .failed(message.body(), &error.to_string(), app.now)
        .await
        .unwrap_or(1);
    let delay = QueueRetryOptionsBuilder::new()
        .with_delay_seconds(delay_secs(attempts, app.jitter()))
        .build();
    message.retry_with_options(&delay);
}

async fn publish(app: &App, message: &Message<String>) {
    let Ok(seq) = message.body().parse() else {
        return message.ack();
    };
    let (record, copy, queue) = app.publish_ports();
    match continue_publish(&record, &copy, &queue, seq, app.now).await {
        Ok(_) => message.ack(),
        Err(error) => {
            log_failure("publish_failed", message.body(), &error);
            message.retry();
        }
    }
}

/// All news of a batch at once; when that fails, each by itself, so that one can't hold up the others.
async fn hear(app: &App, batch: &MessageBatch<String>) {
    let messages: Vec<Message<String>> = batch.iter().filter_map(std::result::Result::ok).collect();
    let news: Vec<News> = messages.iter().filter_map(read_news).collect();
    if news.len() == messages.len() && hear_all(app, &news).await.is_ok() {
        return batch.ack_all();
    }
    for message in &messages {
        let heard = match read_news(message) {
            Some(news) => hear_all(app, &[news]).await,
            None => Err(Error::internal("no news that this version reads")),
        };
        finish(app, message, heard).await;
    }
}

async fn hear_all(app: &App, news: &[News]) -> Result<()> {
    hear_news(&app.news_record(), &app.boards(), news, app.now).await
}

fn read_news(message: &Message<String>) -> Option<News> {
    serde_json::from_str(message.body()).ok()
}

async fn bury(app: &App, queue: &str, message: &Message<String>) {
    let buried = app
        .dead_letters()
        .bury(queue, &message.id(), message.body(), app.now)
        .await;
    match buried {
        Ok(()) => message.ack(),
        Err(error) => {
            log_failure("dead_letter_not_kept", &subject(message.body()), &error);
            message.retry();
        }
    }
}

/// What a log line names a message by: messages are ids, or JSON without anything personal, of any length.
fn subject(body: &str) -> String {
    body.chars().take(200).collect()
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
