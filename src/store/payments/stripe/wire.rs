//! Amounts as Stripe writes them (docs.stripe.com/currencies): for some currencies, its decimal
//! places differ from ISO 4217's.

use shop::payments::PaymentError;
use shop::payments::limits::ChargeLimits;
use shop::values::money::Currency;

/// Currencies that Stripe writes in whole units.
const ZERO_DECIMAL: [&str; 15] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
];

/// Converts ISO 4217 `minor` units to Stripe's; `None` means that the amount has no exact
/// equivalent.
pub fn to_wire(minor: i64, currency: Currency) -> Option<i64> {
    scale(minor, currency.exponent(), wire_exponent(currency.code()))
}

/// Converts an amount of Stripe's to ISO 4217 minor units.
pub fn from_wire(amount: i64, code: &str) -> Option<i64> {
    let currency = Currency::from_code(code)?;
    scale(amount, wire_exponent(code), currency.exponent())
}

/// Returns the amounts that can be charged, in ISO 4217 minor units
/// (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
pub fn limits(currency: Currency) -> ChargeLimits {
    ChargeLimits {
        smallest: smallest_charge(currency),
        largest: largest_charge(currency),
        step: step(currency),
    }
}

/// Returns the minimum amount of a charge, by its currency; 0 where Stripe names none.
fn smallest_charge(currency: Currency) -> i64 {
    match currency.code() {
        "GBP" => 30,
        "AUD" | "BRL" | "CAD" | "CHF" | "EUR" | "INR" | "JPY" | "NZD" | "SGD" | "USD" => 50,
        "BGN" => 100,
        "AED" | "MYR" | "PLN" | "RON" => 200,
        "DKK" => 250,
        "NOK" | "SEK" => 300,
        "HKD" => 400,
        "MXN" | "THB" => 1_000,
        "CZK" => 1_500,
        "HUF" => 17_500,
        _ => 0,
    }
}

/// Returns the step of amounts that can be charged: tens in currencies with three decimal places,
/// otherwise the units that Stripe writes.
fn step(currency: Currency) -> i64 {
    match wire_exponent(currency.code()) {
        3 => 10,
        wire => 10_i64.saturating_pow(currency.exponent().saturating_sub(wire)),
    }
}

/// Returns the maximum amount of one charge, in ISO 4217 minor units, by the number of digits that
/// Stripe accepts. A card network or another payment method may accept less.
fn largest_charge(currency: Currency) -> i64 {
    let digits = match currency.code() {
        "IDR" => 12,
        "LBP" => 11,
        "COP" | "HUF" | "JPY" => 10,
        "INR" => 9,
        _ => 8,
    };
    let largest = 10_i64.saturating_pow(digits).saturating_sub(1);
    let step =
        10_i64.saturating_pow(wire_exponent(currency.code()).saturating_sub(currency.exponent()));
    let whole = largest.saturating_sub(largest.checked_rem(step).unwrap_or(0));
    from_wire(whole, currency.code()).unwrap_or(i64::MAX)
}

/// Like [`from_wire`], for a response: an amount that can't be read leaves the outcome unknown.
pub fn read(amount: i64, code: &str) -> Result<i64, PaymentError> {
    from_wire(amount, code)
        .ok_or_else(|| PaymentError::Unknown(format!("{amount} {code} does not read")))
}

/// ISK and UGX have no minor unit, but Stripe keeps two decimal places for them.
fn wire_exponent(code: &str) -> u32 {
    match code {
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        code if ZERO_DECIMAL.contains(&code) => 0,
        _ => 2,
    }
}

fn scale(amount: i64, from: u32, to: u32) -> Option<i64> {
    if to >= from {
        return amount.checked_mul(10_i64.checked_pow(to.checked_sub(from)?)?);
    }
    let factor = 10_i64.checked_pow(from.checked_sub(to)?)?;
    (amount.checked_rem(factor)? == 0).then_some(amount.checked_div(factor)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_amounts_are_not_charged_where_stripe_says_so() {
        for (code, least) in [
            ("USD", 50),
            ("GBP", 30),
            ("JPY", 50),
            ("HUF", 17_500),
            ("KWD", 0),
        ] {
            let limits = limits(Currency::from_code(code).unwrap());
            assert_eq!(limits.smallest, least, "{code}");
        }
    }

    #[test]
    fn the_largest_charge_has_so_many_digits() {
        for (code, most) in [
            ("USD", 99_999_999),
            ("JPY", 9_999_999_999),
            ("IDR", 999_999_999_999),
            ("HUF", 9_999_999_999),
            ("INR", 999_999_999),
            ("KWD", 99_999_999),
            ("ISK", 999_999),
            ("UGX", 999_999),
            ("MGA", 9_999_999_900),
        ] {
            let currency = Currency::from_code(code).unwrap();
            assert_eq!(largest_charge(currency), most, "{code}");
        }
    }

    #[test]
    fn the_wire_has_exponents_of_its_own() {
        for (code, minor, wire) in [
            ("USD", 119_900, 119_900),
            ("JPY", 198_800, 198_800),
            ("XPF", 1_000, 1_000),
            ("ISK", 5_000, 500_000),
            ("UGX", 5_000, 500_000),
            ("KWD", 379_900, 379_900),
            ("MGA", 500_000, 5_000),
            ("HUF", 10_045, 10_045),
        ] {
            let currency = Currency::from_code(code).unwrap();
            assert_eq!(to_wire(minor, currency), Some(wire), "{code}");
            assert_eq!(from_wire(wire, code), Some(minor), "{code}");
        }
        assert_eq!(to_wire(12_345, Currency::from_code("MGA").unwrap()), None);
    }

    #[test]
    fn whatever_is_priced_can_be_written() {
        for code in "AED BHD BIF CLF CLP DJF EUR GNF HUF ISK JOD JPY KMF KRW KWD LYD MGA OMR PYG RWF TND TWD UGX USD VND VUV XAF XOF XPF"
            .split_whitespace()
        {
            let currency = Currency::from_code(code).unwrap();
            let limits = limits(currency);
            assert!(limits.is_whole_steps(currency.charge_increment()), "{code}");
            for steps in [0, 1, 7, 123_457] {
                let minor = steps * currency.charge_increment();
                let wire = to_wire(minor, currency).unwrap_or_else(|| panic!("{minor} {code}"));
                assert_eq!(from_wire(wire, code), Some(minor), "{code}");
            }
        }
    }
}
