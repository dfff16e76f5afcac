//! Calls to Stripe's API: form-encoded, in a pinned version, with a timeout. Every response is
//! classified by what it tells about the outcome (docs.stripe.com/error-low-level).

use crate::store::payments::stripe::account::Stripe;
use crate::store::payments::stripe::patience::{Hints, TIMEOUT, pause_before_retry};
use crate::store::platform::http::{self, NoAnswer, Outgoing};
use crate::store::platform::url::form_urlencoded::Serializer;
use crate::store::platform::{console, pause};
use durable::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shop::payments::{Page, PaymentError};
use std::time::Duration;

/// Version of Stripe's API in which requests are sent and responses are read.
const STRIPE_VERSION: &str = "2026-10-28.endive";

/// Number of items on a page of a list: Stripe's maximum.
const PAGE_SIZE: &str = "100";

impl Stripe {
    /// Sends a POST; `body` is form-encoded.
    pub(super) async fn post(
        &self,
        path: &str,
        idempotency_key: &str,
        body: &str,
    ) -> Result<Value, PaymentError> {
        self.call(path, Some((idempotency_key, body))).await
    }

    /// Fetches one object by ID.
    pub(super) async fn get_one(&self, path: &str, id: &str) -> Result<Value, PaymentError> {
        self.get(&format!("{path}/{}", checked_id(id)?)).await
    }

    /// Sends a GET.
    pub(super) async fn get(&self, path_and_query: &str) -> Result<Value, PaymentError> {
        self.call(path_and_query, None).await
    }

    /// Fetches all objects of a short list.
    pub(super) async fn list(
        &self,
        path: &str,
        filters: &[(&str, &str)],
    ) -> Result<Vec<Value>, PaymentError> {
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(path, filters, after.as_deref()).await?;
            listed.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(listed);
            }
        }
    }

    /// Fetches one page of a list, newest first: the objects that follow `after`.
    pub(super) async fn page(
        &self,
        path: &str,
        filters: &[(&str, &str)],
        after: Option<&str>,
    ) -> Result<Page<Value>, PaymentError> {
        self.count_page(path)?;
        let mut query = Serializer::new(String::new());
        query.append_pair("limit", PAGE_SIZE).extend_pairs(filters);
        if let Some(after) = after {
            query.append_pair("starting_after", after);
        }
        let path = format!("{path}?{}", query.finish());
        read_as::<List>(self.get(&path).await?).map(List::into_page)
    }

    fn count_page(&self, path: &str) -> Result<(), PaymentError> {
        let left = self.pages_left.get().checked_sub(1).ok_or_else(|| {
            PaymentError::TooMuch(format!("more of {path} than one run may read"))
        })?;
        self.pages_left.set(left);
        Ok(())
    }

    async fn call(&self, path: &str, post: Option<(&str, &str)>) -> Result<Value, PaymentError> {
        let url = format!("{}/v1/{path}", self.config.api_base);
        let authorization = format!("Bearer {}", self.config.secret_key);
        let mut request = Outgoing {
            url: &url,
            headers: vec![
                ("Authorization", &authorization),
                ("Stripe-Version", STRIPE_VERSION),
            ],
            ..Outgoing::default()
        };
        if let Some((key, body)) = post {
            request.headers.extend([
                ("Idempotency-Key", key),
                ("Content-Type", "application/x-www-form-urlencoded"),
            ]);
            request.body = Some(body);
        }
        self.send(&request).await
    }

    /// Sends a request. While Stripe rejects it for lack of capacity, sends the same request again
    /// under the same key.
    async fn send(&self, request: &Outgoing<'_>) -> Result<Value, PaymentError> {
        let begun = (self.clock)();
        let mut retries = 0_u32;
        loop {
            let time = time_left(begun, (self.clock)());
            let answer = http::send(request, time, Answer::of)
                .await
                .map_err(unknown)?;
            let left = time_left(begun, (self.clock)());
            let pause = pause_before_retry(answer.hints(), retries, left, (self.entropy)());
            let Some(pause) = pause.filter(|_| self.patience.take()) else {
                return read_answer(answer.status, &answer.body);
            };
            retries = retries.saturating_add(1);
            pause::wait_for(pause).await;
        }
    }
}

struct Answer {
    status: u16,
    body: String,
    retry_after: Option<String>,
    should_retry: Option<String>,
}

impl Answer {
    async fn of(answer: http::Answer) -> Result<Self, NoAnswer> {
        Ok(Self {
            status: answer.status(),
            retry_after: answer.header("Retry-After"),
            should_retry: answer.header("Stripe-Should-Retry"),
            body: answer.text().await?,
        })
    }

    fn hints(&self) -> Hints<'_> {
        Hints {
            status: self.status,
            retry_after: self.retry_after.as_deref(),
            should_retry: self.should_retry.as_deref(),
        }
    }
}

fn time_left(begun: Timestamp, now: Timestamp) -> Duration {
    let spent = now.as_millis().saturating_sub(begun.as_millis());
    TIMEOUT.saturating_sub(Duration::from_millis(u64::try_from(spent).unwrap_or(0)))
}

/// Reads a Stripe object as a type that names the fields the shop needs.
pub(super) fn read_as<T: DeserializeOwned>(object: Value) -> Result<T, PaymentError> {
    durable::json::read_value(object)
        .map_err(|error| PaymentError::Unknown(format!("the answer does not read: {error}")))
}

/// Checks an ID for use in a path: letters, digits and underscores only.
pub(super) fn checked_id(id: &str) -> Result<&str, PaymentError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !id.is_empty() && id.bytes().all(fits) {
        return Ok(id);
    }
    Err(PaymentError::Refused("no id of the provider's".to_owned()))
}

/// Classifies a response by what it tells about the outcome:
/// - 409 (a request with the same key is in progress) and any 5xx leave it unknown, as does a key
///   that was used for a different request: something exists under it.
/// - 429 means that nothing was begun.
/// - A rejected `expires_at` means that the request came too late. A session opened earlier under
///   the same key would have been returned again
///   (<https://docs.stripe.com/api/idempotent_requests>).
/// - 401 and 403 mean that the shop's key is wrong, which is not the order's fault.
/// - Any other 4xx is a refusal.
fn read_answer(status: u16, body: &str) -> Result<Value, PaymentError> {
    let error = match status {
        200..=299 => return durable::json::read(body).map_err(unknown),
        _ => ErrorBody::of(body),
    };
    let message = format!("status {status} {}", error.code());
    if status < 500 {
        let line = serde_json::json!({"level": "warn", "event": "payment_provider_refused", "status": status, "code": error.code()});
        console::warn(&line);
    }
    Err(match status {
        401 | 403 => PaymentError::Misconfigured(message),
        429 => PaymentError::NoRoom(message),
        409 | 500.. => PaymentError::Unknown(format!("status {status}")),
        _ if error.r#type == "idempotency_error" => PaymentError::Unknown(message),
        400 if error.param.as_deref() == Some("expires_at") => PaymentError::TooLate(message),
        _ => PaymentError::Refused(message),
    })
}

fn unknown(error: impl std::fmt::Display) -> PaymentError {
    PaymentError::Unknown(error.to_string())
}

fn id_of(object: &Value) -> Option<&str> {
    object.get("id").and_then(Value::as_str)
}

#[derive(Deserialize)]
struct List {
    data: Vec<Value>,
    has_more: bool,
}

impl List {
    fn into_page(self) -> Page<Value> {
        let last = self.data.last().filter(|_| self.has_more).and_then(id_of);
        Page {
            next: last.map(str::to_owned),
            items: self.data,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    r#type: String,
    code: Option<String>,
    param: Option<String>,
}

impl ErrorBody {
    fn of(body: &str) -> Self {
        let answer: Option<Value> = durable::json::read(body).ok();
        answer
            .and_then(|mut answer| answer.get_mut("error").map(Value::take))
            .and_then(|error| durable::json::read_value(error).ok())
            .unwrap_or_default()
    }

    fn code(&self) -> &str {
        self.code.as_deref().unwrap_or(&self.r#type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(status: u16, body: &str) -> &'static str {
        match read_answer(status, body) {
            Ok(_) => "done",
            Err(PaymentError::Refused(_)) => "refused",
            Err(PaymentError::TooLate(_)) => "too late",
            Err(PaymentError::Unavailable(_)) => "unavailable",
            Err(PaymentError::NoRoom(_)) => "no room",
            Err(PaymentError::Misconfigured(_)) => "misconfigured",
            Err(PaymentError::Unknown(_)) => "unknown",
            Err(PaymentError::TooMuch(_)) => "too much",
        }
    }

    #[test]
    fn an_answer_is_a_refusal_only_when_it_is_one() {
        let reused = r#"{"error":{"type":"idempotency_error","message":"Keys …"}}"#;
        for (status, body, meaning) in [
            (200, "{}", "done"),
            (200, "{", "unknown"),
            (
                400,
                r#"{"error":{"type":"invalid_request_error","code":"amount_too_small"}}"#,
                "refused",
            ),
            (400, reused, "unknown"),
            (
                400,
                r#"{"error":{"type":"invalid_request_error","param":"expires_at"}}"#,
                "too late",
            ),
            (401, "", "misconfigured"),
            (402, r#"{"error":{"type":"card_error"}}"#, "refused"),
            (403, "{}", "misconfigured"),
            (404, "[]", "refused"),
            (409, "", "unknown"),
            (429, "", "no room"),
            (
                429,
                r#"{"error":{"type":"invalid_request_error","code":"lock_timeout"}}"#,
                "no room",
            ),
            (500, "", "unknown"),
            (503, "<html>", "unknown"),
        ] {
            assert_eq!(sorted(status, body), meaning, "{status} {body}");
        }
    }

    #[test]
    fn only_ids_go_into_paths() {
        assert!(checked_id("cs_test_a1B2").is_ok());
        for id in ["", "../account", "a/b", "cs_1?x", "cs é"] {
            assert!(checked_id(id).is_err(), "{id}");
        }
    }
}
