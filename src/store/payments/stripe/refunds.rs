//! Refunds (docs.stripe.com/api/refunds). A refund made by the shop carries its ID in the metadata;
//! one without was made in Stripe's dashboard.

use crate::store::payments::stripe::client::read_as;
use crate::store::payments::stripe::wire;
use crate::store::platform::url::form_urlencoded::Serializer;
use serde::Deserialize;
use serde_json::Value;
use shop::error::{Error, Result};
use shop::payments::{NewRefund, PaymentError, ProviderRefund, RefundState};

pub fn prepare(refund: &NewRefund) -> Result<String> {
    let amount = wire::to_wire(refund.amount, refund.currency)
        .ok_or_else(|| Error::internal(format!("{} has no form at Stripe", refund.amount)))?;
    Ok(Serializer::new(String::new())
        .append_pair("payment_intent", &refund.payment_ref)
        .append_pair("amount", &amount.to_string())
        .append_pair("reason", "requested_by_customer")
        .append_pair("metadata[refund_id]", &refund.refund_id)
        .finish())
}

pub fn read(object: Value) -> Result<ProviderRefund, PaymentError> {
    let refund: RefundObject = read_as(object)?;
    let state = match refund.status.as_deref() {
        Some("succeeded") => RefundState::Succeeded,
        Some("failed" | "canceled") => RefundState::Failed,
        _ => RefundState::Pending,
    };
    Ok(ProviderRefund {
        id: refund.id,
        refund_id: refund.metadata.and_then(|metadata| metadata.refund_id),
        payment_ref: refund.payment_intent.unwrap_or_default(),
        amount: wire::read(refund.amount, &refund.currency.to_uppercase())?,
        state,
    })
}

#[derive(Deserialize)]
struct RefundObject {
    id: String,
    payment_intent: Option<String>,
    amount: i64,
    currency: String,
    status: Option<String>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    refund_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shop::values::money::Currency;

    #[test]
    fn a_refund_knows_who_made_it() {
        let object = |metadata: Value, status: &str| json!({"id": "re_3A", "payment_intent": "pi_1", "amount": 1_500, "currency": "usd", "status": status, "metadata": metadata});
        let ours = read(object(json!({"refund_id": "re_x"}), "pending")).unwrap();
        assert_eq!(
            (ours.refund_id.as_deref(), ours.state),
            (Some("re_x"), RefundState::Pending)
        );
        let theirs = read(object(json!({}), "succeeded")).unwrap();
        assert_eq!(
            (theirs.refund_id, theirs.state),
            (None, RefundState::Succeeded)
        );
        assert_eq!(
            read(object(json!({}), "canceled")).unwrap().state,
            RefundState::Failed
        );
        assert_eq!(
            read(object(json!({}), "requires_action")).unwrap().state,
            RefundState::Pending
        );
    }

    #[test]
    fn a_request_names_amount_and_refund() {
        let refund = NewRefund {
            refund_id: "re_x".into(),
            payment_ref: "pi_1".into(),
            amount: 1_500,
            currency: Currency::from_code("JPY").unwrap(),
        };
        assert_eq!(
            prepare(&refund).unwrap(),
            "payment_intent=pi_1&amount=1500&reason=requested_by_customer&metadata%5Brefund_id%5D=re_x"
        );
    }
}
