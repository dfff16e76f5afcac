//! Tax: the rates for an address, the tax on an amount, and whether the price already includes it.
//!
//! Tax is rounded once per line, half up, to an amount that can be charged ([`share_half_up`]); if
//! a line has several rates, they divide that amount by largest remainder. A product is taxed by
//! its class: a class without a rate in its zone is taxed as [`STANDARD`], and [`EXEMPT`] is never
//! taxed. Shipping is taxed by the class of its method. An address in no zone is not taxed.

use crate::codes::Code;
use crate::error::{FieldError, Result};
use crate::pricing::places::{
    Destination, Place, Zone, problems_of_ids, problems_of_zones, zone_of,
};
use crate::values::countries::Country;
use crate::values::money::{Currency, Ratio, share_half_up, split_in};
use crate::values::tax_class::{STANDARD, is_standard, standard};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tax class of goods that are never taxed, such as gift cards.
pub const EXEMPT: &str = "exempt";

/// Countries where prices are shown alike, with or without tax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Market {
    /// Id, such as `eu`.
    pub id: String,
    /// ISO 3166-1 alpha-2 codes; a country is in one market only. Prices in countries of no market
    /// exclude tax.
    pub countries: Vec<String>,
    /// True if prices, including shipping, include tax.
    pub prices_include_tax: bool,
}

/// Places with the same tax rates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct TaxZone {
    /// Id, such as `us-ny`.
    pub id: String,
    /// Places that make up the zone; an address belongs to the zone with the most specific match.
    pub places: Vec<Place>,
    /// Rates, in the order they are applied; several of one class add up.
    pub rates: Vec<TaxRate>,
    /// True if a business with a VAT number is not charged tax here, because it accounts for the
    /// tax itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exempts_businesses: bool,
}

/// A tax on one class of products.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct TaxRate {
    /// Tax class, such as `standard`.
    #[serde(default = "standard", skip_serializing_if = "is_standard")]
    pub class: String,
    /// Name shown to shoppers, such as `VAT`.
    pub name: String,
    /// Rate in parts per million: 8.875 % is 88750.
    pub rate_ppm: i64,
    /// True if it is charged on the amount plus the taxes before it; allowed only for the last rate
    /// of its class.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compound: bool,
}

/// Tax treatment of one destination.
#[derive(Clone, Copy, Debug)]
pub struct Taxation<'a> {
    /// Tax zone whose rates apply. `None` means that no tax is charged.
    pub zone: Option<&'a TaxZone>,
    /// True if prices include tax.
    pub included: bool,
    /// True if the buyer accounts for the tax itself.
    pub exempt: bool,
}

/// Tax on one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tax {
    /// Amount in minor units.
    pub amount: i64,
    /// Part of each rate; they add up to the amount.
    pub parts: Vec<TaxPart>,
}

/// Tax from one rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPart {
    /// Name shown to shoppers.
    pub name: String,
    /// Rate in parts per million.
    pub rate_ppm: i64,
    /// Amount in minor units.
    pub amount: i64,
}

/// Returns the tax treatment of a destination; `has_vat_number` is true for a business with a VAT
/// number.
#[must_use]
pub fn taxation<'a>(
    markets: &[Market],
    zones: &'a [TaxZone],
    destination: &Destination,
    has_vat_number: bool,
) -> Taxation<'a> {
    let zone = zone_of(zones, destination);
    let market = markets
        .iter()
        .find(|market| market.countries.contains(&destination.country));
    Taxation {
        zone,
        included: market.is_some_and(|market| market.prices_include_tax),
        exempt: has_vat_number && zone.is_some_and(|zone| zone.exempts_businesses),
    }
}

impl Taxation<'_> {
    /// Returns the tax on `amount`: the part included in it where prices include tax, or else the
    /// amount added to it.
    ///
    /// # Errors
    /// Fails if an amount overflows.
    pub fn tax_on(&self, amount: i64, class: &str, currency: Currency) -> Result<Tax> {
        if self.exempt {
            return Ok(Tax::default());
        }
        self.rates_on(amount, class, currency)
    }

    /// Returns the price for this buyer: a buyer who accounts for the tax itself pays none, even
    /// where prices include it.
    ///
    /// # Errors
    /// Fails if an amount overflows.
    pub fn price(&self, listed: i64, class: &str, currency: Currency) -> Result<i64> {
        if !self.exempt || !self.included {
            return Ok(listed);
        }
        let tax = self.rates_on(listed, class, currency)?;
        Ok(listed.saturating_sub(tax.amount))
    }

    fn rates_on(&self, amount: i64, class: &str, currency: Currency) -> Result<Tax> {
        let rates = self.rates_of(class);
        let weights: Vec<i64> = weights_of(&rates);
        let on_top: i128 = weights.iter().copied().map(i128::from).sum();
        let ratio = Ratio {
            numerator: on_top,
            denominator: if self.included {
                ONE.saturating_add(on_top)
            } else {
                ONE
            },
        };
        let increment = currency.charge_increment();
        let amount = share_half_up(amount, ratio, increment)?;
        let shares = split_in(amount, &weights, increment)?;
        let parts = rates.iter().zip(shares).map(|(rate, amount)| TaxPart {
            name: rate.name.clone(),
            rate_ppm: rate.rate_ppm,
            amount,
        });
        Ok(Tax {
            amount,
            parts: parts.collect(),
        })
    }

    fn rates_of(&self, class: &str) -> Vec<&TaxRate> {
        let Some(zone) = self.zone.filter(|_| class != EXEMPT) else {
            return vec![];
        };
        let of = |class: &str| -> Vec<&TaxRate> {
            let rates = zone.rates.iter();
            rates.filter(|rate| rate.class == class).collect()
        };
        let own = of(class);
        if own.is_empty() { of(STANDARD) } else { own }
    }
}

/// One, in squared parts per million: precise enough for a rate charged on another rate.
const ONE: i128 = 1_000_000_000_000;

/// Returns the weight of each rate, in units of 1 / [`ONE`].
fn weights_of(rates: &[&TaxRate]) -> Vec<i64> {
    let mut before = 1_000_000_i64;
    let mut weights = Vec::with_capacity(rates.len());
    for rate in rates {
        let base = if rate.compound { before } else { 1_000_000 };
        weights.push(rate.rate_ppm.saturating_mul(base));
        before = before.saturating_add(rate.rate_ppm);
    }
    weights
}

impl Zone for TaxZone {
    fn id(&self) -> &str {
        &self.id
    }

    fn places(&self) -> &[Place] {
        &self.places
    }
}

/// Reports contradictions and invalid countries in markets.
#[must_use]
pub fn problems_of_markets(markets: &[Market]) -> Vec<FieldError> {
    let mut problems = problems_of_ids(markets.iter().map(|market| &*market.id), "markets");
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for (at, market) in markets.iter().enumerate() {
        for (nth, country) in market.countries.iter().enumerate() {
            let field = format!("markets[{at}].countries[{nth}]");
            if Country::of_code(country).is_none() {
                let detail = "Must be a country code of two capital letters, such as US.";
                problems.push(FieldError::new(&*field, Code::InvalidCountry, detail));
            }
            if let Some(other) = taken.insert(country, &market.id) {
                let detail = format!("{country} is already in the market `{other}`.");
                problems.push(FieldError::new(field, Code::OverlappingMarkets, detail));
            }
        }
    }
    problems
}

/// Reports contradictions and invalid rates in tax zones.
#[must_use]
pub fn problems_of_tax_zones(zones: &[TaxZone]) -> Vec<FieldError> {
    let mut problems = problems_of_zones(zones, "tax_zones");
    for (at, zone) in zones.iter().enumerate() {
        let mut compound: Vec<&str> = Vec::new();
        for (nth, rate) in zone.rates.iter().enumerate() {
            let field = |name: &str| format!("tax_zones[{at}].rates[{nth}].{name}");
            if !(0..=MAX_RATE_PPM).contains(&rate.rate_ppm) {
                let detail =
                    format!("Must be 0 to {MAX_RATE_PPM} parts per million: 8 % is 80000.");
                problems.push(FieldError::new(
                    field("rate_ppm"),
                    Code::InvalidRate,
                    detail,
                ));
            }
            if rate.name.trim().is_empty() {
                problems.push(FieldError::new(
                    field("name"),
                    Code::Required,
                    "Must not be empty.",
                ));
            }
            if rate.class.trim().is_empty() || rate.class == EXEMPT {
                let detail = "Must name a tax class other than `exempt`, which is never taxed.";
                problems.push(FieldError::new(field("class"), Code::InvalidClass, detail));
            }
            if compound.contains(&&*rate.class) {
                let detail = "A compound rate must be the last rate of its class.";
                problems.push(FieldError::new(
                    field("compound"),
                    Code::InvalidCompound,
                    detail,
                ));
            }
            if rate.compound {
                compound.push(&rate.class);
            }
        }
    }
    problems
}

/// A rate of 100 %.
const MAX_RATE_PPM: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(class: &str, rate_ppm: i64, compound: bool) -> TaxRate {
        TaxRate {
            class: class.into(),
            name: "Tax".into(),
            rate_ppm,
            compound,
        }
    }

    fn zone(rates: Vec<TaxRate>) -> TaxZone {
        TaxZone {
            id: "z".into(),
            places: vec![Place {
                country: "*".into(),
                region: None,
                postal_prefix: None,
            }],
            rates,
            exempts_businesses: true,
        }
    }

    fn tax(zone: &TaxZone, included: bool, amount: i64, class: &str, code: &str) -> Tax {
        let taxation = Taxation {
            zone: Some(zone),
            included,
            exempt: false,
        };
        let currency = Currency::from_code(code).unwrap();
        taxation.tax_on(amount, class, currency).unwrap()
    }

    /// Rates and results as published by tax authorities.
    #[test]
    fn what_law_says_comes_out() {
        for (rates, included, amount, code, wanted) in [
            // New York City: 8.875 % on top of $14.99.
            (
                vec![rate(STANDARD, 88_750, false)],
                false,
                1_499,
                "USD",
                133,
            ),
            // Germany: 19 % included in €119.00.
            (
                vec![rate(STANDARD, 190_000, false)],
                true,
                11_900,
                "EUR",
                1_900,
            ),
            // Japan: 10 % included in ¥1,100.
            (
                vec![rate(STANDARD, 100_000, false)],
                true,
                1_100,
                "JPY",
                100,
            ),
            // Québec before 2013: 5 % GST, and 9.5 % QST on price plus GST, on $100.00.
            (
                vec![rate(STANDARD, 50_000, false), rate(STANDARD, 95_000, true)],
                false,
                10_000,
                "CAD",
                1_498,
            ),
            // Bahrain: 10 % on BHD 2.690, in steps of ten fils.
            (
                vec![rate(STANDARD, 100_000, false)],
                false,
                2_690,
                "BHD",
                270,
            ),
            (vec![], false, 10_000, "USD", 0),
        ] {
            let tax = tax(&zone(rates), included, amount, STANDARD, code);
            assert_eq!(tax.amount, wanted, "{amount} {code}");
        }
    }

    #[test]
    fn a_class_without_a_rate_is_taxed_like_most_things_and_exempt_is_not() {
        let zone = zone(vec![
            rate(STANDARD, 190_000, false),
            rate("reduced", 70_000, false),
        ]);
        for (class, wanted) in [(STANDARD, 19), ("reduced", 7), ("books", 19), (EXEMPT, 0)] {
            assert_eq!(
                tax(&zone, false, 100, class, "EUR").amount,
                wanted,
                "{class}"
            );
        }
    }

    #[test]
    fn a_business_pays_the_price_without_its_tax() {
        let zone = zone(vec![rate(STANDARD, 190_000, false)]);
        let eur = Currency::from_code("EUR").unwrap();
        for (included, exempt, price, tax) in [
            (true, true, 10_000, 0),
            (false, true, 11_900, 0),
            (true, false, 11_900, 1_900),
            (false, false, 11_900, 2_261),
        ] {
            let taxation = Taxation {
                zone: Some(&zone),
                included,
                exempt,
            };
            assert_eq!(taxation.price(11_900, STANDARD, eur).unwrap(), price);
            assert_eq!(taxation.tax_on(price, STANDARD, eur).unwrap().amount, tax);
        }
    }

    fn any_rates() -> impl Strategy<Value = Vec<TaxRate>> {
        (prop::collection::vec(0..=300_000_i64, 1..4), any::<bool>()).prop_map(
            |(rates, compound)| {
                let last = rates.len() - 1;
                let rates = rates.into_iter().enumerate();
                rates
                    .map(|(at, ppm)| rate(STANDARD, ppm, compound && at == last))
                    .collect()
            },
        )
    }

    proptest! {
        #[test]
        fn tax_in_a_price_and_on_it_agree_to_a_unit(net in 0..100_000_000_i64, rates in any_rates(), code in prop::sample::select(vec!["USD", "JPY", "KWD", "MGA"])) {
            let step = Currency::from_code(code).unwrap().charge_increment();
            let net = net / step * step;
            let zone = zone(rates);
            let on_top = tax(&zone, false, net, STANDARD, code);
            let within = tax(&zone, true, net + on_top.amount, STANDARD, code);
            prop_assert!((on_top.amount - within.amount).abs() <= step);
            for tax in [on_top, within] {
                prop_assert_eq!(tax.parts.iter().map(|part| part.amount).sum::<i64>(), tax.amount);
                prop_assert!(tax.parts.iter().all(|part| part.amount >= 0 && part.amount % step == 0));
            }
        }

        #[test]
        fn an_accepted_rate_never_fails(rate_ppm in 0..=MAX_RATE_PPM, compound_ppm in 0..=MAX_RATE_PPM, amount in 0..=crate::values::money::MAX_AMOUNT, included in any::<bool>()) {
            let zone = zone(vec![rate(STANDARD, rate_ppm, false), rate(STANDARD, compound_ppm, true)]);
            prop_assert!(problems_of_tax_zones(std::slice::from_ref(&zone)).is_empty());
            let found = tax(&zone, included, amount, STANDARD, "USD").amount;
            prop_assert!(found >= 0 && (!included || found <= amount));
        }
    }

    #[test]
    fn what_contradicts_itself_is_told_with_its_place() {
        let zones = [zone(vec![
            rate(STANDARD, 10_000_000, false),
            rate(STANDARD, -1, true),
            rate(STANDARD, 1, true),
            rate(EXEMPT, 1, false),
        ])];
        let markets = [
            Market {
                id: "a".into(),
                countries: vec!["DE".into(), "de".into()],
                prices_include_tax: true,
            },
            Market {
                id: "b".into(),
                countries: vec!["DE".into()],
                prices_include_tax: false,
            },
        ];
        let found: Vec<_> = problems_of_tax_zones(&zones)
            .into_iter()
            .chain(problems_of_markets(&markets))
            .map(|problem| format!("{} {}", problem.field, problem.code))
            .collect();
        assert_eq!(
            found,
            [
                "tax_zones[0].rates[0].rate_ppm invalid_rate",
                "tax_zones[0].rates[1].rate_ppm invalid_rate",
                "tax_zones[0].rates[2].compound invalid_compound",
                "tax_zones[0].rates[3].class invalid_class",
                "markets[0].countries[1] invalid_country",
                "markets[1].countries[0] overlapping_markets",
            ]
        );
    }
}
