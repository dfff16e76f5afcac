//! Whether the Worker lives, and whether each part of the shop answers.

use crate::web::http::call::Call;
use crate::web::http::log::log_failure;
use crate::web::http::reply::Reply;
use durable::Timestamp;
use serde_json::{Map, Value, json};
use shop::customers::permissions::Permission;
use shop::error::Result;
use shop::values::clock::Clock;
use std::cell::Cell;

/// `GET /healthz`: the Worker runs. Asks nothing of any binding.
///
/// # Errors
/// None of its own.
pub async fn live(_call: &mut Call<'_>) -> Result<Reply> {
    Reply::json(200, &json!({"status": "ok"}))
}

/// `GET /readyz`: 503 when a part does not answer; what is wrong stands in the log. Staff are told
/// of each part as it is now, everyone else the word that the isolate has, so that no stranger
/// keeps the parts busy.
///
/// # Errors
/// None of its own.
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
    /// When the parts were looked at, and whether all answered.
    static WORD: Cell<Option<(Timestamp, bool)>> = const { Cell::new(None) };
}

/// Seconds for which an isolate says that all is well.
const READY_SECS: u32 = 10;

/// Seconds for which it says that something is not.
const FAILED_SECS: u32 = 1;

/// The word, while it may be said. Of those who find that it is too old, the first looks again, and
/// the others are told it once more.
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
