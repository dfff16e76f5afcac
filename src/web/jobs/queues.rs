//! The queue consumers: events of the payment provider, emails to shoppers, events of the objects,
//! running publishes, the jobs of each minute, and dead letters.
//!
//! A handler that returns an error panics and takes the isolate with it, so each message is
//! acknowledged or retried separately. The messages of a batch are handled concurrently, so that
//! neither a poison message nor an unresponsive provider holds up the others; emails two at a time,
//! because mail providers accept only a few per second.
//!
//! No retry comes at once. If the database can't count its failures, a message pauses for as long
//! as its age, so that the retries of its queue span more than two hours. The consumers of dead
//! letters wait ten minutes between attempts, so that theirs span more than sixteen hours. Handling
//! a message twice, or twice at once, is safe: an event is applied to the state that it finds
//! (`settlement`), an email is claimed by its row (`mail`), events of objects keep the newest
//! (`news`), a publish continues where it is (`publish`), and a dead letter is stored under its
//! message's ID.

use crate::app::App;
use crate::app::brand::BRAND;
use crate::web::http::log::log_failure;
use crate::web::jobs::each_minute::{read_job, run_job};
use durable::Timestamp;
use durable::news::ObjectEvent;
use futures_util::future::join;
use futures_util::stream;
use futures_util::stream::StreamExt;
use shop::error::{Error, Result};
use shop::messages::email::Outgoing;
use shop::messages::mail::{OUTGOING_QUEUE, SendOutcome, send_letter};
use shop::messages::order_link::{LINK_REQUESTS_QUEUE, send_order_link};
use shop::operations::dead_letters::{DEAD_SUFFIX, DeadLetters, dead_queue};
use shop::operations::news::{NEWS_QUEUE, hear_news};
use shop::operations::sweep::JOBS_QUEUE;
use shop::orders::ports::OrderPorts;
use shop::publishing::publish::{PUBLISHES_QUEUE, continue_publish};
use shop::settlement::events;
use shop::settlement::ports::SettlementPorts;
use shop::values::clock::Clock;
use worker::js_sys::{ArrayBuffer, JSON, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{
    Env, MessageBatch, MessageExt, QueueRetryOptions, QueueRetryOptionsBuilder, RawMessage,
};

/// Longest pause before a message is retried, in seconds.
const MAX_DELAY_SECS: u32 = 60 * 60;

/// Shortest pause before a message is retried, in seconds.
const MIN_DELAY_SECS: u32 = 2;

/// Number of messages handled concurrently: a whole batch of those that wait for a provider.
const AT_ONCE: usize = 10;

/// Number of emails sent concurrently. With one consumer and responses within some 300 ms, that is
/// six a second, about the limit of most providers.
const LETTERS_AT_ONCE: usize = 2;

/// Seconds until a retry of messages when the Worker could not start, or of a dead letter that
/// could not be stored.
const BROKEN_RETRY_SECS: u32 = 10 * 60;

/// A message, and its body as text.
struct Message {
    raw: RawMessage,
    body: String,
}

/// Handles every message of a batch.
pub async fn consume(batch: &MessageBatch<String>, env: &Env) {
    let app = match App::new(env) {
        Ok(app) => app,
        Err(error) => {
            log_failure("configuration", "queue", &error);
            let queue = batch.queue();
            if queue.starts_with(JOBS_QUEUE) && !queue.ends_with(DEAD_SUFFIX) {
                // The messages of the next minute take their place.
                return batch.ack_all();
            }
            return batch.retry_all_with_options(&after(BROKEN_RETRY_SECS));
        }
    };
    let queue = batch.queue();
    let (messages, strangers): (Vec<Message>, Vec<Message>) = batch
        .raw_iter()
        .map(Message::of)
        .partition(|message| message.raw.body().is_string());
    join(
        deal_with(&app, &queue, &messages),
        each(&strangers, |message| bury_stranger(&app, &queue, message)),
    )
    .await;
}

async fn deal_with(app: &App, queue: &str, messages: &[Message]) {
    if queue.ends_with(DEAD_SUFFIX) {
        each(messages, |message| bury(app, queue, message)).await;
    } else if queue.starts_with(NEWS_QUEUE) {
        hear(app, messages).await;
    } else if queue.starts_with(PUBLISHES_QUEUE) {
        each(messages, |message| publish(app, queue, message)).await;
    } else if queue.starts_with(JOBS_QUEUE) {
        each(messages, |message| async {
            let asked = read_job(&message.body);
            if let Ok(asked) = &asked {
                run_job(app, *asked).await;
            }
            finish(app, message, asked.map(drop)).await;
        })
        .await;
    } else if queue.starts_with(LINK_REQUESTS_QUEUE) {
        each(messages, |message| async {
            let outcome = send(app, &message.body).await;
            finish(app, message, outcome.map(|_| ())).await;
        })
        .await;
    } else if queue.starts_with(OUTGOING_QUEUE) {
        stream::iter(messages)
            .for_each_concurrent(LETTERS_AT_ONCE, |message| async {
                match send(app, &message.body).await {
                    Ok(SendOutcome::Later(secs)) => retry_after(message, secs),
                    outcome => finish(app, message, outcome.map(|_| ())).await,
                }
            })
            .await;
    } else {
        each(messages, |message| async {
            let outcome = events::handle_event(app, &message.body, app.now).await;
            finish(app, message, outcome).await;
        })
        .await;
    }
}

async fn each<'a, F: Future<Output = ()>>(
    messages: &'a [Message],
    handle: impl FnMut(&'a Message) -> F,
) {
    stream::iter(messages)
        .for_each_concurrent(AT_ONCE, handle)
        .await;
}

async fn send(app: &App, body: &str) -> Result<SendOutcome> {
    let outgoing: Outgoing = durable::json::read(body)
        .map_err(|error| Error::internal(format!("what goes out does not read: {error}")))?;
    let letter = match outgoing {
        Outgoing::Letter(letter) => letter,
        Outgoing::LinkRequest(request) => {
            send_order_link(&app.orders(), &app.mail(), &request, app.now).await?;
            return Ok(SendOutcome::Sent);
        }
    };
    let links = app.order_links();
    send_letter(
        &app.orders(),
        &app.mails(),
        &app.config.mail,
        &letter,
        &links,
        &BRAND.letterhead(),
        app.now,
    )
    .await
}

/// Acknowledges a message, or records its failure and retries it after a pause.
async fn finish(app: &App, message: &Message, outcome: Result<()>) {
    let Err(error) = outcome else {
        return message.raw.ack();
    };
    log_failure("message_failed", message.subject(), &error);
    let counted = app
        .dead_letters()
        .failed(&message.body, &error.to_string(), app.now)
        .await;
    let delay = match counted {
        Ok(attempts) => delay_secs(attempts, app.jitter()),
        Err(_) => spread(message.age_secs(app.clock()), app.jitter()),
    };
    retry_after(message, delay);
}

fn retry_after(message: &Message, secs: u32) {
    message.raw.retry_with_options(&after(secs));
}

fn after(secs: u32) -> QueueRetryOptions {
    QueueRetryOptionsBuilder::new()
        .with_delay_seconds(secs)
        .build()
}

async fn publish(app: &App, queue: &str, message: &Message) {
    let Ok(seq) = message.body.parse() else {
        return bury_stranger(app, queue, message).await;
    };
    let (record, copy, queue) = app.publish_ports();
    match continue_publish(&record, &copy, &queue, seq, app.now).await {
        Ok(_) => message.raw.ack(),
        Err(error) => {
            log_failure("publish_failed", message.subject(), &error);
            message.raw.retry();
        }
    }
}

/// Handles all events of objects at once. If that fails, handles each separately, so that one can't
/// hold up the others.
async fn hear(app: &App, messages: &[Message]) {
    let news: Vec<ObjectEvent> = messages.iter().filter_map(read_news).collect();
    if news.len() == messages.len() && hear_all(app, &news).await.is_ok() {
        return messages.iter().for_each(|message| message.raw.ack());
    }
    each(messages, |message| async move {
        let heard = match read_news(message) {
            Some(news) => hear_all(app, &[news]).await,
            None => Err(Error::internal("no news that this version reads")),
        };
        finish(app, message, heard).await;
    })
    .await;
}

async fn hear_all(app: &App, news: &[ObjectEvent]) -> Result<()> {
    hear_news(app, &app.news_record(), &app.boards(), news, app.now).await
}

fn read_news(message: &Message) -> Option<ObjectEvent> {
    durable::json::read(&message.body).ok()
}

/// Stores a message that no retry would make readable with the dead letters at once, where its
/// queue would have sent it in the end.
async fn bury_stranger(app: &App, queue: &str, message: &Message) {
    let error = Error::internal("no message of the shop's");
    log_failure("message_unreadable", queue, &error);
    let noted = app
        .dead_letters()
        .failed(&message.body, &error.to_string(), app.now)
        .await;
    if let Err(error) = noted {
        log_failure("failure_not_kept", queue, &error);
    }
    bury(app, &dead_queue(queue), message).await;
}

async fn bury(app: &App, queue: &str, message: &Message) {
    let buried = app
        .dead_letters()
        .bury(queue, &message.raw.id(), &message.body, app.now)
        .await;
    match buried {
        Ok(()) => message.raw.ack(),
        Err(error) => {
            log_failure("dead_letter_not_kept", message.subject(), &error);
            retry_after(message, BROKEN_RETRY_SECS);
        }
    }
}

impl Message {
    fn of(raw: RawMessage) -> Self {
        let body = text_of(&raw.body());
        Self { raw, body }
    }

    /// Returns the seconds since the message was queued.
    fn age_secs(&self, now: Timestamp) -> u32 {
        let millis = i64::try_from(self.raw.timestamp().as_millis()).unwrap_or(i64::MAX);
        let age = now.as_millis().saturating_sub(millis).max(0) / 1000;
        u32::try_from(age).unwrap_or(u32::MAX)
    }

    /// Returns what log lines name the message by. Messages are IDs or JSON of any length, without
    /// personal data.
    fn subject(&self) -> &str {
        let end = self.body.floor_char_boundary(200);
        self.body.get(..end).unwrap_or_default()
    }
}

/// Returns text as it is, bytes as UTF-8, and anything else as JSON.
fn text_of(body: &JsValue) -> String {
    if let Some(text) = body.as_string() {
        return text;
    }
    if let Some(bytes) = body.dyn_ref::<ArrayBuffer>() {
        return String::from_utf8_lossy(&Uint8Array::new(bytes).to_vec()).into_owned();
    }
    JSON::stringify(body).map_or_else(|_| format!("{body:?}"), String::from)
}

/// Doubles from two seconds to an hour, plus up to a quarter by `jitter`, so that messages that
/// failed together are not retried together.
fn delay_secs(attempts: u32, jitter: u32) -> u32 {
    let exponential = 1_u32
        .checked_shl(attempts.min(31))
        .unwrap_or(MAX_DELAY_SECS);
    spread(exponential, jitter)
}

/// Limits the seconds to what a queue accepts, and adds up to a quarter by `jitter`.
fn spread(secs: u32, jitter: u32) -> u32 {
    let secs = secs.clamp(MIN_DELAY_SECS, MAX_DELAY_SECS);
    let quarter = secs.saturating_div(4).saturating_add(1);
    secs.saturating_add(jitter.checked_rem(quarter).unwrap_or(0))
        .min(MAX_DELAY_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_database_the_retries_of_a_message_outlast_ten_hours() {
        let mut age = 0;
        for _ in 0..RETRIES {
            age += spread(age, 0);
        }
        assert!(age >= 60 * 60, "its queue gives up after {age} s");
        assert!(age + DEAD_RETRIES * BROKEN_RETRY_SECS >= 10 * 60 * 60);
    }

    /// As in `wrangler.toml`; `tests/architecture` checks that they agree.
    const RETRIES: u32 = 12;
    const DEAD_RETRIES: u32 = 100;

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
