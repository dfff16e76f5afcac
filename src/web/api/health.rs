//! Whether the Worker lives, and whether each part of the shop answers.

use crate::error::Result;
use crate::web::call::Call;
use crate::web::log::log_failure;
use crate::web::reply::Reply;
use serde_json::{Map, Value, json};

/// `GET /healthz`: the Worker runs. Asks nothing of any binding.
///
/// # Errors
/// None of its own.
pub async fn live(_call: &mut Call<'_>) -> Result<Reply> {
    Reply::json(200, &json!({"status": "ok"}))
}

/// `GET /readyz`: each part by name; 503 when one does not answer. What is wrong stands in the log.
///
/// # Errors
/// None of its own.
pub async fn ready(call: &mut Call<'_>) -> Result<Reply> {
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
    let (status, word) = if ready { (200, "ok") } else { (503, "failed") };
    Reply::json(status, &json!({"status": word, "checks": checks}))
}
