//! Records of an order: what left and what came back, and how their ids are made.

use crate::values::ids::derived_id;
use crate::values::money::Money;
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// Units of one SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// Stock keeping unit.
    pub sku: String,
    /// The number of units; at least 1.
    pub quantity: u32,
}

/// Units that left together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfillment {
    /// `ful_…`
    pub id: String,
    /// Units that left.
    pub lines: Vec<Units>,
    /// The carrier, and the way to follow it.
    #[serde(flatten)]
    pub tracking: Tracking,
    /// The instant at which it left.
    pub shipped_at: Timestamp,
    /// The instant at which it arrived. None means not yet.
    pub delivered_at: Option<Timestamp>,
}

/// The carrier of a parcel, and the way to follow it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// `DHL`
    #[serde(default)]
    pub carrier: Option<String>,
    /// The carrier's number.
    #[serde(default)]
    pub tracking_number: Option<String>,
    /// The carrier's page about it.
    #[serde(default)]
    pub tracking_url: Option<String>,
}

/// Units that came back together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// `ret_…`
    pub id: String,
    /// Units that came back.
    pub lines: Vec<Units>,
    /// True if they go back on sale.
    pub restock: bool,
    /// The reason, in a person's words.
    pub reason: Option<String>,
    /// The price that the shopper paid for them, shipping included in proportion; refunding it is a
    /// decision of its own.
    pub worth: Money,
    /// The instant at which they came back.
    pub returned_at: Timestamp,
}

/// The id of the record of an order that the shop itself makes for `reason`.
#[must_use]
pub fn record_id(prefix: &str, order_id: &str, reason: &str) -> String {
    derived_id(prefix, &format!("{order_id}\0{reason}"))
}

/// The id of the record of an order that staff make under `key`: never one of the shop's own,
/// whatever the key.
#[must_use]
pub fn record_id_of_key(prefix: &str, order_id: &str, key: &str) -> String {
    record_id(prefix, order_id, &format!("key:{key}"))
}
