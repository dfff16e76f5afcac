//! Checkout Sessions (docs.stripe.com/api/checkout/sessions).

use crate::store::payments::stripe::client::read_as;
use crate::store::payments::stripe::wire;
use crate::store::platform::url::form_urlencoded::{self, Serializer};
use durable::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shop::error::{Error, Result};
use shop::payments::provider::ProviderId;
use shop::payments::{NewSession, Opener, PaymentError, Session, SessionItem, SessionState};
use shop::values::ids::OrderId;
use shop::values::mail_addresses::in_ascii;

/// Metadata that only the shop can write into a session. `client_reference_id` won't do: anyone who
/// opens a payment link of the account chooses it.
const ORDER_ID: &str = "metadata[order_id]";
const KEY: &str = "metadata[key]";

/// Returns the request that opens a session, with one line item per line, quantity 1 and the final
/// amount, so that Stripe's total can't differ from the order's.
pub fn prepare(session: &NewSession) -> Result<String> {
    let mut form = Serializer::new(String::new());
    form.append_pair("mode", "payment")
        .append_pair("client_reference_id", &session.order_id)
        .append_pair(ORDER_ID, &session.order_id)
        .append_pair(KEY, &session.key)
        .append_pair("success_url", &session.success_url)
        .append_pair("cancel_url", &session.cancel_url)
        .append_pair("expires_at", &session.expires_at.as_secs().to_string());
    // Stripe rejects a local part (before the @) in a non-Latin script. Without an address, the
    // payment page asks for one.
    let email = in_ascii(&session.email);
    if email.is_ascii() {
        form.append_pair("customer_email", &email);
    }
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

/// Returns a prepared request with another key and another expiry. Requests from before they
/// carried their key are given one.
pub fn renew(request: &str, key: &str, expires_at: Timestamp) -> String {
    let expires_at = expires_at.as_secs().to_string();
    let mut form = Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(request.as_bytes()) {
        match name.as_ref() {
            "expires_at" => form.append_pair(&name, &expires_at),
            ORDER_ID => form.append_pair(&name, &value).append_pair(KEY, key),
            KEY => &mut form,
            _ => form.append_pair(&name, &value),
        };
    }
    form.finish()
}

pub fn read(object: Value) -> Result<Session, PaymentError> {
    let session: SessionObject = read_as(object)?;
    let intent_status = session.payment_intent.as_ref().and_then(Intent::status);
    let state = match (session.status.as_str(), session.payment_status.as_str()) {
        ("complete", "paid" | "no_payment_required") => SessionState::Paid,
        ("complete", _) if matches!(intent_status, Some(FAILED | CANCELED)) => SessionState::Failed,
        ("complete", _) => SessionState::Processing,
        ("expired", _) => SessionState::Expired,
        ("open", _) => SessionState::Open,
        (other, _) => return Err(PaymentError::Unknown(format!("session status {other}"))),
    };
    let currency = session.currency.to_uppercase();
    let opener = session
        .metadata
        .opener(session.client_reference_id.as_ref());
    Ok(Session {
        id: session.id,
        provider: ProviderId::Stripe,
        opener,
        order_id: session.client_reference_id,
        payment_ref: session.payment_intent.map(Intent::into_id),
        url: session.url,
        state,
        amount: wire::read(session.amount_total, &currency)?,
        currency,
    })
}

/// Returns a session that was asked to expire; an error if it is still open.
pub fn ended(session: Session) -> Result<Session, PaymentError> {
    if session.state == SessionState::Open {
        return Err(PaymentError::Unknown(
            "the session is still open".to_owned(),
        ));
    }
    Ok(session)
}

/// Returns true when a listed session was opened with this key for this order, without reading the
/// rest of it. Sessions from before they carried their key are recognized by their order.
pub fn is_opened_with(object: &Value, order_id: &OrderId, key: &str) -> bool {
    let told = |name: &str| object.get(name).and_then(Value::as_str);
    let kept = |name: &str| object.get("metadata")?.get(name)?.as_str();
    told("client_reference_id") == Some(order_id.as_str())
        && kept("order_id") == Some(order_id.as_str())
        && kept("key").is_none_or(|kept| kept == key)
}

pub fn read_items(objects: Vec<Value>) -> Result<Vec<SessionItem>, PaymentError> {
    objects
        .into_iter()
        .map(|object| {
            let item: ItemObject = read_as(object)?;
            Ok(SessionItem {
                name: item.description.unwrap_or_default(),
                amount: wire::read(item.amount_total, &item.currency.to_uppercase())?,
            })
        })
        .collect()
}

#[derive(Deserialize)]
struct SessionObject {
    id: String,
    client_reference_id: Option<OrderId>,
    #[serde(default)]
    metadata: Metadata,
    payment_intent: Option<Intent>,
    url: Option<String>,
    status: String,
    payment_status: String,
    amount_total: i64,
    currency: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    order_id: Option<OrderId>,
    key: Option<String>,
}

impl Metadata {
    fn opener(self, order_id: Option<&OrderId>) -> Opener {
        if self.order_id.is_some() && self.order_id.as_ref() == order_id {
            return Opener::Shop { key: self.key };
        }
        Opener::Other
    }
}

/// Status that a payment intent returns to when a delayed payment has failed: a completed session
/// accepts no other payment.
const FAILED: &str = "requires_payment_method";
const CANCELED: &str = "canceled";

/// A payment intent, by its ID or expanded.
#[derive(Deserialize)]
#[serde(untagged)]
enum Intent {
    Id(String),
    Expanded { id: String, status: String },
}

impl Intent {
    fn status(&self) -> Option<&str> {
        match self {
            Self::Id(_) => None,
            Self::Expanded { status, .. } => Some(status),
        }
    }

    fn into_id(self) -> String {
        match self {
            Self::Id(id) | Self::Expanded { id, .. } => id,
        }
    }
}

#[derive(Deserialize)]
struct ItemObject {
    description: Option<String>,
    amount_total: i64,
    currency: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shop::values::money::Currency;

    fn object(status: &str, payment_status: &str, currency: &str) -> Value {
        json!({
            "id": "cs_1", "object": "checkout.session", "client_reference_id": "ord_1", "payment_intent": null, "url": null,
            "status": status, "payment_status": payment_status, "amount_total": 500_000, "currency": currency, "new_field": {},
        })
    }

    #[test]
    fn a_session_reads_by_its_status_and_currency() {
        for (status, payment_status, state) in [
            ("open", "unpaid", SessionState::Open),
            ("complete", "unpaid", SessionState::Processing),
            ("complete", "paid", SessionState::Paid),
            ("complete", "no_payment_required", SessionState::Paid),
            ("expired", "unpaid", SessionState::Expired),
        ] {
            assert_eq!(
                read(object(status, payment_status, "usd")).unwrap().state,
                state
            );
        }
        assert!(read(object("paused", "unpaid", "usd")).is_err());
        let krona = read(object("open", "unpaid", "isk")).unwrap();
        assert_eq!((krona.amount, krona.currency.as_str()), (5_000, "ISK"));
    }

    #[test]
    fn who_opened_a_session_is_told_by_what_no_visitor_writes() {
        let opened = |metadata: Value| {
            let mut object = object("open", "unpaid", "usd");
            object["metadata"] = metadata;
            let found = is_opened_with(&object, &"ord_1".into(), "pay_1");
            (found, read(object).unwrap().opener)
        };
        let by_shop = |key: Option<&str>| Opener::Shop {
            key: key.map(str::to_owned),
        };
        let shops = json!({"order_id": "ord_1", "key": "pay_1"});
        assert_eq!(opened(shops), (true, by_shop(Some("pay_1"))));
        let renewed = json!({"order_id": "ord_1", "key": "pay_1:2"});
        assert_eq!(opened(renewed), (false, by_shop(Some("pay_1:2"))));
        let before_keys = json!({"order_id": "ord_1"});
        assert_eq!(opened(before_keys), (true, by_shop(None)));
        for others in [json!({}), json!({"order_id": "ord_2", "key": "pay_1"})] {
            assert_eq!(opened(others), (false, Opener::Other));
        }
    }

    #[test]
    fn a_delayed_payment_fails_with_its_intent() {
        for (status, state) in [
            ("processing", SessionState::Processing),
            ("requires_payment_method", SessionState::Failed),
            ("canceled", SessionState::Failed),
        ] {
            let mut session = object("complete", "unpaid", "usd");
            session["payment_intent"] = json!({"id": "pi_1", "status": status});
            let session = read(session).unwrap();
            assert_eq!(
                (session.state, session.payment_ref.as_deref()),
                (state, Some("pi_1"))
            );
        }
        let mut open = object("open", "unpaid", "usd");
        open["payment_intent"] = json!({"id": "pi_1", "status": "requires_payment_method"});
        assert_eq!(read(open).unwrap().state, SessionState::Open);
    }

    #[test]
    fn a_request_is_the_same_each_time() {
        let session = NewSession {
            order_id: "ord_1".into(),
            key: "pay_1".into(),
            email: "a+b@shopper.test".into(),
            currency: Currency::from_code("UGX").unwrap(),
            items: vec![SessionItem {
                name: "Tee & co".into(),
                amount: 5_000,
            }],
            expires_at: Timestamp::from_millis(1_795_000_000_000),
            success_url: "https://shop.example/orders/ord_1?token=t".into(),
            cancel_url: "https://shop.example/c".into(),
        };
        let form = prepare(&session).unwrap();
        assert_eq!(form, prepare(&session).unwrap());
        let expires_at = session.expires_at.plus_secs(3600);
        let later = NewSession {
            key: "pay_1:2".into(),
            expires_at,
            ..session
        };
        let renewed = prepare(&later).unwrap();
        assert_eq!(renew(&form, "pay_1:2", expires_at), renewed);
        let before_keys = form.replace("&metadata%5Bkey%5D=pay_1", "");
        assert_ne!(form, before_keys);
        assert_eq!(renew(&before_keys, "pay_1:2", expires_at), renewed);
        assert!(form.contains("unit_amount%5D=500000&"), "{form}");
        assert!(form.contains("name%5D=Tee+%26+co"), "{form}");
        assert!(
            form.contains("customer_email=a%2Bb%40shopper.test"),
            "{form}"
        );
        let mut elsewhere = later;
        elsewhere.email = "ann@müller.test".into();
        let form = prepare(&elsewhere).unwrap();
        assert!(
            form.contains("customer_email=ann%40xn--mller-kva.test"),
            "{form}"
        );
        elsewhere.email = "änne@shopper.test".into();
        assert!(!prepare(&elsewhere).unwrap().contains("customer_email"));
    }
}
