//! Progress of an order as shown to people: fulfillment and payment.

use serde::Serialize;

/// Progress of an order's goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FulfillmentStatus {
    /// Nothing has been shipped.
    Unfulfilled,
    /// Some units have been shipped.
    PartiallyFulfilled,
    /// Everything has been shipped.
    Fulfilled,
    /// Everything has been delivered.
    Delivered,
    /// Everything was shipped and has come back.
    Returned,
}

/// Progress of an order's payment, including refunds and lost disputes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderPaymentStatus {
    /// The payment session is being requested.
    Preparing,
    /// The order can be paid.
    Open,
    /// The shopper has paid, and the money is on its way.
    Processing,
    /// The money has been received.
    Paid,
    /// The payment failed or was never made.
    Failed,
    /// Part of the money has been refunded.
    PartiallyRefunded,
    /// All of the money has been refunded.
    Refunded,
    /// A dispute was lost.
    ChargedBack,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_of_the_api_stay_as_they_are() {
        for (status, name) in [
            (json!(FulfillmentStatus::Unfulfilled), "unfulfilled"),
            (
                json!(FulfillmentStatus::PartiallyFulfilled),
                "partially_fulfilled",
            ),
            (json!(OrderPaymentStatus::Open), "open"),
            (
                json!(OrderPaymentStatus::PartiallyRefunded),
                "partially_refunded",
            ),
            (json!(OrderPaymentStatus::ChargedBack), "charged_back"),
        ] {
            assert_eq!(status, name);
        }
    }
}
