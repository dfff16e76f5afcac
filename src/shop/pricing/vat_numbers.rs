//! VAT numbers of businesses in the European Union: a check of the form used by each country.
//!
//! The forms are those of the Commission's VIES (ec.europa.eu/taxation_customs/vies, FAQ). Whether
//! a number is in use is known only to VIES, which is not queried here.

use crate::values::typing::plain_code;

/// Form of each country's numbers after the prefix, alternatives separated by `|`: `9` is a digit,
/// `A` a letter, `X` either, `B` a letter, a digit, `+` or `*`; anything else stands for itself.
const FORMS: [(&str, &str, &str); 28] = [
    ("AT", "AT", "U99999999"),
    ("BE", "BE", "0999999999|1999999999"),
    ("BG", "BG", "999999999|9999999999"),
    ("CY", "CY", "99999999A"),
    ("CZ", "CZ", "99999999|999999999|9999999999"),
    ("DE", "DE", "999999999"),
    ("DK", "DK", "99999999"),
    ("EE", "EE", "999999999"),
    ("GR", "EL", "999999999"),
    ("ES", "ES", "X9999999X"),
    ("FI", "FI", "99999999"),
    ("FR", "FR", "XX999999999"),
    ("HR", "HR", "99999999999"),
    ("HU", "HU", "99999999"),
    ("IE", "IE", "9B99999A|9999999AA"),
    ("IT", "IT", "99999999999"),
    ("LT", "LT", "999999999|999999999999"),
    ("LU", "LU", "99999999"),
    ("LV", "LV", "99999999999"),
    ("MT", "MT", "99999999"),
    ("NL", "NL", "BBBBBBBBBBBB"),
    ("PL", "PL", "9999999999"),
    ("PT", "PT", "999999999"),
    (
        "RO",
        "RO",
        "99|999|9999|99999|999999|9999999|99999999|999999999|9999999999",
    ),
    ("SE", "SE", "999999999999"),
    ("SI", "SI", "99999999"),
    ("SK", "SK", "9999999999"),
    ("GB", "XI", "999999999|999999999999|GD999|HA999"),
];

/// Returns the number as stored, letters and digits in upper case, if it has the form used in
/// `country`.
///
/// # Errors
/// A message that describes the accepted forms.
pub fn read_vat_number(text: &str, country: &str) -> Result<String, String> {
    let signs = |it: &char| it.is_alphanumeric() || matches!(it, '+' | '*');
    let number: String = plain_code(text).chars().filter(signs).collect();
    let Some((_, prefix, forms)) = FORMS.iter().find(|(of, ..)| *of == country) else {
        return Err(format!("VAT numbers of {country} are not supported."));
    };
    let fits = number
        .strip_prefix(prefix)
        .is_some_and(|rest| forms.split('|').any(|form| has_form(rest, form)));
    if fits {
        return Ok(number);
    }
    Err(format!(
        "A VAT number of {country} is {prefix} followed by {}, where 9 is any digit, A any letter and X either.",
        forms.replace('|', " or ")
    ))
}

fn has_form(text: &str, form: &str) -> bool {
    text.chars().count() == form.chars().count()
        && text
            .chars()
            .zip(form.chars())
            .all(|(is, wanted)| match wanted {
                '9' => is.is_ascii_digit(),
                'A' => is.is_ascii_uppercase(),
                'X' => is.is_ascii_uppercase() || is.is_ascii_digit(),
                'B' => is.is_ascii_uppercase() || is.is_ascii_digit() || matches!(is, '+' | '*'),
                other => is == other,
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_form_of_their_country() {
        for (country, text) in [
            ("AT", "ATU12345678"),
            ("BE", "BE 0123.456.789"),
            ("DE", "de 123456789"),
            ("DE", "DE12345678９"),
            ("DE", "\u{feff}DE\u{a0}123\u{2011}456/789\u{200b}"),
            ("GR", "EL123456789"),
            ("ES", "ESX1234567X"),
            ("FR", "FR-XX123456789"),
            ("IE", "IE1234567WA"),
            ("IE", "IE1+23456A"),
            ("NL", "NL123456789B01"),
            ("RO", "RO99"),
            ("GB", "XI123456789"),
        ] {
            assert!(
                read_vat_number(text, country).is_ok(),
                "{text} in {country}"
            );
        }
        for (country, text) in [
            ("AT", "AT12345678"),
            ("DE", "FR12345678901"),
            ("DE", "DE12345678"),
            ("DE", "DE1234567890"),
            ("DE", "123456789"),
            ("GR", "GR123456789"),
            ("US", "US123456789"),
            ("DE", ""),
        ] {
            assert!(
                read_vat_number(text, country).is_err(),
                "{text} in {country}"
            );
        }
    }

    #[test]
    fn every_member_state_is_there_once() {
        let mut countries: Vec<_> = FORMS.iter().map(|(country, ..)| country).collect();
        countries.sort_unstable();
        countries.dedup();
        assert_eq!(countries.len(), FORMS.len());
    }
}
