//! Phone numbers in the form that carriers accept: digits, with a `+` before those that begin with
//! a country code.
//!
//! Numbers are not looked up. A number written in national form is kept so, because the digits to
//! drop for calls from abroad differ by country.

use crate::values::typing::plain_text;

/// Number of digits in a phone number (ITU-T E.164).
const DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

/// Country codes of countries whose numbers keep the leading zero in calls from abroad.
const KEEP_ZERO: [&str; 2] = ["39", "378"];

/// Parses a typed or pasted phone number: `+49 (0)30 1234‑567`, `0049 30 1234567` and
/// `tel:+49301234567` all give `+49301234567`. `None` means that it is not a phone number.
#[must_use]
pub fn read_phone(typed: &str) -> Option<String> {
    let plain: String = plain_text(typed).to_lowercase();
    let solid: String = plain.chars().filter(|it| !is_between(*it)).collect();
    let solid = solid.strip_prefix("tel").unwrap_or(&solid);
    let solid = solid.strip_prefix(':').unwrap_or(solid);
    // `0011` is the international prefix in Australia.
    let signs = ["+", "0011", "00", "(+", "(0011", "(00"];
    let abroad = signs.into_iter().find_map(|it| solid.strip_prefix(it));
    let number = match abroad {
        // A part in parentheses is dialed within the country only, except in Italy and San Marino.
        Some(rest) if keeps_zero(rest) => rest.to_owned(),
        Some(rest) => rest.replacen("(0)", "", 1),
        None => solid.to_owned(),
    };
    let digits: String = number
        .chars()
        .filter(|it| !matches!(it, '(' | ')'))
        .collect();
    let is_number = DIGITS.contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    // No country code begins with a zero, and no national number with two.
    let never = if abroad.is_some() { "0" } else { "00" };
    let is_reachable = !digits.starts_with(never);
    (is_number && is_reachable).then(|| match abroad {
        Some(_) => format!("+{digits}"),
        None => digits,
    })
}

fn keeps_zero(abroad: &str) -> bool {
    let digits = abroad.trim_start_matches('(');
    KEEP_ZERO.iter().any(|code| digits.starts_with(code))
}

/// True for characters that people write between digits.
const fn is_between(character: char) -> bool {
    matches!(
        character,
        ' ' | '-' | '.' | '/' | '\\' | ',' | '[' | ']' | 'ー' | '・' | '\u{b7}' | '\u{2022}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_is_taken_however_it_is_written() {
        for (typed, wanted) in [
            ("+49 30 1234567", "+49301234567"),
            ("+49 (0)30 1234-567", "+49301234567"),
            ("+39 (0)6 1234567", "+39061234567"),
            ("0011 49 30 1234567", "+49301234567"),
            ("(0011) 49 30 1234567", "+49301234567"),
            ("+(39) (0)6 1234567", "+39061234567"),
            ("+49 ( 0 ) 30 / 1234.567", "+49301234567"),
            ("0049 (0) 30 1234567", "+49301234567"),
            ("00\u{a0}49\u{a0}30\u{a0}1234567", "+49301234567"),
            ("(+49) 30 1234567", "+49301234567"),
            ("(0049) 30 1234567", "+49301234567"),
            ("tel:+49301234567", "+49301234567"),
            ("Tel.: 030 / 123 45 67", "0301234567"),
            ("＋８１ー３ー１２３４ー５６７８", "+81312345678"),
            ("０９０−１２３４−５６７８", "09012345678"),
            ("（０３）ー１２３４ー５６７８", "0312345678"),
            ("03・1234・5678", "0312345678"),
            ("٠٩٠١٢٣٤٥٦٧", "0901234567"),
            (
                "\u{202a}+1\u{2011}212\u{2013}555\u{2014}0100\u{202c}",
                "+12125550100",
            ),
            ("(212) 555-0100", "2125550100"),
            ("(030) 1234567", "0301234567"),
            ("(0)30 1234567", "0301234567"),
            ("+39 06 1234567", "+39061234567"),
            ("12345", "12345"),
            ("+123456789012345", "+123456789012345"),
        ] {
            assert_eq!(read_phone(typed).as_deref(), Some(wanted), "{typed}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for typed in [
            "",
            " ",
            "+",
            "1234",
            "+1234",
            "1234567890123456",
            "call me",
            "030 1234 ext 5",
            "++49301234567",
            "49+301234567",
            "+049301234567",
            "000301234567",
            "(0)0301234567",
            "+49 30 123x456",
            "ann@shopper.test",
        ] {
            assert_eq!(read_phone(typed), None, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn what_was_read_reads_as_itself(typed in "\\PC{0,24}|[+0-9 ()./-]{0,24}") {
            if let Some(number) = read_phone(&typed) {
                prop_assert_eq!(read_phone(&number), Some(number.clone()));
                let digits = number.strip_prefix('+').unwrap_or(&number);
                prop_assert!(digits.bytes().all(|it| it.is_ascii_digit()) && DIGITS.contains(&digits.len()));
            }
        }
    }
}
