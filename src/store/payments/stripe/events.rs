//! Events (docs.stripe.com/api/events). Only those parts of an event's object are read that never
//! change: its kind, its ID and the order that a session names. Its current state is fetched in the
//! pinned API version, whatever version the event was written in.

use serde::{Deserialize, Deserializer};
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::payments::provider::ProviderId;
use shop::payments::{EventSubject, Named, WebhookEvent};
use shop::values::ids::OrderId;

/// Reads an event of the shop's own account and mode.
pub fn read(body: &[u8], live: bool) -> Result<WebhookEvent> {
    let payload =
        std::str::from_utf8(body).map_err(|_| malformed("The event is not valid UTF-8."))?;
    let event: Envelope =
        durable::json::read(payload).map_err(|_| malformed("The body is not a valid event."))?;
    if event.id.is_empty() || event.id.len() > MAX_ID_BYTES || event.r#type.is_empty() {
        return Err(malformed("The event has no id or type."));
    }
    if event.livemode != live {
        return Err(refused(
            Code::WrongMode,
            "The event is of a different mode (live or test) than the shop's key.",
        ));
    }
    if event.account.is_some() {
        return Err(refused(
            Code::WrongAccount,
            "The event belongs to another account.",
        ));
    }
    Ok(WebhookEvent {
        provider: ProviderId::Stripe,
        id: event.id,
        kind: event.r#type,
        payload: payload.to_owned(),
    })
}

/// Returns the subject of a stored event.
pub fn notice_of(payload: &str) -> Result<EventSubject> {
    let event: Envelope = durable::json::read(payload)
        .map_err(|error| Error::internal(format!("stored event: {error}")))?;
    let about = event.data.object;
    let id = about.id.unwrap_or_default();
    Ok(match about.object.as_deref() {
        Some("checkout.session") => EventSubject::Session {
            id,
            named: match about.client_reference_id {
                Some(Some(reference)) => Named::Reference(OrderId::new(reference)),
                Some(None) => Named::Nothing,
                None => Named::Unsaid,
            },
        },
        Some("payment_intent") if !BEGINNINGS.contains(&event.r#type.as_str()) => {
            EventSubject::Payment(id)
        }
        Some("refund") => EventSubject::Refund(id),
        Some("dispute") => EventSubject::Dispute(id),
        _ => EventSubject::Other,
    })
}

/// Returns 400 `invalid_signature`.
pub fn invalid_signature(detail: &str) -> Error {
    refused(Code::InvalidSignature, detail)
}

/// Events that report that a shopper has begun to pay, which changes nothing.
const BEGINNINGS: [&str; 3] = [
    "payment_intent.created",
    "payment_intent.processing",
    "payment_intent.requires_action",
];

/// Maximum length of Stripe's IDs.
const MAX_ID_BYTES: usize = 255;

fn malformed(detail: &str) -> Error {
    refused(Code::MalformedEvent, detail)
}

fn refused(code: Code, detail: &str) -> Error {
    Error::malformed(code, detail)
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    r#type: String,
    livemode: bool,
    /// Set on events of accounts that are connected to the shop's.
    #[serde(default)]
    account: Option<String>,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: About,
}

#[derive(Deserialize)]
struct About {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    object: Option<String>,
    /// `None` means that the field is absent.
    #[serde(default, deserialize_with = "present")]
    client_reference_id: Option<Option<String>>,
}

fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(field).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn code(body: &str) -> &'static str {
        match read(body.as_bytes(), false) {
            Ok(_) => "accepted",
            Err(error) => error.code().as_str(),
        }
    }

    #[test]
    fn only_events_of_this_account_and_mode_are_taken() {
        let event =
            json!({"id": "evt_1", "type": "x.y", "livemode": false, "data": {"object": {}}});
        let with = |name: &str, value: serde_json::Value| {
            let mut event = event.clone();
            event[name] = value;
            event.to_string()
        };
        assert_eq!(code(&event.to_string()), "accepted");
        assert_eq!(code(&with("account", json!(null))), "accepted");
        assert_eq!(code(&with("account", json!("acct_2"))), "wrong_account");
        assert_eq!(code(&with("livemode", json!(true))), "wrong_mode");
        assert_eq!(code(&with("livemode", json!("false"))), "malformed_event");
        assert_eq!(code(&with("id", json!(""))), "malformed_event");
        assert_eq!(code(&with("data", json!(null))), "malformed_event");
        for body in ["", "null", "[]", "{}", "not json", "{\"id\":\"evt_1\""] {
            assert_eq!(code(body), "malformed_event", "{body}");
        }
        assert_eq!(
            read(&[0xff, 0xfe], false).unwrap_err().code(),
            Code::MalformedEvent
        );
    }

    #[test]
    fn an_event_is_about_its_object_whatever_its_type() {
        let about = |object: serde_json::Value| {
            notice_of(&json!({"id": "evt_1", "type": "new.type", "livemode": false, "data": {"object": object}}).to_string())
                .unwrap()
        };
        let session = |named| EventSubject::Session {
            id: "cs_1".into(),
            named,
        };
        let mut object = json!({"object": "checkout.session", "id": "cs_1"});
        assert_eq!(about(object.clone()), session(Named::Unsaid));
        object["client_reference_id"] = json!(null);
        assert_eq!(about(object.clone()), session(Named::Nothing));
        object["client_reference_id"] = json!("ord_1");
        assert_eq!(about(object), session(Named::Reference("ord_1".into())));
        assert_eq!(
            about(json!({"object": "refund", "id": "re_1"})),
            EventSubject::Refund("re_1".into())
        );
        assert_eq!(
            about(json!({"object": "dispute", "id": "du_1"})),
            EventSubject::Dispute("du_1".into())
        );
        assert_eq!(
            about(json!({"object": "payment_intent", "id": "pi_1"})),
            EventSubject::Payment("pi_1".into())
        );
        assert_eq!(
            about(json!({"object": "charge", "id": "ch_1"})),
            EventSubject::Other
        );
        assert_eq!(about(json!({})), EventSubject::Other);
    }

    proptest! {
        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..300), json in ".{0,200}") {
            let _ = (read(&body, false), read(json.as_bytes(), true), notice_of(&json));
        }
    }
}
