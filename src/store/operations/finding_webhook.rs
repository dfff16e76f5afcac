//! [`FindingWebhook`] by the Standard Webhooks specification: a signed POST that any 2xx within ten
//! seconds acknowledges. Redirects are not followed, because the signed content is meant for the
//! address that the merchant entered.

use crate::store::operations::standard_webhooks::WebhookSecret;
use crate::store::platform::http::{Outgoing, send};
use durable::Timestamp;
use serde_json::{Value, json};
use shop::error::{Error, Result};
use shop::operations::finding_deliveries::{FindingWebhook, Notice, rfc3339};
use std::time::Duration;

/// Maximum wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Receiver of the merchant.
#[derive(Debug)]
pub struct Receiver {
    /// URL of the receiver.
    pub url: String,
    /// Secret shared with the receiver.
    pub secret: WebhookSecret,
    /// Current time. The time at which the event began is too early, because calls take long.
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
