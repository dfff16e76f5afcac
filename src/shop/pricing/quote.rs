//! What a quote is: its lines, sums and terms, as they are kept and as its order keeps them.
//!
//! A quote is immutable: what is quoted is ordered and charged. It says by which catalog and which
//! settings it was made, and of every number how it came about.

use crate::catalog::{Conversion, Price};
use crate::error::Result;
use crate::pricing::shipping::{DeliveryEstimate, PhoneRule};
use crate::pricing::tax::TaxPart;
use crate::values::addresses::Address;
use crate::values::channel::ChannelId;
use crate::values::languages::Translations;
use crate::values::money::{Currency, sum};
use crate::values::tax_class::standard;
use durable::Timestamp;
use durable::promotion::Limits;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a publish sells under a SKU, and at which price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Of the product.
    pub title: String,
    /// Of the variant; empty for the only one.
    pub variant_title: String,
    /// Name of the product in its URL.
    pub handle: String,
    /// False when units are not counted.
    pub tracked: bool,
    /// Price in each currency.
    pub prices: BTreeMap<String, Price>,
    /// Handles of the categories it is in, from the root down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Of one unit, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<u32>,
    /// How it is taxed.
    #[serde(default = "standard")]
    pub tax_class: String,
}

/// What a shopper wants priced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct QuoteRequest {
    /// ISO 4217.
    pub currency: String,
    /// Where it goes.
    pub shipping_address: Address,
    /// Who it is billed to, where that is another address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// Id of a way to ship.
    pub shipping_method: String,
    /// Where the confirmation goes.
    pub email: String,
    /// Promotion codes, in any case and with any spaces.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Of a business in the European Union.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<String>,
}

/// The price of a cart, kept as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// `quote_…`
    pub id: String,
    /// The cart it prices.
    pub cart_id: String,
    /// When it can no longer be ordered from.
    pub expires_at: Timestamp,
    /// The publish that its prices are from.
    pub catalog_seq: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// Where the confirmation goes.
    pub email: String,
    /// Where it goes.
    pub shipping_address: Address,
    /// Who it is billed to, where that is another address and the order names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// Id of the way to ship.
    pub shipping_method: String,
    /// A line per SKU.
    pub lines: Vec<QuoteLine>,
    /// What it adds up to.
    #[serde(flatten)]
    pub totals: Totals,
    /// What it came from.
    #[serde(default)]
    pub terms: Terms,
}

/// A line of a quote and, word for word, of its order. Amounts in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteLine {
    /// Stock keeping unit.
    pub sku: String,
    /// Units.
    pub quantity: u32,
    /// Of the product.
    pub title: String,
    /// Of the variant.
    pub variant_title: String,
    /// Whether its units are held.
    pub tracked: bool,
    /// Price of one unit.
    pub unit_price: i64,
    /// Unit price times quantity.
    pub line_total: i64,
    /// Taken off the line.
    pub discount: i64,
    /// On the line, less its discount; in it, where prices include tax.
    pub tax: i64,
    /// How these came about.
    #[serde(default)]
    pub detail: LineDetail,
}

/// How the numbers of a line came about. Amounts in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDetail {
    /// What the publish says one unit costs. A buyer who owes the tax itself pays the price without
    /// it.
    #[serde(default)]
    pub listed_price: i64,
    /// Whether that was converted from another currency.
    #[serde(default)]
    pub converted: bool,
    /// How, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<Conversion>,
    /// How it is taxed.
    #[serde(default)]
    pub tax_class: String,
    /// What each tax comes to.
    #[serde(default)]
    pub taxes: Vec<TaxPart>,
}

/// What a quote came from, beside its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// Channel that it was made in.
    #[serde(skip_serializing_if = "ChannelId::is_default")]
    pub channel: ChannelId,
    /// The version of the settings.
    pub settings_version: u64,
    /// The zone whose taxes hold.
    pub tax_zone: Option<String>,
    /// Of the business that buys, where it gave one.
    pub vat_number: Option<String>,
    /// Whether the buyer owes the tax itself.
    pub tax_exempt: bool,
    /// Whether it is taxed where it is picked up.
    pub taxed_at_pick_up: bool,
    /// How it is shipped.
    pub shipping: QuoteShipping,
    /// What took something off, and what was asked for and did not.
    pub promotions: Vec<QuotePromotion>,
}

/// How a quote is shipped. Amounts in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuoteShipping {
    /// As shoppers read it.
    pub title: String,
    /// That in other languages.
    #[serde(skip_serializing_if = "Translations::is_empty")]
    pub translations: Translations,
    /// What it costs by itself.
    pub price: i64,
    /// What promotions took off that.
    pub discount: i64,
    /// What each tax comes to.
    pub taxes: Vec<TaxPart>,
    /// Whether the shopper comes for it.
    pub pick_up: bool,
    /// When it arrives, where that is known.
    pub delivery: Option<DeliveryEstimate>,
}

/// A way to ship a cart, at what it would cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingOffer {
    /// `standard`
    pub id: String,
    /// As shoppers read it.
    pub title: String,
    /// That in other languages.
    pub translations: Translations,
    /// In minor units, after promotions.
    pub price: i64,
    /// Whether the shopper comes for it.
    pub pick_up: bool,
    /// When it arrives, where that is known.
    pub delivery: Option<DeliveryEstimate>,
    /// Need of a phone number in the address.
    pub phone: PhoneRule,
}

impl Terms {
    /// Whether no tax is charged because the place is in no tax zone. Of orders from before there
    /// were zones that is not known.
    #[must_use]
    pub const fn is_in_no_tax_zone(&self) -> bool {
        self.settings_version > 0 && self.tax_zone.is_none()
    }

    /// What took something off the line at a place, and how much of it, in minor units.
    pub fn promotions_on(&self, line: usize) -> impl Iterator<Item = (&QuotePromotion, i64)> {
        self.promotions.iter().filter_map(move |promotion| {
            let share = promotion.shares.get(line).copied();
            Some((promotion, share.filter(|share| *share > 0)?))
        })
    }
}

impl QuoteLine {
    /// As a shopper reads it: `iPhone 17 Pro Max, Deep Blue / 256GB × 2`.
    #[must_use]
    pub fn name(&self) -> String {
        let variant = if self.variant_title.is_empty() {
            String::new()
        } else {
            format!(", {}", self.variant_title)
        };
        let quantity = if self.quantity == 1 {
            String::new()
        } else {
            format!(" × {}", self.quantity)
        };
        format!("{}{variant}{quantity}", self.title)
    }

    /// What it costs after its discount.
    #[must_use]
    pub const fn left(&self) -> i64 {
        self.line_total.saturating_sub(self.discount)
    }
}

/// Sums, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Of the lines.
    pub subtotal: i64,
    /// Taken off the lines.
    pub discount_total: i64,
    /// For shipping, after what was taken off it.
    pub shipping_total: i64,
    /// On goods and shipping.
    pub tax_total: i64,
    /// What is charged.
    pub total: i64,
    /// What of the tax is on shipping.
    #[serde(default)]
    pub shipping_tax: i64,
    /// Whether the tax is in the prices already, those of lines and shipping.
    #[serde(default)]
    pub tax_included: bool,
}

impl Totals {
    /// What a line comes to, with its tax.
    ///
    /// # Errors
    /// When amounts do not fit.
    pub fn charged(&self, line: &QuoteLine) -> Result<i64> {
        sum([line.left(), if self.tax_included { 0 } else { line.tax }])
    }
}

/// A promotion as a quote tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotePromotion {
    /// The one that is meant.
    pub id: String,
    /// As shoppers read it.
    pub title: String,
    /// The code that brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The discount on goods and shipping, in minor units.
    pub discount: i64,
    /// Of that, what it takes off each line, in the lines' order; none for one on shipping. Here
    /// and not with the lines, for it is most of a quote where many promotions meet many lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<i64>,
    /// True if others may take something off beside it.
    pub stacks: bool,
    /// The reason why it takes nothing off, though its code was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_over: Option<Reason>,
    /// The limits of its uses. None means that there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// True if only an order with it tells whether it is for this customer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checked_at_order: bool,
}

/// The reason why a promotion takes nothing off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum Reason {
    /// It has not begun.
    NotStarted,
    /// It is over.
    Ended,
    /// It has been used as often as it can be.
    UsedUp,
    /// It is not offered in this currency.
    NotInCurrency,
    /// The goods it is about cost less than its minimum.
    BelowMinimum,
    /// The cart has not enough of the goods it is about.
    NoSuchGoods,
    /// It is for other ways to ship.
    OtherShipping,
    /// Another has taken something off, and the two do not stack.
    DoesNotStack {
        /// The other.
        with: String,
    },
    /// There is nothing left to take off.
    NothingLeft,
}

/// The lines and promotions of a quote, for which something is held.
pub type Held<'a> = (&'a [QuoteLine], &'a [QuotePromotion]);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn terms_name_their_channel_unless_it_is_the_one_that_every_shop_has() {
        let first = Terms::default();
        assert_eq!(json!(first).get("channel"), None);
        let second: Terms = serde_json::from_value(json!({ "channel": "outlet" })).unwrap();
        assert!(!second.channel.is_default());
        assert_eq!(json!(second)["channel"], "outlet");
    }
}
