//! Webhooks of the payment providers. The route only hands over the raw body and the headers.
//!
//! 1. Verify. Nothing is parsed, looked up or written before.
//! 2. Store the event, unless its kind changes nothing here: such an event is done.
//! 3. Queue its ID. If the queue rejects it, the row exists, and the sweep sends it.
//! 4. Answer.

use crate::web::http::call::Call;
use crate::web::http::log::log_failure;
use crate::web::http::reply::Reply;
use serde_json::json;
use shop::error::{Error, Result};
use shop::payments::inbox::Inbox;
use shop::payments::provider::ProviderId;
use shop::payments::{EventSubject, Payments, WebhookRequest};
use shop::settlement::events::delay_secs;
use shop::settlement::ports::SettlementPorts;

/// Maximum size in bytes of a webhook request: twice that of the largest events, and far below the
/// 2 MB that a row may hold.
const MAX_DELIVERY_BYTES: usize = 512 * 1024;

/// `POST /webhooks/{provider}`: accepts an event of a payment provider.
///
/// # Errors
/// 404 for a provider that the shop does not know, before anything is read; 400
/// `invalid_signature`, `malformed_event`, `wrong_mode`, `wrong_account`; 413; 503
/// `payments_not_configured`; 500 when the event was not stored, so that it is delivered again.
pub async fn receive(call: &mut Call<'_>) -> Result<Reply> {
    let app = call.app;
    let provider = ProviderId::named(call.param(0)).ok_or(Error::NotFound("payment provider"))?;
    app.config.check_provider(provider)?;
    let body = call.bytes(MAX_DELIVERY_BYTES).await?;
    let header = |name: &str| call.header(name);
    let delivery = WebhookRequest {
        header: &header,
        body: &body,
    };
    let payments = app.payments(provider)?;
    let event = payments.verify(&delivery, app.now)?;
    let notice = payments.read_event(&event.payload);
    if matches!(notice, Ok(EventSubject::Other)) {
        return received();
    }
    app.inbox().receive(&event, app.now).await?;
    let delay_secs = notice.map_or(0, |notice| delay_secs(&notice));
    let key = event.key();
    if let Err(error) = app.inbox().enqueue(&key, delay_secs).await {
        log_failure("event_not_queued", &key, &error);
    }
    received()
}

fn received() -> Result<Reply> {
    Reply::json(200, &json!({"received": true}))
}
