//! Balance transactions (docs.stripe.com/reports/balance-transaction-types).

use crate::store::payments::stripe::client::read_as;
use crate::store::payments::stripe::wire;
use durable::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shop::payments::{BalanceEntry, BalanceKind, PaymentError};

pub fn read(object: Value) -> Result<BalanceEntry, PaymentError> {
    let entry: EntryObject = read_as(object)?;
    let category = entry.reporting_category.as_deref().unwrap_or_default();
    let kind = match (entry.r#type.as_str(), category) {
        ("charge" | "payment", _) => BalanceKind::Payment,
        ("refund" | "payment_refund", _) => BalanceKind::Refund,
        ("refund_failure" | "payment_failure_refund", _) => BalanceKind::RefundFailure,
        ("adjustment", "dispute" | "dispute_reversal") => BalanceKind::Dispute,
        _ => BalanceKind::Other,
    };
    let currency = entry.currency.to_uppercase();
    Ok(BalanceEntry {
        id: entry.id,
        payment_ref: entry
            .source
            .and_then(|source| source.payment_intent)
            .unwrap_or_default(),
        kind,
        amount: wire::read(entry.amount, &currency)?,
        fee: wire::read(entry.fee, &currency)?,
        currency,
        at: Timestamp::from_millis(entry.created.saturating_mul(1000)),
    })
}

#[derive(Deserialize)]
struct EntryObject {
    id: String,
    /// Expanded: a charge, a refund or a dispute.
    source: Option<Source>,
    created: i64,
    r#type: String,
    reporting_category: Option<String>,
    amount: i64,
    fee: i64,
    currency: String,
}

#[derive(Deserialize)]
struct Source {
    payment_intent: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entries_are_sorted_by_what_moved_them() {
        for (kind, category, expected) in [
            ("charge", "charge", BalanceKind::Payment),
            ("payment", "charge", BalanceKind::Payment),
            ("refund", "refund", BalanceKind::Refund),
            (
                "refund_failure",
                "refund_failure",
                BalanceKind::RefundFailure,
            ),
            ("adjustment", "dispute", BalanceKind::Dispute),
            ("adjustment", "network_cost", BalanceKind::Other),
            ("payout", "payout", BalanceKind::Other),
        ] {
            let entry = read(json!({
                "id": "txn_1", "source": {"id": "ch_1", "payment_intent": "pi_1"}, "created": 1_795_000_000, "type": kind, "reporting_category": category, "amount": -700, "fee": 30, "currency": "usd",
            }))
            .unwrap();
            assert_eq!((entry.kind, entry.payment_ref.as_str()), (expected, "pi_1"));
            assert_eq!(
                (entry.amount, entry.fee, entry.currency.as_str()),
                (-700, 30, "USD")
            );
        }
    }
}
