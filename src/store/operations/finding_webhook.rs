//! [`FindingWebhook`] by the Standard Webhooks specification: a signed POST, answered by any 2xx
//! within ten seconds. Redirects are not followed: what is signed is for the address that the
//! merchant named.

use crate::store::operations::standard_webhooks::WebhookSecret;
use durable::Timestamp;
use futures_util::future::{Either, select};
use serde_json::{Value, json};
use shop::error::{Error, Result};
use shop::operations::finding_deliveries::{FindingWebhook, Notice, rfc3339};
use std::pin::pin;
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::{
    AbortController, Delay, Fetch, Headers, Method, Request, RequestInit, RequestRedirect,
};

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The merchant's receiver.
#[derive(Debug)]
pub struct Receiver {
    /// Its address.
    pub url: String,
    /// The secret that it shares.
    pub secret: WebhookSecret,
    /// The time: calls take long, so that the event's beginning won't do.
    pub clock: fn() -> Timestamp,
}

impl FindingWebhook for Receiver {
    async fn post(&self, notice: &Notice) -> Result<()> {
        let request = self.request(notice).map_err(failed)?;
        let abort = AbortController::default();
        let signal = abort.signal();
        let fetch = Fetch::Request(request);
        let answer = pin!(fetch.send_with_signal(&signal));
        match select(answer, pin!(Delay::from(TIMEOUT))).await {
            Either::Left((Ok(answer), _)) if (200..300).contains(&answer.status_code()) => Ok(()),
            Either::Left((Ok(answer), _)) => {
                Err(failed(format!("status {}", answer.status_code())))
            }
            Either::Left((Err(error), _)) => Err(failed(error)),
            Either::Right(_) => {
                abort.abort();
                Err(failed("no answer in time"))
            }
        }
    }
}

impl Receiver {
    fn request(&self, notice: &Notice) -> worker::Result<Request> {
        let body = body(notice).to_string();
        let headers = Headers::new();
        headers.set("Content-Type", "application/json")?;
        for (name, value) in self
            .secret
            .headers(&notice.message_id(), &body, (self.clock)())
        {
            headers.set(name, &value)?;
        }
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_headers(headers)
            .with_redirect(RequestRedirect::Manual)
            .with_body(Some(JsValue::from_str(&body)));
        Request::new_with_init(&self.url, &init)
    }
}

fn body(notice: &Notice) -> Value {
    let found_at = rfc3339(notice.found_at);
    json!({
        "type": "finding.created",
        "timestamp": found_at,
        "data": {
            "id": notice.message_id(),
            "kind": notice.kind,
            "subject": notice.subject,
            "order_number": notice.order_number.map(|number| number.to_string()),
            "found_at": found_at,
        },
    })
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("webhook of findings: {error}"))
}
