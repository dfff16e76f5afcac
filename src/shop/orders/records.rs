//! Records of an order: fulfillments and returns, and how their ids are derived.

use crate::values::ids::{OrderId, Sku, derived_id};
use crate::values::money::Money;
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// Units of one SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// Stock keeping unit.
    #[cfg_attr(feature = "testing", schema(value_type = String))]
    pub sku: Sku,
    /// Number of units; at least 1.
    pub quantity: u32,
}

/// Units shipped together in one parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfillment {
    /// Id, `ful_…`.
    pub id: String,
    /// Units shipped.
    pub lines: Vec<Units>,
    /// Carrier and tracking.
    #[serde(flatten)]
    pub tracking: Tracking,
    /// Time of shipping.
    pub shipped_at: Timestamp,
    /// Time of delivery. `None` means not yet delivered.
    pub delivered_at: Option<Timestamp>,
}

/// Carrier of a parcel, and its tracking details.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// Name of the carrier, such as `DHL`.
    #[serde(default)]
    pub carrier: Option<String>,
    /// The carrier's tracking number.
    #[serde(default)]
    pub tracking_number: Option<String>,
    /// URL of the carrier's tracking page.
    #[serde(default)]
    pub tracking_url: Option<String>,
}

/// Units returned together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// Id, `ret_…`.
    pub id: String,
    /// Units returned.
    pub lines: Vec<Units>,
    /// True if they go back on sale.
    pub restock: bool,
    /// Reason in a person's words.
    pub reason: Option<String>,
    /// Amount the shopper paid for them, including their share of shipping. Refunding it is a
    /// separate decision.
    pub worth: Money,
    /// Time of the return.
    pub returned_at: Timestamp,
}

/// Id of an order's record that the shop creates by itself for `reason`.
#[must_use]
pub fn record_id(prefix: &str, order_id: &OrderId, reason: &str) -> String {
    derived_id(prefix, &format!("{order_id}\0{reason}"))
}

/// Id of an order's record that staff create under the idempotency key `key`. It never equals an id
/// of [`record_id`] for the shop's own reasons, whatever the key.
#[must_use]
pub fn record_id_of_key(prefix: &str, order_id: &OrderId, key: &str) -> String {
    record_id(prefix, order_id, &format!("key:{key}"))
}
