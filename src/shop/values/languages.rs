//! Languages of the shop, and the way each writes amounts and dates.
//!
//! A language is one arm in each function here and one file of texts beside the pages; a missing
//! one does not compile.

use crate::values::money::Money;
use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::{fmt, iter};

/// A language of the shop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum Language {
    /// English as used in the United States.
    #[default]
    #[serde(rename = "en")]
    English,
    /// German as used in Germany.
    #[serde(rename = "de")]
    German,
}

/// Translations of a title into other languages.
pub type Translations = BTreeMap<Language, String>;

impl Language {
    /// All languages that the pages have texts in.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// BCP 47 code, as used in `<html lang>` and in URLs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Name of the language in that language.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// Returns the title in this language: the merchant's translation, or else the title itself.
    #[must_use]
    pub fn title<'a>(self, title: &'a str, translations: &'a Translations) -> &'a str {
        translations.get(&self).map_or(title, String::as_str)
    }

    /// Formats an amount: `$1,199.00`, `1.199,00 €`.
    #[must_use]
    pub fn money(self, money: Money) -> String {
        let decimal = money.to_decimal();
        let (sign, digits) = match decimal.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", decimal.as_str()),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (group, point) = self.separators();
        let point = if fraction.is_empty() { "" } else { point };
        let number = format!("{}{point}{fraction}", grouped(whole, group));
        let symbol = money.currency.symbol();
        match self {
            Self::English if symbol == money.currency.code() => {
                format!("{sign}{symbol}\u{a0}{number}")
            }
            Self::English => format!("{sign}{symbol}{number}"),
            Self::German => format!("{sign}{number}\u{a0}{symbol}"),
        }
    }

    /// Formats a day: `November 20, 2026`, `20. November 2026`.
    #[must_use]
    pub fn date(self, at: Timestamp) -> String {
        let Some(at) = utc(at) else {
            return String::new();
        };
        let (day, year) = (self.day_of_year(at.date_naive()), at.year());
        match self {
            Self::English => format!("{day}, {year}"),
            Self::German => format!("{day} {year}"),
        }
    }

    /// Formats a range of days: `November 25 – 27`, `30. November – 2. Dezember`.
    #[must_use]
    pub fn days(self, first: NaiveDate, last: NaiveDate) -> String {
        let (from, to) = (self.day_of_year(first), self.day_of_year(last));
        if first == last {
            return from;
        }
        match self {
            _ if first.month() != last.month() => format!("{from} – {to}"),
            Self::English => format!("{from} – {}", last.day()),
            Self::German => format!("{}. – {to}", first.day()),
        }
    }

    /// Formats a day and time in UTC.
    #[must_use]
    pub fn instant(self, at: Timestamp) -> String {
        let (hour, minute) = utc(at).map_or((0, 0), |at| (at.hour(), at.minute()));
        format!("{}, {hour:02}:{minute:02}\u{a0}UTC", self.date(at))
    }

    /// Converts an amount as typed in this language to the form that the shop parses: `1199.00`. A
    /// group separator in a position where it can't be one is read as a decimal point of another
    /// language, such as `39.90` in German.
    #[must_use]
    pub fn decimal(self, typed: &str) -> String {
        let (group, point) = self.separators();
        let (whole, fraction) = typed
            .split_once(point)
            .map_or((typed, None), |(whole, fraction)| (whole, Some(fraction)));
        if !is_grouped(whole, group) {
            let is_point = fraction.is_none() && whole.matches(group).count() == 1;
            return if is_point {
                whole.replace(group, ".")
            } else {
                typed.to_owned()
            };
        }
        let whole = whole.replace(group, "");
        fraction.map_or_else(|| whole.clone(), |fraction| format!("{whole}.{fraction}"))
    }

    /// Returns the group separator and the decimal separator.
    const fn separators(self) -> (&'static str, &'static str) {
        match self {
            Self::English => (",", "."),
            Self::German => (".", ","),
        }
    }

    fn day_of_year(self, date: NaiveDate) -> String {
        let month = usize::try_from(date.month0())
            .ok()
            .and_then(|month| self.months().get(month).copied());
        let (month, day) = (month.unwrap_or_default(), date.day());
        match self {
            Self::English => format!("{month} {day}"),
            Self::German => format!("{day}. {month}"),
        }
    }

    const fn months(self) -> [&'static str; 12] {
        match self {
            Self::English => [
                "January",
                "February",
                "March",
                "April",
                "May",
                "June",
                "July",
                "August",
                "September",
                "October",
                "November",
                "December",
            ],
            Self::German => [
                "Januar",
                "Februar",
                "März",
                "April",
                "Mai",
                "Juni",
                "Juli",
                "August",
                "September",
                "Oktober",
                "November",
                "Dezember",
            ],
        }
    }
}

/// Languages of a storefront.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Languages {
    /// Language of URLs without a language prefix; each page has a single URL in it.
    pub default: Language,
    /// Languages named by the first segment of a URL.
    pub others: &'static [Language],
}

impl Languages {
    /// Returns all languages, the default first.
    pub fn all(self) -> impl Iterator<Item = Language> {
        iter::once(self.default).chain(self.others.iter().copied())
    }

    /// Returns the language that this first segment of a URL names.
    #[must_use]
    pub fn of_segment(self, segment: &str) -> Option<Language> {
        let mut others = self.others.iter().copied();
        others.find(|language| language.code() == segment)
    }

    /// Returns `path` in a language, or in the default if the storefront does not offer that
    /// language.
    #[must_use]
    pub fn path(self, path: &str, language: Language) -> String {
        if !self.others.contains(&language) {
            return path.to_owned();
        }
        let rest = if path == "/" { "" } else { path };
        format!("/{}{rest}", language.code())
    }
}

fn utc(at: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at.as_millis())
}

/// Groups digits by three.
fn grouped(digits: &str, separator: &str) -> String {
    let mut text = String::with_capacity(digits.len().saturating_mul(2));
    for (at, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(at);
        if at > 0 && left.is_multiple_of(3) {
            text.push_str(separator);
        }
        text.push(digit);
    }
    text
}

/// True for digits without separators, or with one before every group of three.
fn is_grouped(whole: &str, group: &str) -> bool {
    let Some((first, thousands)) = whole.split_once(group) else {
        return true;
    };
    (1..=3).contains(&first.len()) && thousands.split(group).all(|digits| digits.len() == 3)
}

impl fmt::Display for Money {
    /// Formats the amount in English: `$1,199.00`, `¥198,800`, `KWD 379.900`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Language::English.money(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::money::Currency;

    #[test]
    fn amounts_read_as_their_speakers_write_them() {
        for (amount, code, english, german) in [
            (119_900, "USD", "$1,199.00", "1.199,00\u{a0}$"),
            (5, "EUR", "€0.05", "0,05\u{a0}€"),
            (198_800, "JPY", "¥198,800", "198.800\u{a0}¥"),
            (379_900, "KWD", "KWD\u{a0}379.900", "379,900\u{a0}KWD"),
            (
                -100_000_000,
                "EUR",
                "-€1,000,000.00",
                "-1.000.000,00\u{a0}€",
            ),
        ] {
            let money = Money::new(amount, Currency::from_code(code).unwrap());
            assert_eq!(Language::English.money(money), english);
            assert_eq!(Language::German.money(money), german);
        }
    }

    #[test]
    fn amounts_are_read_as_their_speakers_type_them() {
        assert_eq!(Language::English.decimal("1,199.50"), "1199.50");
        assert_eq!(Language::German.decimal("1.199,50"), "1199.50");
        for (typed, english, german) in [
            ("40", "40", "40"),
            ("39.90", "39.90", "39.90"),
            ("39,90", "39.90", "39.90"),
            ("1,199", "1199", "1.199"),
            ("1.199", "1.199", "1199"),
            ("1,199,000", "1199000", "1.199,000"),
            (".5", ".5", ".5"),
            ("1,2,3", "1,2,3", "1.2,3"),
            ("cheap", "cheap", "cheap"),
            ("", "", ""),
        ] {
            assert_eq!(Language::English.decimal(typed), english, "{typed}");
            assert_eq!(Language::German.decimal(typed), german, "{typed}");
        }
    }

    #[test]
    fn days_and_times_read_as_their_speakers_write_them() {
        let at = Timestamp::from_millis(1_772_409_906_000);
        assert_eq!(
            Language::English.instant(at),
            "March 2, 2026, 00:05\u{a0}UTC"
        );
        assert_eq!(Language::German.instant(at), "2. März 2026, 00:05\u{a0}UTC");
    }

    #[test]
    fn days_from_one_to_another_name_a_month_once() {
        let day = |text: &str| text.parse().unwrap();
        for (first, last, english, german) in [
            ("2026-11-25", "2026-11-25", "November 25", "25. November"),
            (
                "2026-11-25",
                "2026-11-27",
                "November 25 – 27",
                "25. – 27. November",
            ),
            (
                "2026-12-31",
                "2027-01-04",
                "December 31 – January 4",
                "31. Dezember – 4. Januar",
            ),
        ] {
            let (first, last) = (day(first), day(last));
            assert_eq!(Language::English.days(first, last), english);
            assert_eq!(Language::German.days(first, last), german);
        }
    }

    #[test]
    fn only_other_languages_than_the_default_stand_in_an_address() {
        let languages = Languages {
            default: Language::English,
            others: &[Language::German],
        };
        assert_eq!(languages.of_segment("de"), Some(Language::German));
        assert_eq!(languages.of_segment("en"), None);
        assert_eq!(languages.path("/", Language::German), "/de");
        assert_eq!(languages.path("/cart", Language::German), "/de/cart");
        assert_eq!(languages.path("/cart", Language::English), "/cart");
        assert!(languages.all().eq([Language::English, Language::German]));

        let german = Languages {
            default: Language::German,
            others: &[],
        };
        assert_eq!(german.of_segment("de"), None);
        assert_eq!(german.path("/cart", Language::German), "/cart");
        assert_eq!(german.path("/cart", Language::English), "/cart");
    }
}
