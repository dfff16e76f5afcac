//! Shipping: which ways there are to an address, what each costs, and when it arrives.
//!
//! A method is priced by one measure of the parcel, by the last of its steps that the parcel
//! reaches. The subtotal is that of the goods after their discounts. A method that has no price in
//! a currency is not offered in it. An address in no zone is shipped nothing, and told so.

pub mod problems;

use crate::error::FieldError;
use crate::pricing::places::{Destination, Place, Zone, zone_of};
use crate::pricing::selectors::{Goods, Selector, amount_in};
use crate::values::languages::{Language, Translations};
use crate::values::money::{Currency, Money};
use crate::values::tax_class::{is_standard, standard};
use chrono::{DateTime, NaiveDate};
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// Where the same methods are offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct ShippingZone {
    /// `us`
    pub id: String,
    /// As shoppers read it, where the names of its places would be too many: `European Union`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// That in other languages.
    #[serde(default, skip_serializing_if = "Translations::is_empty")]
    pub translations: Translations,
    /// What it consists of; an address belongs to the zone that names it most closely.
    pub places: Vec<Place>,
    /// In the merchant's order.
    pub methods: Vec<ShippingMethod>,
}

/// A way to ship.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct ShippingMethod {
    /// `standard`; other zones may have one of the same name.
    pub id: String,
    /// As shoppers read it.
    pub title: String,
    /// That in other languages.
    #[serde(default, skip_serializing_if = "Translations::is_empty")]
    pub translations: Translations,
    /// What its price depends on.
    #[serde(default, skip_serializing_if = "Measure::is_nothing")]
    pub by: Measure,
    /// Its price from each measure on; several currencies stand beside each other.
    pub rates: Vec<ShippingRate>,
    /// The most that it takes, as measured; none: anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<i64>,
    /// The subtotals from which it is free.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub free_over: Vec<Money>,
    /// What it does not carry: a cart with any of it is not offered this method.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<Selector>,
    /// Its tax class.
    #[serde(default = "standard", skip_serializing_if = "is_standard")]
    pub tax_class: String,
    /// How long it takes, in days from Monday to Friday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_days: Option<WorkingDays>,
    /// Whether the shopper comes for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pick_up: bool,
    /// Where the shopper comes to: the cart is taxed there, for that is where the goods change
    /// hands. None: as if it were shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pick_up_at: Option<Place>,
    /// Phone number of who receives it: some carriers take no parcel without one.
    #[serde(default, skip_serializing_if = "PhoneRule::is_optional")]
    pub phone: PhoneRule,
}

/// Need of a phone number in the address of a parcel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum PhoneRule {
    /// It may be left out.
    #[default]
    Optional,
    /// The carrier takes no parcel without it.
    Required,
}

/// What the price of a method depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum Measure {
    /// Nothing: one price.
    #[default]
    Nothing,
    /// Grams.
    Weight,
    /// Minor units, after discounts.
    Subtotal,
    /// Units.
    Quantity,
}

/// A step of a method's prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct ShippingRate {
    /// From so much on, as measured.
    #[serde(default)]
    pub from: i64,
    /// What it costs.
    pub price: Money,
}

/// How long a parcel takes, in working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct WorkingDays {
    /// At least.
    pub min: u16,
    /// At most.
    pub max: u16,
}

/// A way to ship one parcel, and its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The way to ship.
    pub method: &'a ShippingMethod,
    /// As listed, in minor units.
    pub price: i64,
    /// When it arrives, where that is known.
    pub delivery: Option<DeliveryEstimate>,
}

/// The first and the last day on which a parcel may arrive, as `2026-11-25`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct DeliveryEstimate {
    /// At the earliest.
    pub earliest: String,
    /// At the latest.
    pub latest: String,
}

/// How long parcels to a zone take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate<'a> {
    /// To where.
    pub zone: &'a ShippingZone,
    /// By which methods, in the merchant's order; never empty.
    pub methods: Vec<(&'a ShippingMethod, WorkingDays)>,
}

/// What is shipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    /// Grams; what is unknown weighs nothing.
    pub weight_grams: i64,
    /// Minor units, after discounts.
    pub subtotal: i64,
    /// Units.
    pub quantity: i64,
}

/// The ways to ship `parcel` with `goods` in it, in the merchant's order; none where the shop does
/// not ship.
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

/// Where the shopper comes for what `method` hands out to who lives at `destination`; none where it
/// is shipped.
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

/// The fault of an address without a phone number, where `method` needs one at `destination`.
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
        let detail = format!("The carrier of “{}” needs a phone number.", method.title);
        FieldError::new("shipping_address.phone", "phone_required", detail)
    })
}

/// The ways to ship `parcel` to anywhere, each as cheaply as it can be: for who has not said where
/// to.
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

/// How long `parcel` with `goods` in it takes to each zone that it is delivered to, in the
/// merchant's order: for who has not said where to. What does not say how long it takes is left
/// out.
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

    /// The methods that take a parcel, each with its price.
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
    /// What it costs as listed; none when it does not take the parcel, or is not sold in this
    /// currency.
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
    /// True where the number may be left out.
    #[must_use]
    pub const fn is_optional(&self) -> bool {
        matches!(self, Self::Optional)
    }
}

impl WorkingDays {
    /// The days on which what is ordered `now` may arrive.
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
    /// As shoppers read it: `November 25 – 27`.
    #[must_use]
    pub fn days(&self, language: Language) -> Option<String> {
        Some(language.days(read_date(&self.earliest)?, read_date(&self.latest)?))
    }
}

const DAY_SECS: i64 = 24 * 60 * 60;

/// The day that is `working_days` after `day`, both counted since 1970, which began with a
/// Thursday. None of them is a weekend's.
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

/// The day of a `2026-11-25`.
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
