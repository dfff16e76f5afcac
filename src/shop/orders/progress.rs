//! Progress of an order as people read it: of its goods, and of its money.

use serde::Serialize;

/// Progress of the goods of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FulfillmentStatus {
    /// Nothing has left.
    Unfulfilled,
    /// Some units have left.
    PartiallyFulfilled,
    /// Everything has left.
    Fulfilled,
    /// Everything has arrived.
    Delivered,
    /// Everything that left has come back.
    Returned,
}

/// Progress of the money of an order: its payment, less refunds and lost disputes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderPaymentStatus {
    /// The payment session is being asked for.
    Preparing,
    /// It can be paid.
    Open,
    /// The shopper has paid, and the money is on its way.
    Processing,
    /// The money has arrived.
    Paid,
    /// The payment came to nothing.
    Failed,
    /// A part has been refunded.
    PartiallyRefunded,
    /// Everything has been refunded.
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
