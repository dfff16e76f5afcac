//! Disputes (docs.stripe.com/api/disputes). The amount withdrawn is the sum of the dispute's
//! balance transactions, not the dispute's amount: an inquiry withdraws nothing, and a dispute that
//! was won returns the money.

use crate::store::payments::stripe::client::read_as;
use crate::store::payments::stripe::wire;
use serde::Deserialize;
use serde_json::Value;
use shop::payments::{DisputeState, PaymentError, ProviderDispute};

pub fn read(object: Value) -> Result<ProviderDispute, PaymentError> {
    let dispute: DisputeObject = read_as(object)?;
    let state = match dispute.status.as_str() {
        "lost" => DisputeState::Lost,
        "won" | "warning_closed" | "prevented" => DisputeState::Won,
        _ => DisputeState::Open,
    };
    let mut withdrawn: i64 = 0;
    let mut fee: i64 = 0;
    for moved in &dispute.balance_transactions {
        let currency = moved.currency.to_uppercase();
        withdrawn = withdrawn.saturating_sub(wire::read(moved.amount, &currency)?);
        fee = fee.saturating_add(wire::read(moved.fee, &currency)?);
    }
    Ok(ProviderDispute {
        id: dispute.id,
        payment_ref: dispute.payment_intent.unwrap_or_default(),
        amount: wire::read(dispute.amount, &dispute.currency.to_uppercase())?,
        state,
        refundable: dispute.is_charge_refundable,
        withdrawn,
        fee,
    })
}

#[derive(Deserialize)]
struct DisputeObject {
    id: String,
    payment_intent: Option<String>,
    amount: i64,
    currency: String,
    status: String,
    is_charge_refundable: bool,
    #[serde(default)]
    balance_transactions: Vec<Moved>,
}

#[derive(Deserialize)]
struct Moved {
    amount: i64,
    fee: i64,
    currency: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn dispute(status: &str, moved: &[(i64, i64)]) -> ProviderDispute {
        let moved: Vec<Value> = moved
            .iter()
            .map(|(amount, fee)| json!({"amount": amount, "fee": fee, "currency": "usd"}))
            .collect();
        read(json!({
            "id": "du_1", "payment_intent": "pi_1", "amount": 900, "currency": "usd", "status": status,
            "is_charge_refundable": false, "balance_transactions": moved,
        }))
        .unwrap()
    }

    #[test]
    fn what_was_taken_is_what_moved() {
        assert_eq!(dispute("warning_needs_response", &[]).withdrawn, 0);
        let open = dispute("needs_response", &[(-900, 1_500)]);
        assert_eq!(
            (open.withdrawn, open.fee, open.state),
            (900, 1_500, DisputeState::Open)
        );
        let won = dispute("won", &[(-900, 1_500), (900, 0)]);
        assert_eq!(
            (won.withdrawn, won.fee, won.state),
            (0, 1_500, DisputeState::Won)
        );
        assert_eq!(dispute("lost", &[(-900, 1_500)]).state, DisputeState::Lost);
    }
}
