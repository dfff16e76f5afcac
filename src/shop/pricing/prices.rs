//! Prices in currencies for which the catalog has none: converted at the merchant's stored rates
//! and rounded to a natural-looking price.
//!
//! They are calculated when a catalog is published, so that pages, lists and quotes agree. A
//! scheduled price replaces the catalog's price from the first publish inside its period; the clock
//! starts a publish whenever such a period begins or ends.

use crate::catalog::{Conversion, Price, Product};
use crate::codes::Code;
use crate::error::FieldError;
use crate::pricing::instants;
use crate::values::ids::Sku;
use crate::values::money::{Currency, MAX_AMOUNT, Money};
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Exchange rates used to convert prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Currencies {
    /// Currency that prices are converted from.
    #[cfg_attr(feature = "testing", schema(value_type = String, example = "USD"))]
    pub base: Currency,
    /// Currencies that prices are converted to.
    pub rates: Vec<ExchangeRate>,
}

/// Conversion of the base currency's prices to one other currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct ExchangeRate {
    /// ISO 4217.
    #[cfg_attr(feature = "testing", schema(value_type = String, example = "JPY"))]
    pub currency: Currency,
    /// Exchange rate in parts per million: target major units per base major unit. ¥150.25 for $1
    /// is 150250000.
    pub rate_ppm: i64,
    /// Rounding of the converted prices.
    pub rounding: Rounding,
}

/// Steps that converted prices are rounded to: `{"step": 100, "ending": 99}` gives 0.99, 1.99, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Rounding {
    /// Distance between two prices, in minor units.
    pub step: i64,
    /// Amount of every price beyond whole steps, in minor units; less than a step.
    #[serde(default)]
    pub ending: i64,
}

/// A price that applies for a limited period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct ScheduledPrice {
    /// ISO 4217.
    #[cfg_attr(feature = "testing", schema(value_type = String, example = "USD"))]
    pub currency: Currency,
    /// Minor units.
    pub amount: i64,
    /// Earlier, higher price shown beside it. `None` means that none is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at_amount: Option<i64>,
    /// Start of the period. `None` means it has already begun.
    #[serde(default, with = "instants", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "testing", schema(value_type = Option<String>, format = DateTime))]
    pub valid_from: Option<Timestamp>,
    /// End of the period, exclusive. `None` means it does not end.
    #[serde(default, with = "instants", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "testing", schema(value_type = Option<String>, format = DateTime))]
    pub valid_until: Option<Timestamp>,
}

/// Rates and scheduled prices that turn recorded prices into those of one publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repricing {
    /// Exchange rates.
    pub currencies: Currencies,
    /// Scheduled prices in force at the time of the publish, by SKU.
    pub scheduled: BTreeMap<Sku, Vec<ScheduledPrice>>,
}

impl Repricing {
    /// Returns the product with the prices of this publish.
    #[must_use]
    pub fn reprice(&self, mut product: Product) -> Product {
        for variant in &mut product.variants {
            for scheduled in self.scheduled.get(&variant.sku).into_iter().flatten() {
                let price = Price {
                    amount: scheduled.amount,
                    compare_at_amount: scheduled.compare_at_amount,
                    converted: false,
                    conversion: None,
                };
                let code = scheduled.currency.code().to_owned();
                variant.prices.insert(code, price);
            }
            self.currencies.convert(&mut variant.prices);
        }
        product
    }
}

impl Currencies {
    /// Adds prices in missing currencies. A price whose conversion would exceed the maximum is left
    /// out.
    pub fn convert(&self, prices: &mut BTreeMap<String, Price>) {
        let Some(base) = prices.get(self.base.code()).copied() else {
            return;
        };
        for rate in &self.rates {
            let code = rate.currency.code();
            if prices.contains_key(code) {
                continue;
            }
            let convert = |amount| rate.convert(amount, self.base);
            let Some(amount) = convert(base.amount) else {
                continue;
            };
            let before = base.compare_at_amount.and_then(convert);
            let price = Price {
                amount,
                compare_at_amount: before.filter(|before| *before > amount),
                converted: true,
                conversion: Some(Conversion {
                    from: Money::new(base.amount, self.base),
                    rate_ppm: rate.rate_ppm,
                }),
            };
            prices.insert(code.to_owned(), price);
        }
    }

    /// Reports contradictions and invalid rates; `sold_in` are the currencies that the shop sells
    /// in.
    #[must_use]
    pub fn problems(&self, sold_in: &[Currency]) -> Vec<FieldError> {
        let mut problems = Vec::new();
        let mut tell = |field: String, code, detail: &str| {
            problems.push(FieldError::new(format!("currencies.{field}"), code, detail));
        };
        if !sold_in.contains(&self.base) {
            let detail = "Must be a currency that the shop sells in.";
            tell("base".into(), Code::UnknownCurrency, detail);
        }
        for (at, rate) in self.rates.iter().enumerate() {
            let currency = rate.currency;
            let field = |name: &str| format!("rates[{at}].{name}");
            if currency == self.base || !sold_in.contains(&currency) {
                let detail =
                    "Must be a currency that the shop sells in, other than the base currency.";
                tell(field("currency"), Code::UnknownCurrency, detail);
            }
            let earlier = self.rates.get(..at).unwrap_or_default();
            if earlier.iter().any(|other| other.currency == currency) {
                tell(
                    field("currency"),
                    Code::DuplicateCurrency,
                    "This currency is listed twice.",
                );
            }
            if !(1..=MAX_RATE_PPM).contains(&rate.rate_ppm) {
                let detail = format!("Must be 1 to {MAX_RATE_PPM} parts per million.");
                tell(field("rate_ppm"), Code::InvalidRate, &detail);
            }
            let Rounding { step, ending } = rate.rounding;
            let increment = currency.charge_increment();
            let fits = (1..=MAX_STEP).contains(&step)
                && (0..step).contains(&ending)
                && step.checked_rem(increment) == Some(0)
                && ending.checked_rem(increment) == Some(0);
            if !fits {
                let detail = format!(
                    "Must have a step of 1 to {MAX_STEP} and an ending below it, both multiples of {increment}, the smallest amount that can be charged."
                );
                tell(field("rounding"), Code::InvalidRounding, &detail);
            }
        }
        problems
    }
}

/// One million units of a currency for one unit of the base.
const MAX_RATE_PPM: i64 = 1_000_000_000_000;

const MAX_STEP: i64 = 100_000_000;

impl ExchangeRate {
    /// Returns the nearest rounded price, half up. A free item stays free, and an item with a price
    /// never becomes free. `None` means that the result exceeds the maximum price.
    #[must_use]
    pub fn convert(&self, amount: i64, base: Currency) -> Option<i64> {
        if amount == 0 {
            return Some(0);
        }
        let Rounding { step, ending } = self.rounding;
        let to = 10_i128.checked_pow(self.currency.exponent())?;
        let exact = i128::from(amount)
            .checked_mul(self.rate_ppm.into())?
            .checked_mul(to)?;
        let unit = 10_i128
            .checked_pow(base.exponent())?
            .checked_mul(1_000_000)?;
        // Steps of half a step: floor(x / step + 1/2), with x = exact / unit − ending.
        let beyond = exact.checked_sub(unit.checked_mul(ending.into())?)?;
        let whole = unit.checked_mul(step.into())?;
        let steps = beyond
            .checked_mul(2)?
            .checked_add(whole)?
            .checked_div_euclid(whole.checked_mul(2)?)?;
        let price = steps.checked_mul(step.into())?.checked_add(ending.into())?;
        let smallest = if ending > 0 { ending } else { step };
        let price = i64::try_from(price).ok()?.max(smallest);
        (price <= MAX_AMOUNT).then_some(price)
    }
}

/// Reports contradictions in the scheduled prices of one SKU.
#[must_use]
pub fn problems_of_schedule(schedule: &[ScheduledPrice], sold_in: &[Currency]) -> Vec<FieldError> {
    let mut problems = Vec::new();
    for (at, price) in schedule.iter().enumerate() {
        let mut tell = |name: &str, code, detail: &str| {
            problems.push(FieldError::new(
                format!("prices[{at}].{name}"),
                code,
                detail,
            ));
        };
        let increment = price.currency.charge_increment();
        let fits = |amount: i64| {
            (0..=MAX_AMOUNT).contains(&amount) && amount.checked_rem(increment) == Some(0)
        };
        if !sold_in.contains(&price.currency) {
            tell(
                "currency",
                Code::UnknownCurrency,
                "Must be a currency that the shop sells in.",
            );
        }
        if !fits(price.amount) {
            tell(
                "amount",
                Code::InvalidPrice,
                "Must be an amount, in minor units, that can be charged.",
            );
        }
        if price
            .compare_at_amount
            .is_some_and(|before| !fits(before) || before <= price.amount)
        {
            tell(
                "compare_at_amount",
                Code::InvalidPrice,
                "Must be more than the price.",
            );
        }
        if price.ends() <= price.begins() {
            tell(
                "valid_until",
                Code::InvalidRange,
                "Must be after the start.",
            );
        }
        let earlier = schedule.get(..at).unwrap_or_default();
        let overlaps = |other: &ScheduledPrice| {
            other.currency == price.currency
                && other.begins() < price.ends()
                && price.begins() < other.ends()
        };
        if earlier.iter().any(overlaps) {
            let detail = "Another price in this currency is valid at the same time.";
            tell("valid_from", Code::OverlappingPrices, detail);
        }
    }
    problems
}

impl ScheduledPrice {
    fn begins(&self) -> Timestamp {
        self.valid_from.unwrap_or(Timestamp::from_millis(i64::MIN))
    }

    fn ends(&self) -> Timestamp {
        self.valid_until.unwrap_or(Timestamp::from_millis(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    fn rate(code: &str, rate_ppm: i64, step: i64, ending: i64) -> ExchangeRate {
        ExchangeRate {
            currency: currency(code),
            rate_ppm,
            rounding: Rounding { step, ending },
        }
    }

    #[test]
    fn prices_are_converted_to_pleasant_ones() {
        for (amount, rate, wanted) in [
            // $1,199.00 at 0.92 is €1,103.08.
            (119_900, rate("EUR", 920_000, 100, 99), 110_299),
            // €1,103.50 is nearer to €1,103.99.
            (119_946, rate("EUR", 920_000, 100, 99), 110_399),
            // ¥150.25 to the dollar: ¥180,150, rounded to a hundred.
            (119_900, rate("JPY", 150_250_000, 100, 0), 180_100),
            // 0.307 dinars to the dollar: KWD 368.093, rounded to a quarter dinar.
            (119_900, rate("KWD", 307_000, 250, 0), 368_000),
            // ISO gives ISK no minor unit, whatever form a provider expects.
            (1_000, rate("ISK", 138_500_000, 10, 9), 1_389),
            (1_000, rate("UGX", 3_700_000_000, 500, 0), 37_000),
            (0, rate("EUR", 920_000, 100, 99), 0),
            (1, rate("EUR", 920_000, 100, 99), 99),
            (1, rate("JPY", 150_250_000, 100, 0), 100),
        ] {
            assert_eq!(
                rate.convert(amount, currency("USD")),
                Some(wanted),
                "{amount} {rate:?}"
            );
        }
        let huge = rate("UGX", 3_700_000_000, 500, 0);
        assert_eq!(huge.convert(MAX_AMOUNT, currency("USD")), None);
        let from_yen = rate("USD", 6_650, 100, 95);
        assert_eq!(from_yen.convert(180_150, currency("JPY")), Some(119_795));
    }

    #[test]
    fn the_list_comes_first_and_a_scheduled_price_before_it() {
        let listed = |amount, compare_at_amount| Price {
            amount,
            compare_at_amount,
            converted: false,
            conversion: None,
        };
        let currencies = Currencies {
            base: currency("USD"),
            rates: vec![
                rate("EUR", 920_000, 100, 99),
                rate("JPY", 150_000_000, 100, 0),
            ],
        };
        let mut prices = BTreeMap::from([
            ("USD".to_owned(), listed(10_000, Some(10_010))),
            ("JPY".to_owned(), listed(7, None)),
        ]);
        currencies.convert(&mut prices);
        assert_eq!(prices["JPY"], listed(7, None));
        let euros = prices["EUR"];
        assert_eq!(
            (euros.amount, euros.compare_at_amount, euros.converted),
            (9_199, None, true)
        );
        let conversion = Conversion {
            from: Money::new(10_000, currency("USD")),
            rate_ppm: 920_000,
        };
        assert_eq!(euros.conversion, Some(conversion));

        let mut without_base = BTreeMap::from([("JPY".to_owned(), listed(7, None))]);
        currencies.convert(&mut without_base);
        assert_eq!(without_base.len(), 1);
    }

    proptest! {
        #[test]
        fn a_converted_price_can_be_charged_and_is_near(
            amount in 1..10_000_000_i64,
            rate_ppm in 1..=10_000_000_000_i64,
            steps in 1..1_000_i64,
            ending in 0..1_000_i64,
            code in prop::sample::select(vec!["EUR", "JPY", "KWD", "MGA", "ISK"]),
        ) {
            let increment = currency(code).charge_increment();
            let step = steps * increment;
            let rate = rate(code, rate_ppm, step, ending * increment % step);
            let currencies = Currencies { base: currency("USD"), rates: vec![rate] };
            prop_assert!(currencies.problems(&[currency("USD"), currency(code)]).is_empty());
            let Some(price) = rate.convert(amount, currency("USD")) else { return Ok(()) };
            prop_assert!(price > 0 && price % increment == 0);
            prop_assert_eq!(price % step, rate.rounding.ending);
            let exact = i128::from(amount) * i128::from(rate_ppm) * 10_i128.pow(currency(code).exponent());
            let off = (i128::from(price) * 100_000_000 - exact).abs();
            prop_assert!(price <= step || off * 2 <= i128::from(step) * 100_000_000);
        }
    }

    #[test]
    fn what_contradicts_itself_is_told_with_its_place() {
        let sold_in = [currency("USD"), currency("KWD"), currency("EUR")];
        let currencies = Currencies {
            base: currency("JPY"),
            rates: vec![
                rate("KWD", 0, 5, 0),
                rate("KWD", 1, 10, 10),
                rate("GBP", 1, 1, 0),
            ],
        };
        let at = |millis| Some(Timestamp::from_millis(millis));
        let price = |valid_from, valid_until| ScheduledPrice {
            currency: currency("USD"),
            amount: 100,
            compare_at_amount: None,
            valid_from,
            valid_until,
        };
        let schedule = [
            price(at(5), at(9)),
            price(at(9), None),
            price(None, at(6)),
            price(at(3), at(3)),
            ScheduledPrice {
                compare_at_amount: Some(100),
                currency: currency("GBP"),
                ..price(None, None)
            },
        ];
        let found: Vec<_> = currencies
            .problems(&sold_in)
            .into_iter()
            .chain(problems_of_schedule(&schedule, &sold_in))
            .map(|problem| format!("{} {}", problem.field, problem.code))
            .collect();
        assert_eq!(
            found,
            [
                "currencies.base unknown_currency",
                "currencies.rates[0].rate_ppm invalid_rate",
                "currencies.rates[0].rounding invalid_rounding",
                "currencies.rates[1].currency duplicate_currency",
                "currencies.rates[1].rounding invalid_rounding",
                "currencies.rates[2].currency unknown_currency",
                "prices[2].valid_from overlapping_prices",
                "prices[3].valid_until invalid_range",
                "prices[3].valid_from overlapping_prices",
                "prices[4].currency unknown_currency",
                "prices[4].compare_at_amount invalid_price",
            ]
        );
    }
}
