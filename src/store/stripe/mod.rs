//! [`Payments`] by Stripe's hosted Checkout Sessions: no card data ever passes the shop.
//!
//! Every POST carries an Idempotency-Key that was stored, with its exact body, before the first call. A timeout or a 5xx is
//! *unknown*, not failed: the same key is sent again (docs.stripe.com/api/idempotent_requests).

mod signature;
mod wire;

use crate::error::{Error, Result};
use crate::shop::payments::{
    NewSession, Notice, PaymentError, Session, SessionState, WebhookEvent,
};
use crate::shop::ports::Payments;
use durable::Timestamp;
use futures_util::future::{Either, select};
use serde::Deserialize;
use serde_json::Value;
use std::pin::pin;
use std::time::Duration;
use worker::url::form_urlencoded::Serializer;
use worker::wasm_bindgen::JsValue;
use worker::{AbortController, Delay, Fetch, Headers, Method, Request, RequestInit, console_warn};

/// The version of Stripe's API that requests ask for and answers are read by.
const STRIPE_VERSION: &str = "2026-10-28.endive";

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How Stripe is reached, and how its deliveries are known.
#[derive(Clone)]
pub struct StripeConfig {
    /// `https://api.stripe.com`, or a sandbox.
    pub api_base: String,
    /// `sk_live_…` or `sk_test_…`.
    pub secret_key: String,
    /// `whsec_…`; two while one is being rolled.
    pub webhook_secrets: Vec<String>,
}

/// [`Payments`] on Stripe.
#[derive(Clone)]
pub struct Stripe(pub StripeConfig);

impl Payments for Stripe {
    fn prepare(&self, session: &NewSession) -> Result<String> {
        let mut form = Serializer::new(String::new());
        form.append_pair("mode", "payment")
            .append_pair("client_reference_id", &session.order_id)
            .append_pair("metadata[order_id]", &session.order_id)
            .append_pair("customer_email", &session.email)
            .append_pair("success_url", &session.success_url)
            .append_pair("cancel_url", &session.cancel_url)
            .append_pair("expires_at", &session.expires_at.as_secs().to_string());
        let currency = session.currency.code().to_lowercase();
        for (at, item) in session.items.iter().enumerate() {
            let amount = wire::to_wire(item.amount, session.currency)
                .ok_or_else(|| Error::internal(format!("{} has no form at Stripe", item.amount)))?;
            let price = format!("line_items[{at}][price_data]");
            form.append_pair(&format!("line_items[{at}][quantity]"), "1")
                .append_pair(&format!("{price}[currency]"), &currency)
                .append_pair(&format!("{price}[unit_amount]"), &amount.to_string())
                .append_pair(&format!("{price}[product_data][name]"), &item.name);
        }
        Ok(form.finish())
    }

    async fn open_session(
        &self,
        idempotency_key: &str,
        request: &str,
    ) -> Result<Session, PaymentError> {
        let answer = self
            .call(
                Method::Post,
                "/v1/checkout/sessions",
                Some((idempotency_key, request)),
            )
            .await?;
        read_session(&answer)
    }

    async fn session(&self, session_id: &str) -> Result<Session, PaymentError> {
        let path = format!("/v1/checkout/sessions/{session_id}");
        let answer = self.call(Method::Get, &path, None).await?;
        read_session(&answer)
    }

    /// 1. The signature holds for the raw bytes. 2. The body reads. 3. It is of the mode that the key is of.
    fn verify(&self, signature: Option<&str>, body: &[u8], now: Timestamp) -> Result<WebhookEvent> {
        signature::verify(signature, body, &self.0.webhook_secrets, now)
            .map_err(|detail| Error::malformed("invalid_signature", detail))?;
        let payload = String::from_utf8(body.to_vec())
            .map_err(|_| Error::malformed("malformed_event", "The event is not UTF-8."))?;
        let event: EventEnvelope = serde_json::from_str(&payload)
            .map_err(|_| Error::malformed("malformed_event", "The event does not read as one."))?;
        if event.livemode != self.0.secret_key.starts_with("sk_live_") {
            return Err(Error::malformed(
                "wrong_mode",
                "The event is of another mode than the shop's key.",
            ));
        }
        Ok(WebhookEvent {
            id: event.id,
            kind: event.r#type,
            payload,
        })
    }

    fn read_event(&self, payload: &str) -> Result<Notice> {
        let event: EventEnvelope = serde_json::from_str(payload)
            .map_err(|error| Error::internal(format!("stored event: {error}")))?;
        if !event.r#type.starts_with("checkout.session.") {
            return Ok(Notice::Other);
        }
        match event.data.object.get("id").and_then(Value::as_str) {
            Some(id) if is_session_id(id) => Ok(Notice::Session(id.to_owned())),
            _ => Err(Error::internal("a session event without a session id")),
        }
    }
}

impl Stripe {
    /// One call; `post` is the idempotency key and the form-encoded body.
    async fn call(
        &self,
        method: Method,
        path: &str,
        post: Option<(&str, &str)>,
    ) -> Result<Value, PaymentError> {
        let request = self
            .request(method, path, post)
            .map_err(|error| PaymentError::Unknown(error.to_string()))?;
        let abort = AbortController::default();
        let signal = abort.signal();
        let fetch = Fetch::Request(request);
        let outcome = match select(
            pin!(fetch.send_with_signal(&signal)),
            pin!(Delay::from(TIMEOUT)),
        )
        .await
        {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => {
                abort.abort();
                return Err(PaymentError::Unknown("no answer in time".to_owned()));
            }
        };
        let mut response = outcome.map_err(|error| PaymentError::Unknown(error.to_string()))?;
        let status = response.status_code();
        let body = response
            .text()
            .await
            .map_err(|error| PaymentError::Unknown(error.to_string()))?;
        read_answer(status, &body)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        post: Option<(&str, &str)>,
    ) -> worker::Result<Request> {
        let headers = Headers::new();
        headers.set("Authorization", &format!("Bearer {}", self.0.secret_key))?;
        headers.set("Stripe-Version", STRIPE_VERSION)?;
        let mut init = RequestInit::new();
        if let Some((key, body)) = post {
            headers.set("Idempotency-Key", key)?;
            headers.set("Content-Type", "application/x-www-form-urlencoded")?;
            init.with_body(Some(JsValue::from_str(body)));
        }
        init.with_method(method).with_headers(headers);
        Request::new_with_init(&format!("{}{path}", self.0.api_base), &init)
    }
}

/// 409 (a key in progress) and 429 say nothing of the outcome, nor does any 5xx
/// (docs.stripe.com/error-low-level#idempotency).
fn read_answer(status: u16, body: &str) -> Result<Value, PaymentError> {
    match status {
        200..=299 => serde_json::from_str(body)
            .map_err(|error| PaymentError::Unknown(format!("answer does not read: {error}"))),
        409 | 429 | 500.. => Err(PaymentError::Unknown(format!("status {status}"))),
        _ => {
            let code = serde_json::from_str::<Value>(body)
                .ok()
                .and_then(|answer| {
                    answer
                        .pointer("/error/code")
                        .and_then(Value::as_str)
                        .map(str::to_owned)
                })
                .unwrap_or_default();
            console_warn!(
                r#"{{"level":"warn","event":"stripe_refused","status":{status},"code":{code:?}}}"#
            );
            Err(PaymentError::Refused(format!("status {status} {code}")))
        }
    }
}

fn read_session(answer: &Value) -> Result<Session, PaymentError> {
    let session: SessionObject = SessionObject::deserialize(answer)
        .map_err(|error| PaymentError::Unknown(format!("session does not read: {error}")))?;
    let state = match (session.status.as_str(), session.payment_status.as_str()) {
        ("complete", "paid" | "no_payment_required") => SessionState::Paid,
        ("complete", _) => SessionState::Processing,
        ("expired", _) => SessionState::Expired,
        _ => SessionState::Open,
    };
    let currency = session.currency.to_uppercase();
    let amount = wire::from_wire(session.amount_total, &currency)
        .ok_or_else(|| PaymentError::Unknown("an amount in a currency of its own".to_owned()))?;
    Ok(Session {
        id: session.id,
        order_id: session.client_reference_id,
        url: session.url,
        state,
        amount,
        currency,
    })
}

/// What goes into a path: nothing but what ids are made of.
fn is_session_id(id: &str) -> bool {
    id.starts_with("cs_")
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[derive(Deserialize)]
struct EventEnvelope {
    id: String,
    r#type: String,
    livemode: bool,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: Value,
}

#[derive(Deserialize)]
struct SessionObject {
    id: String,
    client_reference_id: Option<String>,
    url: Option<String>,
    status: String,
    payment_status: String,
    amount_total: i64,
    currency: String,
}
