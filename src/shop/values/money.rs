//! Money: integer minor units with their currency and checked arithmetic, never floating point.
//!
//! The exponents here are those of ISO 4217, for storage and display. A payment provider's wire
//! format has its own exponents, which are kept with that provider. In some currencies the smallest
//! amount that can be charged is larger than a minor unit: [`Currency::charge_increment`].

use crate::error::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// An ISO 4217 currency in which prices can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Returns the currency of an upper-case ISO 4217 code. `None` means that the code is unknown,
    /// or has no minor unit (gold, testing, bond units).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
    }

    /// ISO 4217 code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Returns the home country of the currency as an ISO 3166-1 code: the first two letters of its
    /// code (ISO 4217), or, for the euro, its largest country.
    #[must_use]
    pub fn country(self) -> &'static str {
        match self.code() {
            "EUR" => "DE",
            code => code.get(..2).unwrap_or_default(),
        }
    }

    /// Number of decimal places (ISO 4217): 2 for USD, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }

    /// Increment of prices and taxes, in minor units: ten in currencies with three decimals, and
    /// whole units of the ariary, which is divided into fifths. Amounts are rounded to it when they
    /// are calculated, before a provider is chosen, so that every provider can charge the quoted
    /// amount.
    #[must_use]
    pub fn charge_increment(self) -> i64 {
        match (self.code(), self.exponent()) {
            ("MGA", _) => 100,
            (_, 3) => 10,
            (_, 4) => 100,
            _ => 1,
        }
    }

    /// Symbol of the currency if it is widely known, or else its code.
    #[must_use]
    pub fn symbol(self) -> String {
        match self.code() {
            "USD" | "EUR" | "GBP" | "JPY" | "INR" | "KRW" => self.0.symbol().to_string(),
            code => code.to_owned(),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| de::Error::custom("unknown currency"))
    }
}

/// An amount in minor units of its currency, as in the API:
/// `{"amount": 119900, "currency": "USD"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Money {
    /// Amount in minor units.
    pub amount: i64,
    /// Currency of the amount.
    #[cfg_attr(feature = "testing", schema(value_type = String, example = "USD"))]
    pub currency: Currency,
}

impl Money {
    /// Builds the amount of `amount` minor units of `currency`.
    #[must_use]
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Parses a decimal such as `1199.00` from a CSV file or a form. It has no sign, no group
    /// separators, no more decimal places than the currency (except zeros), and is a multiple of
    /// what can be charged.
    ///
    /// # Errors
    /// A message that describes the problem.
    pub fn parse_decimal(text: &str, currency: Currency) -> Result<Self, String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty() || !digits(whole) || !digits(fraction) {
            return Err(format!("`{text}` is not a decimal number such as 1199.00"));
        }
        let places = usize::try_from(currency.exponent()).unwrap_or(0);
        let kept = fraction.get(..places).unwrap_or(fraction);
        let beyond = fraction.get(places..).unwrap_or("");
        if beyond.bytes().any(|byte| byte != b'0') {
            return Err(format!(
                "{currency} has {places} decimal places; `{text}` has more"
            ));
        }
        let amount: i64 = format!("{whole}{kept:0<places$}")
            .parse()
            .ok()
            .filter(|amount| *amount <= MAX_AMOUNT)
            .ok_or_else(|| format!("`{text}` is too large"))?;
        if amount.checked_rem(currency.charge_increment()) != Some(0) {
            return Err(format!(
                "{currency} can only be charged in steps of {} minor units",
                currency.charge_increment()
            ));
        }
        Ok(Self { amount, currency })
    }

    /// Formats this amount as a decimal, as in CSV files and JSON-LD: `1199.00`.
    #[must_use]
    pub fn to_decimal(self) -> String {
        let places = usize::try_from(self.currency.exponent()).unwrap_or(0);
        let sign = if self.amount < 0 { "-" } else { "" };
        let digits = format!(
            "{:0>width$}",
            self.amount.unsigned_abs(),
            width = places.saturating_add(1)
        );
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }
}

/// Maximum of any amount: it keeps the sums of a cart far within what D1 and JSON represent exactly
/// (2^53 − 1).
pub const MAX_AMOUNT: i64 = 99_999_999_999;

/// Adds amounts, with an error instead of an overflow.
///
/// # Errors
/// Fails if the sum overflows.
pub fn sum(amounts: impl IntoIterator<Item = i64>) -> Result<i64> {
    amounts
        .into_iter()
        .try_fold(0_i64, i64::checked_add)
        .ok_or_else(overflow)
}

/// Multiplies `unit` by `quantity`.
///
/// # Errors
/// Fails if the product overflows.
pub fn times(unit: i64, quantity: u32) -> Result<i64> {
    unit.checked_mul(i64::from(quantity)).ok_or_else(overflow)
}

/// An exact fraction. Neither number is negative, and the second is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Numerator.
    pub numerator: i128,
    /// Denominator.
    pub denominator: i128,
}

impl Ratio {
    /// Builds a ratio from parts per million.
    #[must_use]
    pub fn ppm(parts_per_million: i64) -> Self {
        Self {
            numerator: parts_per_million.into(),
            denominator: 1_000_000,
        }
    }
}

/// Returns `ratio` of `amount`, rounded half up to a multiple of `increment`: the rule for every
/// tax line and every discount.
///
/// # Errors
/// Fails if an argument is negative, or the result overflows.
pub fn share_half_up(amount: i64, ratio: Ratio, increment: i64) -> Result<i64> {
    let share = || -> Option<i64> {
        let unit = i128::from(increment).checked_mul(ratio.denominator)?;
        let exact = i128::from(amount).checked_mul(ratio.numerator)?;
        if exact < 0 || unit <= 0 {
            return None;
        }
        let doubled = exact.checked_mul(2)?.checked_add(unit)?;
        let steps = doubled.checked_div(unit.checked_mul(2)?)?;
        i64::try_from(steps.checked_mul(i128::from(increment))?).ok()
    };
    share().ok_or_else(overflow)
}

/// Splits `amount` by `weights` as [`split`] does, with each part a multiple of `increment`, as
/// `amount` must be.
///
/// # Errors
/// Same as [`split`].
pub fn split_in(amount: i64, weights: &[i64], increment: i64) -> Result<Vec<i64>> {
    let steps = amount.checked_div(increment).ok_or_else(overflow)?;
    split(steps, weights)?
        .into_iter()
        .map(|part| part.checked_mul(increment).ok_or_else(overflow))
        .collect()
}

/// Splits `amount` by `weights`, exactly. What rounding down leaves is given, one unit each, to the
/// largest remainders, the first of equal ones first. If all weights are zero, the first part gets
/// everything; if there are no weights, the amount must be zero.
///
/// # Errors
/// Fails if a weight is negative, or if there are no weights for a non-zero amount.
pub fn split(amount: i64, weights: &[i64]) -> Result<Vec<i64>> {
    let total: i128 = weights.iter().copied().map(i128::from).sum();
    if weights.iter().any(|weight| *weight < 0) || (weights.is_empty() && amount != 0) {
        return Err(overflow());
    }
    if total == 0 {
        let first = weights.iter().enumerate();
        return Ok(first
            .map(|(at, _)| if at == 0 { amount } else { 0 })
            .collect());
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    for (at, weight) in weights.iter().enumerate() {
        let (part, remainder) = divided(amount, *weight, total)?;
        parts.push(part);
        remainders.push((remainder, at));
    }
    let left = sum([amount, sum(parts.iter().copied())?.saturating_neg()])?;
    let left = usize::try_from(left).unwrap_or(0);
    if left > 0 && left < remainders.len() {
        remainders
            .select_nth_unstable_by(left, |(a, at_a), (b, at_b)| b.cmp(a).then(at_a.cmp(at_b)));
    }
    for (_, at) in remainders.into_iter().take(left) {
        if let Some(part) = parts.get_mut(at) {
            *part = sum([*part, 1])?;
        }
    }
    Ok(parts)
}

/// Returns `amount × weight ÷ total` rounded down, and the remainder. Nearly always, 64 bits
/// suffice, for which WebAssembly has a division.
fn divided(amount: i64, weight: i64, total: i128) -> Result<(i64, i128)> {
    if let (Some(exact), Ok(total)) = (amount.checked_mul(weight), i64::try_from(total)) {
        let part = exact.checked_div_euclid(total).ok_or_else(overflow)?;
        let remainder = exact.checked_rem_euclid(total).ok_or_else(overflow)?;
        return Ok((part, remainder.into()));
    }
    let exact = i128::from(amount)
        .checked_mul(i128::from(weight))
        .ok_or_else(overflow)?;
    let part = exact.checked_div_euclid(total).ok_or_else(overflow)?;
    let remainder = exact.checked_rem_euclid(total).ok_or_else(overflow)?;
    Ok((i64::try_from(part).map_err(|_| overflow())?, remainder))
}

fn overflow() -> Error {
    Error::internal("an amount does not fit")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    #[test]
    fn decimals_follow_the_exponent() {
        for (text, code, amount) in [
            ("1199.00", "USD", 119_900),
            ("1199", "USD", 119_900),
            ("1199.5", "USD", 119_950),
            ("198800", "JPY", 198_800),
            ("198800.00", "JPY", 198_800),
            ("379.900", "KWD", 379_900),
            ("379.9", "KWD", 379_900),
            ("0", "USD", 0),
        ] {
            let money = Money::parse_decimal(text, currency(code)).unwrap();
            assert_eq!(money.amount, amount, "{text} {code}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for (text, code) in [
            ("", "USD"),
            ("-1", "USD"),
            ("1,199.00", "USD"),
            ("1.2.3", "USD"),
            (".", "USD"),
            ("1e3", "USD"),
            ("NaN", "USD"),
            ("1.999", "USD"),
            ("1.5", "JPY"),
            ("379.905", "KWD"),
            ("1000000000.00", "USD"),
            ("١", "USD"),
        ] {
            assert!(
                Money::parse_decimal(text, currency(code)).is_err(),
                "{text} {code}"
            );
        }
    }

    #[test]
    fn people_read_grouped_amounts() {
        for (amount, code, text) in [
            (119_900, "USD", "$1,199.00"),
            (5, "USD", "$0.05"),
            (198_800, "JPY", "¥198,800"),
            (379_900, "KWD", "KWD\u{a0}379.900"),
            (-100_000_000, "EUR", "-€1,000,000.00"),
        ] {
            assert_eq!(Money::new(amount, currency(code)).to_string(), text);
        }
    }

    /// Values from ISO 4217 list one, and from docs.stripe.com/currencies for what can be charged.
    #[test]
    fn exponents_and_increments_are_those_of_the_lists() {
        for (codes, exponent, increment) in [
            (
                "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
                0,
                1,
            ),
            ("BHD IQD JOD KWD LYD OMR TND", 3, 10),
            ("CLF UYW", 4, 100),
            ("MGA", 2, 100),
            (
                "AED ARS AUD BRL CAD CHF CNY CZK DKK EGP EUR GBP HKD HUF IDR ILS INR KES MAD MRU MXN MYR NGN NOK NZD PHP PKR \
                 PLN QAR RON SAR SEK SGD THB TRY TWD UAH USD UZS VES ZAR",
                2,
                1,
            ),
        ] {
            for code in codes.split_whitespace() {
                let currency = currency(code);
                assert_eq!(currency.exponent(), exponent, "{code}");
                assert_eq!(currency.charge_increment(), increment, "{code}");
            }
        }
        for no_money in ["XAU", "XTS", "XXX", "XDR", "usd", "US", ""] {
            assert_eq!(Currency::from_code(no_money), None, "{no_money}");
        }
    }

    #[test]
    fn the_largest_remainder_gets_what_is_left() {
        assert_eq!(split(100, &[1, 1, 1]).unwrap(), [34, 33, 33]);
        assert_eq!(split(10, &[1, 2, 4]).unwrap(), [1, 3, 6]);
        assert_eq!(split(5, &[0, 0]).unwrap(), [5, 0]);
        assert!(split(0, &[]).unwrap().is_empty());
        assert!(split(1, &[]).is_err());
        assert!(split(1, &[-1, 2]).is_err());
    }

    #[test]
    fn half_a_unit_rounds_up() {
        assert_eq!(share_half_up(50, Ratio::ppm(10_000), 1).unwrap(), 1);
        assert_eq!(share_half_up(49, Ratio::ppm(10_000), 1).unwrap(), 0);
        assert_eq!(
            share_half_up(119_900, Ratio::ppm(80_000), 1).unwrap(),
            9_592
        );
        assert_eq!(
            share_half_up(379_900, Ratio::ppm(50_000), 10).unwrap(),
            19_000
        );
    }

    proptest! {
        #[test]
        fn decimals_read_back(amount in 0..=MAX_AMOUNT, code in prop::sample::select(vec!["USD", "JPY", "KWD", "EUR", "CLF"])) {
            let currency = currency(code);
            let amount = amount / currency.charge_increment() * currency.charge_increment();
            let money = Money::new(amount, currency);
            prop_assert_eq!(Money::parse_decimal(&money.to_decimal(), currency), Ok(money));
        }

        #[test]
        fn a_split_is_exact_and_fair(amount in -MAX_AMOUNT..=MAX_AMOUNT, weights in prop::collection::vec(0..=MAX_AMOUNT, 1..40)) {
            let parts = split(amount, &weights).unwrap();
            prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            let total: i128 = weights.iter().copied().map(i128::from).sum();
            if total > 0 {
                for (part, weight) in parts.iter().zip(&weights) {
                    let off = i128::from(*part) * total - i128::from(amount) * i128::from(*weight);
                    prop_assert!(off.abs() < total, "{part} of weight {weight}");
                }
            }
        }

        #[test]
        fn what_a_split_leaves_goes_to_the_largest_remainders(amount in -20_i64..=20, weights in prop::collection::vec(0..4_i64, 1..12)) {
            let total: i64 = weights.iter().sum();
            prop_assume!(total > 0);
            let mut parts: Vec<i64> = weights.iter().map(|weight| (amount * weight).div_euclid(total)).collect();
            let mut places: Vec<usize> = (0..weights.len()).collect();
            places.sort_by_key(|at| std::cmp::Reverse((amount * weights[*at]).rem_euclid(total)));
            let left = amount - parts.iter().sum::<i64>();
            for at in places.into_iter().take(left.try_into().unwrap()) {
                parts[at] += 1;
            }
            prop_assert_eq!(split(amount, &weights).unwrap(), parts);
        }

        #[test]
        fn a_share_is_the_nearest_step(amount in 0..=MAX_AMOUNT, ppm in 0..=1_000_000_i64, increment in prop::sample::select(vec![1_i64, 10])) {
            let share = share_half_up(amount, Ratio::ppm(ppm), increment).unwrap();
            let exact = i128::from(amount) * i128::from(ppm);
            let distance = (i128::from(share) * 1_000_000 - exact).abs();
            prop_assert!(share % increment == 0 && distance * 2 <= i128::from(increment) * 1_000_000);
        }
    }
}
