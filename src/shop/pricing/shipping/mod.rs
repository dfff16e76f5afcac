//! Shipping: the methods available for an address, their prices, and the estimated arrival.
//!
//! A method's price depends on one measure of the parcel: the highest step that the parcel reaches
//! applies. The subtotal is that of the goods after their discounts. A method without a price in a
//! currency is not offered in it. The shop does not ship to an address outside every zone, and says
//! so.

pub mod problems;

use crate::codes::Code;
use crate::error::FieldError;
use crate::pricing::places::{Destination, Place, Zone, zone_of};
use crate::pricing::selectors::{Goods, Selector, amount_in};
use crate::values::languages::{Language, Translations};
use crate::values::money::{Currency, Money};
use crate::values::tax_class::{is_standard, standard};
use chrono::{DateTime, NaiveDate};
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// Places that share the same shipping methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct ShippingZone {
    /// Id, such as `us`.
    pub id: String,
    /// Title shown to shoppers where listing its places would be too long, such as
    /// `European Union`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Title in other languages.
    #[serde(default, skip_serializing_if = "Translations::is_empty")]
    pub translations: Translations,
    /// Places that make up the zone; an address belongs to the zone with the most specific match.
    pub places: Vec<Place>,
    /// Shipping methods, in the merchant's order.
    pub methods: Vec<ShippingMethod>,
}

/// A shipping method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct ShippingMethod {
    /// Id, such as `standard`; methods of other zones may share it.
    pub id: String,
    /// Title shown to shoppers.
    pub title: String,
    /// Title in other languages.
    #[serde(default, skip_serializing_if = "Translations::is_empty")]
    pub translations: Translations,
    /// Measure that the price depends on.
    #[serde(default, skip_serializing_if = "Measure::is_nothing")]
    pub by: Measure,
    /// Prices by measure, in each currency.
    pub rates: Vec<ShippingRate>,
    /// Largest measure that it takes. `None` means no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<i64>,
    /// Subtotals from which shipping is free, per currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub free_over: Vec<Money>,
    /// Goods that it does not carry. It is not offered for a cart that contains any of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<Selector>,
    /// Tax class of the shipping price.
    #[serde(default = "standard", skip_serializing_if = "is_standard")]
    pub tax_class: String,
    /// Delivery time in days from Monday to Friday. `None` means unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_days: Option<WorkingDays>,
    /// True if the shopper picks up the goods.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pick_up: bool,
    /// Place of pickup. The cart is taxed there, because that is where the goods change hands.
    /// `None` means it is taxed as if it were shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pick_up_at: Option<Place>,
    /// Rule for the recipient's phone number: some carriers take no parcel without one.
    #[serde(default, skip_serializing_if = "PhoneRule::is_optional")]
    pub phone: PhoneRule,
}

/// Rule for the phone number in a parcel's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum PhoneRule {
    /// The phone number may be left out.
    #[default]
    Optional,
    /// The carrier takes no parcel without a phone number.
    Required,
}

/// Measure that the price of a method depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum Measure {
    /// No measure: one fixed price.
    #[default]
    Nothing,
    /// Weight in grams.
    Weight,
    /// Price of the goods after discounts, in minor units.
    Subtotal,
    /// Number of units.
    Quantity,
}

/// A step of a method's prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct ShippingRate {
    /// Smallest measure at which the step applies.
    #[serde(default)]
    pub from: i64,
    /// Price of shipping.
    pub price: Money,
}

/// Delivery time in working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct WorkingDays {
    /// Minimum.
    pub min: u16,
    /// Maximum.
    pub max: u16,
}

/// A shipping method available for one parcel, with its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The shipping method.
    pub method: &'a ShippingMethod,
    /// Listed price, before promotions, in minor units.
    pub price: i64,
    /// Estimated arrival. `None` means unknown.
    pub delivery: Option<DeliveryEstimate>,
}

/// First and last day on which a parcel may arrive, such as `2026-11-25`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct DeliveryEstimate {
    /// Earliest day.
    pub earliest: String,
    /// Latest day.
    pub latest: String,
}

/// Delivery times to one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate<'a> {
    /// The zone.
    pub zone: &'a ShippingZone,
    /// Methods with their delivery times, in the merchant's order; never empty.
    pub methods: Vec<(&'a ShippingMethod, WorkingDays)>,
}

/// Measures of a parcel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    /// Weight in grams; goods of unknown weight count as 0.
    pub weight_grams: i64,
    /// Price of the goods after discounts, in minor units.
    pub subtotal: i64,
    /// Number of units.
    pub quantity: i64,
}

/// Returns the shipping methods for `parcel` with `goods` in it, in the merchant's order. `None`
/// means that the shop does not ship to `destination`.
#[must_use]
pub fn offers<'a>(
    zones: &'a [ShippingZone],
    destination: &Destination,
    goods: &[Goods<'_>],
    parcel: Parcel,
    currency: Currency,
    now: Timestamp,
) -> Option<Vec<Offer<'a>>> {
    let zone = zone_of(zones, destination)?;
    Some(zone.offers(goods, parcel, currency, now))
}

/// Returns the place of pickup for `method` as offered at `destination`. `None` means that it
/// ships, or names no place.
#[must_use]
pub fn place_of_pick_up(
    zones: &[ShippingZone],
    destination: &Destination,
    method: &str,
) -> Option<Destination> {
    let methods = &zone_of(zones, destination)?.methods;
    let method = methods.iter().find(|it| it.id == method)?;
    method.pick_up_at.as_ref().map(Place::destination)
}

/// Returns an error if `method` needs a phone number at `destination` and `phone` is missing or
/// blank.
#[must_use]
pub fn missing_phone(
    zones: &[ShippingZone],
    destination: &Destination,
    method: &str,
    phone: Option<&str>,
) -> Option<FieldError> {
    let methods = &zone_of(zones, destination)?.methods;
    let method = methods.iter().find(|it| it.id == method)?;
    let is_missing = !method.phone.is_optional() && phone.is_none_or(|it| it.trim().is_empty());
    is_missing.then(|| {
        let detail = format!("“{}” requires a phone number.", method.title);
        FieldError::new("shipping_address.phone", Code::PhoneRequired, detail)
    })
}

/// Returns the shipping methods for `parcel` over all zones, each at its lowest price: for a
/// shopper who has not given an address yet.
#[must_use]
pub fn offers_anywhere<'a>(
    zones: &'a [ShippingZone],
    goods: &[Goods<'_>],
    parcel: Parcel,
    currency: Currency,
    now: Timestamp,
) -> Vec<Offer<'a>> {
    let mut cheapest: Vec<Offer<'a>> = Vec::new();
    for zone in zones {
        for offer in zone.offers(goods, parcel, currency, now) {
            match cheapest
                .iter_mut()
                .find(|it| it.method.id == offer.method.id)
            {
                Some(known) if offer.price < known.price => *known = offer,
                Some(_) => {}
                None => cheapest.push(offer),
            }
        }
    }
    cheapest
}

/// Returns the delivery times of `parcel` with `goods` in it to each zone, in the merchant's order:
/// for a shopper who has not given an address yet. Methods without a delivery time, and pickup, are
/// left out.
#[must_use]
pub fn estimates<'a>(
    zones: &'a [ShippingZone],
    goods: &[Goods<'_>],
    parcel: Parcel,
    currency: Currency,
) -> Vec<Estimate<'a>> {
    let estimates = zones.iter().map(|zone| Estimate {
        zone,
        methods: zone
            .priced_methods(goods, parcel, currency)
            .filter(|(method, _)| !method.pick_up)
            .filter_map(|(method, _)| Some((method, method.working_days?)))
            .collect(),
    });
    estimates.filter(|it| !it.methods.is_empty()).collect()
}

impl ShippingZone {
    fn offers(
        &self,
        goods: &[Goods<'_>],
        parcel: Parcel,
        currency: Currency,
        now: Timestamp,
    ) -> Vec<Offer<'_>> {
        let offers = self
            .priced_methods(goods, parcel, currency)
            .map(|(method, price)| Offer {
                method,
                price,
                delivery: method.working_days.map(|days| days.from(now)),
            });
        offers.collect()
    }

    /// Returns the methods that take a parcel, each with its price.
    fn priced_methods(
        &self,
        goods: &[Goods<'_>],
        parcel: Parcel,
        currency: Currency,
    ) -> impl Iterator<Item = (&ShippingMethod, i64)> {
        self.methods
            .iter()
            .filter(move |method| {
                !goods
                    .iter()
                    .any(|goods| method.excludes.iter().any(|it| it.selects(goods)))
            })
            .filter_map(move |method| Some((method, method.price(parcel, currency)?)))
    }
}

impl ShippingMethod {
    /// Returns the listed price. `None` means that it does not take the parcel, or has no price in
    /// this currency.
    #[must_use]
    pub fn price(&self, parcel: Parcel, currency: Currency) -> Option<i64> {
        let measure = match self.by {
            Measure::Nothing => 0,
            Measure::Weight => parcel.weight_grams,
            Measure::Subtotal => parcel.subtotal,
            Measure::Quantity => parcel.quantity,
        };
        if self.up_to.is_some_and(|most| measure > most) {
            return None;
        }
        let reached = self
            .rates
            .iter()
            .filter(|rate| rate.price.currency == currency && rate.from <= measure);
        let price = reached.max_by_key(|rate| rate.from)?.price.amount;
        let free = amount_in(&self.free_over, currency);
        Some(match free {
            Some(free) if parcel.subtotal >= free => 0,
            _ => price,
        })
    }
}

impl Measure {
    const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

impl PhoneRule {
    /// True if the phone number may be left out.
    #[must_use]
    pub const fn is_optional(&self) -> bool {
        matches!(self, Self::Optional)
    }
}

impl WorkingDays {
    /// Returns the days on which an order placed at `now` may arrive.
    #[must_use]
    pub fn from(self, now: Timestamp) -> DeliveryEstimate {
        let today = now.as_secs().div_euclid(DAY_SECS);
        DeliveryEstimate {
            earliest: date(after(today, self.min)),
            latest: date(after(today, self.max)),
        }
    }
}

impl DeliveryEstimate {
    /// Days as shown to shoppers: `November 25 – 27`.
    #[must_use]
    pub fn days(&self, language: Language) -> Option<String> {
        Some(language.days(read_date(&self.earliest)?, read_date(&self.latest)?))
    }
}

const DAY_SECS: i64 = 24 * 60 * 60;

/// Returns the day that is `working_days` after `day`, skipping weekends. Days are counted from 1
/// January 1970, a Thursday.
fn after(day: i64, working_days: u16) -> i64 {
    let is_weekend = |day: i64| matches!(day.saturating_add(3).rem_euclid(7), 5 | 6);
    let mut day = day;
    let mut left = working_days;
    loop {
        if !is_weekend(day) {
            match left.checked_sub(1) {
                Some(less) => left = less,
                None => return day,
            }
        }
        day = day.saturating_add(1);
    }
}

fn date(day: i64) -> String {
    DateTime::from_timestamp(day.saturating_mul(DAY_SECS), 0)
        .unwrap_or_default()
        .date_naive()
        .to_string()
}

/// Parses a day such as `2026-11-25`.
fn read_date(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    NaiveDate::from_ymd_opt(year, month, parts.next()?.parse().ok()?)
}

impl Zone for ShippingZone {
    fn id(&self) -> &str {
        &self.id
    }

    fn places(&self) -> &[Place] {
        &self.places
    }
}

#[cfg(test)]
mod tests;
