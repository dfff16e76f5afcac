//! Quote: lines, totals and terms, as stored, and as the order copies them.
//!
//! A quote is immutable: the shopper orders and pays exactly what was quoted. It names the catalog
//! version and the settings version behind it, and for each number how it was calculated.

use crate::catalog::{Conversion, Price};
use crate::error::Result;
use crate::pricing::shipping::{DeliveryEstimate, PhoneRule};
use crate::pricing::tax::TaxPart;
use crate::values::addresses::Address;
use crate::values::channel::ChannelId;
use crate::values::ids::{CartId, QuoteId, Sku};
use crate::values::languages::Translations;
use crate::values::money::{Currency, sum};
use crate::values::tax_class::standard;
use durable::Timestamp;
use durable::promotion::Limits;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A published offer of one SKU, with its prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Title of the product.
    pub title: String,
    /// Title of the variant; empty for a product's only variant.
    pub variant_title: String,
    /// Handle of the product, used in its URL.
    pub handle: String,
    /// False if its stock is not counted.
    pub tracked: bool,
    /// Price in each currency, by ISO 4217 code.
    pub prices: BTreeMap<String, Price>,
    /// Handles of the product's categories, from the root down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Weight of one unit. `None` means unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<u32>,
    /// Tax class.
    #[serde(default = "standard")]
    pub tax_class: String,
}

/// Request to price a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct QuoteRequest {
    /// ISO 4217.
    pub currency: String,
    /// Shipping address.
    pub shipping_address: Address,
    /// Billing address. `None` means the shipping address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// Id of the shipping method.
    pub shipping_method: String,
    /// Customer's email address.
    pub email: String,
    /// Promotion codes; case and spaces do not matter.
    #[serde(default)]
    pub codes: Vec<String>,
    /// VAT number of a business in the European Union.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<String>,
}

/// Price of a cart, stored as it was given to the shopper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Id, `quote_…`.
    pub id: QuoteId,
    /// Cart that the quote prices.
    pub cart_id: CartId,
    /// Time from which it can no longer be ordered from.
    pub expires_at: Timestamp,
    /// Sequence number of the publish that the prices are from.
    pub catalog_seq: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// Customer's email address.
    pub email: String,
    /// Shipping address.
    pub shipping_address: Address,
    /// Billing address, unless the order names another. `None` means the shipping address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// Id of the shipping method.
    pub shipping_method: String,
    /// One line per SKU.
    pub lines: Vec<QuoteLine>,
    /// Totals.
    #[serde(flatten)]
    pub totals: Totals,
    /// Settings version, taxes, shipping and promotions behind the numbers.
    #[serde(default)]
    pub terms: Terms,
}

/// Line of a quote, copied unchanged into the order. Amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteLine {
    /// Stock keeping unit.
    pub sku: Sku,
    /// Number of units.
    pub quantity: u32,
    /// Title of the product.
    pub title: String,
    /// Title of the variant.
    pub variant_title: String,
    /// True if stock is held for it.
    pub tracked: bool,
    /// Price of one unit.
    pub unit_price: i64,
    /// Unit price times quantity.
    pub line_total: i64,
    /// Discount on the line.
    pub discount: i64,
    /// Tax on the discounted line; included in the price where prices include tax.
    pub tax: i64,
    /// Details of how the amounts were calculated.
    #[serde(default)]
    pub detail: LineDetail,
}

/// Details of how the amounts of a line were calculated. Amounts are in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDetail {
    /// Published price of one unit. A buyer who accounts for the tax itself pays this price less
    /// the tax.
    #[serde(default)]
    pub listed_price: i64,
    /// True if that price was converted from another currency.
    #[serde(default)]
    pub converted: bool,
    /// Conversion of the price. `None` means it was not converted, or the details are unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<Conversion>,
    /// Tax class.
    #[serde(default)]
    pub tax_class: String,
    /// Amount of each tax.
    #[serde(default)]
    pub taxes: Vec<TaxPart>,
}

/// Terms of a quote: settings, tax, shipping and promotions behind its numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// Channel that the quote was made in.
    #[serde(skip_serializing_if = "ChannelId::is_default")]
    pub channel: ChannelId,
    /// Version of the settings.
    pub settings_version: u64,
    /// Id of the tax zone that applies. `None` means the place is in no tax zone.
    pub tax_zone: Option<String>,
    /// VAT number of the buying business. `None` means none was given.
    pub vat_number: Option<String>,
    /// True if the buyer accounts for the tax itself (reverse charge).
    pub tax_exempt: bool,
    /// True if it is taxed at the place of pickup rather than at the shipping address.
    pub taxed_at_pick_up: bool,
    /// Shipping method and its price.
    pub shipping: QuoteShipping,
    /// Promotions that applied, and those whose code was entered but which did not apply.
    pub promotions: Vec<QuotePromotion>,
}

/// Shipping of a quote. Amounts are in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuoteShipping {
    /// Title of the method, shown to shoppers.
    pub title: String,
    /// Title in other languages.
    #[serde(skip_serializing_if = "Translations::is_empty")]
    pub translations: Translations,
    /// Price before discounts.
    pub price: i64,
    /// Discount by promotions.
    pub discount: i64,
    /// Amount of each tax.
    pub taxes: Vec<TaxPart>,
    /// True if the shopper picks up the goods.
    pub pick_up: bool,
    /// Estimated arrival. `None` means unknown.
    pub delivery: Option<DeliveryEstimate>,
}

/// A shipping method available for a cart, with its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingOffer {
    /// Id of the method, such as `standard`.
    pub id: String,
    /// Title shown to shoppers.
    pub title: String,
    /// Title in other languages.
    pub translations: Translations,
    /// Price after promotions, in minor units.
    pub price: i64,
    /// True if the shopper picks up the goods.
    pub pick_up: bool,
    /// Estimated arrival. `None` means unknown.
    pub delivery: Option<DeliveryEstimate>,
    /// Rule for the phone number in the shipping address.
    pub phone: PhoneRule,
}

impl Terms {
    /// True if no tax is charged because the place is in no tax zone. False for orders older than
    /// tax zones, where this is unknown.
    #[must_use]
    pub const fn is_in_no_tax_zone(&self) -> bool {
        self.settings_version > 0 && self.tax_zone.is_none()
    }

    /// Returns the promotions that reduced the line at index `line`, each with its share in minor
    /// units.
    pub fn promotions_on(&self, line: usize) -> impl Iterator<Item = (&QuotePromotion, i64)> {
        self.promotions.iter().filter_map(move |promotion| {
            let share = promotion.shares.get(line).copied();
            Some((promotion, share.filter(|share| *share > 0)?))
        })
    }
}

impl QuoteLine {
    /// Name shown to shoppers: `iPhone 17 Pro Max, Deep Blue / 256GB × 2`.
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

    /// Price of the line after its discount.
    #[must_use]
    pub const fn left(&self) -> i64 {
        self.line_total.saturating_sub(self.discount)
    }
}

/// Totals, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Sum of the lines before discounts.
    pub subtotal: i64,
    /// Sum of the discounts on lines.
    pub discount_total: i64,
    /// Shipping after its discount.
    pub shipping_total: i64,
    /// Tax on goods and shipping.
    pub tax_total: i64,
    /// Amount charged.
    pub total: i64,
    /// Part of the tax that is on shipping.
    #[serde(default)]
    pub shipping_tax: i64,
    /// True if line and shipping prices already include the tax.
    #[serde(default)]
    pub tax_included: bool,
}

impl Totals {
    /// Returns the amount charged for a line, including tax.
    ///
    /// # Errors
    /// Fails if an amount overflows.
    pub fn charged(&self, line: &QuoteLine) -> Result<i64> {
        sum([line.left(), if self.tax_included { 0 } else { line.tax }])
    }
}

/// A promotion as recorded in a quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotePromotion {
    /// Id of the promotion.
    pub id: String,
    /// Title shown to shoppers.
    pub title: String,
    /// Code that was entered for it. `None` means it applied automatically.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Discount on goods and shipping, in minor units.
    pub discount: i64,
    /// Part of the discount on each line, in the order of the lines; empty for a promotion on
    /// shipping. Stored here rather than on the lines, because it would be most of a quote in which
    /// many promotions apply to many lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<i64>,
    /// True if it can be combined with other discounts.
    pub stacks: bool,
    /// Reason why it gave no discount although its code was entered. `None` means it applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_over: Option<Reason>,
    /// Limits on its uses. `None` means unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// True if only placing the order reveals whether this customer may use it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checked_at_order: bool,
}

/// Reason why a promotion gives no discount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum Reason {
    /// The promotion has not begun.
    NotStarted,
    /// The promotion is over.
    Ended,
    /// Its limit of uses has been reached.
    UsedUp,
    /// The promotion is not offered in this currency.
    NotInCurrency,
    /// The matching goods cost less than its minimum.
    BelowMinimum,
    /// The cart doesn't contain enough matching goods.
    NoSuchGoods,
    /// The promotion is not valid for this shipping method.
    OtherShipping,
    /// Another promotion has given a discount, and the two can't be combined.
    DoesNotStack {
        /// Id of the other promotion.
        with: String,
    },
    /// Earlier promotions left nothing to discount.
    NothingLeft,
}

/// Lines and promotions of a quote, for which stock and uses are held.
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
