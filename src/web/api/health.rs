//! Liveness of the Worker, and readiness of each part of the shop.

use crate::web::http::call::Call;
use crate::web::http::log::log_failure;
use crate::web::http::reply::Reply;
use durable::Timestamp;
use serde_json::{Map, Value, json};
use shop::customers::permissions::Permission;
use shop::error::Result;
use shop::values::clock::Clock;
use std::cell::Cell;

/// `GET /healthz`: returns 200 while the Worker runs, without using any binding.
///
/// # Errors
/// Only those that every operation may return.
pub async fn live(_call: &mut Call<'_>) -> Result<Reply> {
    Reply::json(200, &json!({"status": "ok"}))
}

/// `GET /readyz`: returns 503 when a part of the shop does not answer; the log tells why. Staff get
/// the current state of each part. Everyone else gets the cached result of the isolate, so that
/// strangers can't keep the parts busy.
///
/// # Errors
/// Only those that every operation may return.
pub async fn ready(call: &mut Call<'_>) -> Result<Reply> {
    let is_staff = call.identity().may(Permission::ReadFindings);
    if !is_staff && let Some(ready) = known_word(call.app.now) {
        return word_of(ready);
    }
    let (ready, checks) = look(call).await;
    WORD.set(Some((call.app.clock(), ready)));
    if !is_staff {
        return word_of(ready);
    }
    let (status, word) = status_of(ready);
    Reply::json(status, &json!({"status": word, "checks": checks}))
}

thread_local! {
    /// Instant of the last check, and its result: true when all parts answered.
    static WORD: Cell<Option<(Timestamp, bool)>> = const { Cell::new(None) };
}

/// Seconds for which a good result is cached.
const READY_SECS: u32 = 10;

/// Seconds for which a bad result is cached.
const FAILED_SECS: u32 = 1;

/// Returns the cached result while it is fresh. Once it is too old, the first caller checks again,
/// and the others get the old result once more.
fn known_word(now: Timestamp) -> Option<bool> {
    let (at, ready) = WORD.get()?;
    let kept_secs = if ready { READY_SECS } else { FAILED_SECS };
    if now < at.plus_secs(kept_secs) {
        return Some(ready);
    }
    WORD.set(Some((now, ready)));
    None
}

fn word_of(ready: bool) -> Result<Reply> {
    let (status, word) = status_of(ready);
    Reply::json(status, &json!({"status": word}))
}

const fn status_of(ready: bool) -> (u16, &'static str) {
    if ready { (200, "ok") } else { (503, "failed") }
}

async fn look(call: &Call<'_>) -> (bool, Map<String, Value>) {
    let mut checks = Map::new();
    let mut ready = true;
    for (name, outcome) in call.app.readiness().await {
        let word = match outcome {
            Ok(()) => "ok",
            Err(error) => {
                log_failure("not_ready", name, &error);
                ready = false;
                "failed"
            }
        };
        checks.insert(name.to_owned(), Value::from(word));
    }
    (ready, checks)
}
