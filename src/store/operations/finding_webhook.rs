//! [`FindingWebhook`] by the Standard Webhooks specification: a signed POST, answered by any 2xx
//! within ten seconds. Redirects are not followed: what is signed is for the address that the
//! merchant named.

use crate::store::operations::standard_webhooks::WebhookSecret;
use crate::store::platform::http::{Outgoing, send};
use durable::Timestamp;
use serde_json::{Value, json};
use shop::error::{Error, Result};
use shop::operations::finding_deliveries::{FindingWebhook, Notice, rfc3339};
use std::time::Duration;

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
        let body = body(notice).to_string();
        let signed = self
            .secret
            .headers(&notice.message_id(), &body, (self.clock)());
        let signed = signed.iter().map(|(name, value)| (*name, value.as_str()));
        let request = Outgoing {
            url: &self.url,
            headers: signed
                .chain([("Content-Type", "application/json")])
                .collect(),
            body: Some(&body),
            keeps_address: true,
        };
        let status = send(&request, TIMEOUT, async |answer| Ok(answer.status())).await;
        match status.map_err(failed)? {
            200..300 => Ok(()),
            status => Err(failed(format!("status {status}"))),
        }
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
