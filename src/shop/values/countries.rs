//! The countries that can be shipped to, and what an address is in each, as `countries.txt` has it:
//! written by `tools/addresses.mjs`, which says where it comes from.
//!
//! Codes are ISO 3166-1 alpha-2 (and XK, Kosovo); names are those of Unicode CLDR.

use crate::values::typing::letters_and_digits;
use std::sync::LazyLock;

/// Form of addresses in one country.
#[derive(Debug, Default)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    /// In English.
    pub name: &'static str,
    /// `A` street, `C` city, `S` region, `Z` postal code.
    required: &'static str,
    /// Its lines, from top to bottom: `%N` the name, `%O` the company, `%A` the street, `%D` the
    /// neighbourhood, `%C` the city, `%S` the region, `%Z` the postal code, `%n` a new line.
    pub(crate) form: &'static str,
    /// That in Latin letters. Empty: the same.
    pub(crate) latin_form: &'static str,
    /// Shapes of its postal codes, by `|`: `9` a digit, `A` a letter, `X` either, another its very
    /// self. Empty: no postal codes, or any.
    postal_codes: &'static str,
    /// Signs that people write before postal codes, by `|`.
    signs: &'static str,
    /// The word for a region: `state`.
    pub region_word: &'static str,
    /// The word for a city: `post_town`.
    pub city_word: &'static str,
    /// The word for a postal code: `zip`.
    pub postal_word: &'static str,
    /// The word for a part of a city: `suburb`. Empty: addresses have none.
    pub neighborhood_word: &'static str,
    /// Rows of its regions.
    pub(crate) regions: &'static str,
}

/// By name.
pub static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| countries_in(KEPT));

const KEPT: &str = include_str!("countries.txt");

impl Country {
    /// The country with this code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<&'static Self> {
        COUNTRIES.iter().find(|country| country.code == code)
    }

    /// True if an address here needs a city.
    #[must_use]
    pub fn needs_city(&self) -> bool {
        self.required.contains('C')
    }

    /// True if an address here needs a region.
    #[must_use]
    pub fn needs_region(&self) -> bool {
        self.required.contains('S')
    }

    /// True if an address here needs a postal code.
    #[must_use]
    pub fn needs_postal_code(&self) -> bool {
        self.required.contains('Z')
    }

    /// True for a postal code of this country, however it is written.
    #[must_use]
    pub fn takes_postal_code(&self, postal_code: &str) -> bool {
        self.postal_codes.is_empty() || self.read_postal_code(postal_code).is_some()
    }

    /// A postal code as the country writes it: its case, its space or hyphen, without the sign of
    /// the country unless that is part of it. None: it is no postal code of this country, or of any
    /// shape.
    #[must_use]
    pub fn read_postal_code(&self, postal_code: &str) -> Option<String> {
        let typed = letters_and_digits(postal_code);
        let shaped = |code: &str| {
            let mut shapes = self.postal_codes.split('|');
            shapes.find_map(|shape| in_shape(code, shape))
        };
        let without_sign = || {
            let signs = self.signs.split('|');
            let rests = signs.filter_map(|sign| typed.strip_prefix(sign));
            rests.filter_map(shaped).next()
        };
        shaped(&typed)
            .or_else(without_sign)
            .or_else(|| shaped(&format!("{}{typed}", self.code)))
    }

    /// Examples of postal codes here: a made-up one of each shape.
    #[must_use]
    pub fn postal_code_examples(&self) -> String {
        let examples: Vec<String> = self.postal_codes.split('|').map(example_of).collect();
        examples.join(" or ")
    }
}

/// A row a country, and below it one a region, which begins with a tab.
fn countries_in(kept: &'static str) -> Vec<Country> {
    let mut countries = Vec::new();
    let mut rest = kept;
    while let Some((row, below)) = rest.split_once('\n') {
        let end = end_of_regions(below);
        let (regions, others) = below.split_at_checked(end).unwrap_or((below, ""));
        rest = others;
        if !row.starts_with('#') {
            countries.push(country_of(row, regions));
        }
    }
    countries
}

fn end_of_regions(below: &str) -> usize {
    let rows = below.split_inclusive('\n');
    rows.take_while(|row| row.starts_with('\t'))
        .map(str::len)
        .sum()
}

fn country_of(row: &'static str, regions: &'static str) -> Country {
    let mut cells = row.split('\t');
    let mut next = || cells.next().unwrap_or_default();
    Country {
        code: next(),
        name: next(),
        required: next(),
        form: next(),
        latin_form: next(),
        postal_codes: next(),
        signs: next(),
        region_word: next(),
        city_word: next(),
        postal_word: next(),
        neighborhood_word: next(),
        regions,
    }
}

fn example_of(shape: &str) -> String {
    let (mut digits, mut letters) = (('1'..='9').cycle(), ('A'..='Z').cycle());
    shape
        .chars()
        .map(|wanted| match wanted {
            '9' => digits.next().unwrap_or(wanted),
            'A' | 'X' => letters.next().unwrap_or(wanted),
            other => other,
        })
        .collect()
}

/// A code of letters and digits alone, with what its shape has between them. None: it has another
/// shape.
fn in_shape(code: &str, shape: &str) -> Option<String> {
    let mut given = code.chars();
    let mut written = String::with_capacity(shape.len());
    for wanted in shape.chars() {
        if matches!(wanted, ' ' | '-') {
            written.push(wanted);
            continue;
        }
        let character = given.next()?;
        let fits = match wanted {
            '9' => character.is_ascii_digit(),
            'A' => character.is_ascii_uppercase(),
            'X' => character.is_ascii_digit() || character.is_ascii_uppercase(),
            other => character == other,
        };
        if !fits {
            return None;
        }
        written.push(character);
    }
    given.next().is_none().then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_once() {
        for (at, country) in COUNTRIES.iter().enumerate() {
            assert_eq!(country.code.len(), 2);
            assert!(country.code.bytes().all(|byte| byte.is_ascii_uppercase()));
            assert!(
                COUNTRIES[..at]
                    .iter()
                    .all(|other| other.code != country.code),
                "{}",
                country.code
            );
        }
    }

    #[test]
    fn postal_codes_have_the_shapes_of_their_country() {
        for (country, good, bad) in [
            ("US", "10001", "1000"),
            ("US", "22162-1010", "22162-10"),
            ("GB", "sw1a 1aa", "SW1A"),
            ("GB", "M2 5BQ", "12345"),
            ("CA", "H3Z 2Y7", "H3Z 2YY"),
            ("DE", "10115", "1011"),
            ("JP", "154-0023", "154-002"),
            ("NL", "1234 AB", "1234"),
            ("LV", "LV-1073", "LT-1073"),
            ("KW", "54541", "5454"),
            ("KW", "٥٤٥٤١", "٥٤٥٤"),
        ] {
            let country = Country::of_code(country).unwrap();
            assert!(country.takes_postal_code(good), "{} {good}", country.code);
            assert!(!country.takes_postal_code(bad), "{} {bad}", country.code);
        }
    }

    #[test]
    fn a_country_takes_its_own_examples() {
        for country in COUNTRIES
            .iter()
            .filter(|country| !country.postal_codes.is_empty())
        {
            for example in country.postal_code_examples().split(" or ") {
                assert!(
                    country.takes_postal_code(example),
                    "{} {example}",
                    country.code
                );
            }
        }
        let canada = Country::of_code("CA").unwrap();
        assert_eq!(canada.postal_code_examples(), "A1B 2C3");
    }

    #[test]
    fn every_country_has_its_form() {
        assert_eq!(COUNTRIES.len(), 250);
        for country in COUNTRIES.iter() {
            assert!(country.form.contains("%N") && country.form.contains("%A"));
            for (part, needed) in [
                ("%C", country.needs_city()),
                ("%S", country.needs_region()),
                ("%Z", country.needs_postal_code()),
            ] {
                let forms = [country.form, country.latin_form];
                let mut forms = forms.iter().filter(|form| !form.is_empty());
                assert!(
                    !needed || forms.all(|form| form.contains(part)),
                    "{} {part}",
                    country.code
                );
            }
            assert!(!country.postal_word.is_empty(), "{}", country.code);
        }
    }

    #[test]
    fn postal_codes_are_taken_with_the_sign_and_without() {
        for (country, typed, written) in [
            ("LU", "L-8211", "8211"),
            ("LT", "LT-01001", "01001"),
            ("MD", "MD-2001", "2001"),
            ("FI", "FI-00100", "00100"),
            ("FI", "FIN-00100", "00100"),
            ("SE", "SE-113 21", "113 21"),
            ("SE", "11321", "113 21"),
            ("CH", "CH-8050", "8050"),
            ("DE", "D-10115", "10115"),
            ("DE", "D\u{2013}10115\u{200b}", "10115"),
            ("AT", "A-1010", "1010"),
            ("BE", "B-1000", "1000"),
            ("DK", "DK-1050", "1050"),
            ("NO", "N-0155", "0155"),
            ("LV", "1073", "LV-1073"),
            ("AD", "500", "AD500"),
            ("AD", "AD 500", "AD500"),
            ("BB", "23026", "BB23026"),
            ("KY", "1-1100", "KY1-1100"),
            ("JP", "〒100-0001", "100-0001"),
            ("JP", "１０００００１", "100-0001"),
            ("US", "221621010", "22162-1010"),
            ("US", "US-10001", "10001"),
            ("GB", "sw1a1aa", "SW1A 1AA"),
            ("GB", "bfpo 57", "BFPO 57"),
            ("CA", "h3z–2y7", "H3Z 2Y7"),
            ("IE", "a65f4e2", "A65 F4E2"),
            ("SV", "CP 1101", "1101"),
            ("LI", "FL-9490", "9490"),
            ("PR", "PR 00930", "00930"),
            ("PL", "PL 00950", "00-950"),
            ("NL", "nl-1234ab", "1234 AB"),
        ] {
            let found = Country::of_code(country).unwrap().read_postal_code(typed);
            assert_eq!(found.as_deref(), Some(written), "{country} {typed}");
        }
    }

    /// Each country's own examples, with each sign before them, however they are separated, wide
    /// and narrow.
    #[test]
    fn pasted_forms_of_every_country_are_one() {
        for country in COUNTRIES.iter().filter(|it| !it.postal_codes.is_empty()) {
            for example in country.postal_code_examples().split(" or ") {
                let written = country.read_postal_code(example);
                assert!(written.is_some(), "{} {example}", country.code);
                let wide: String = example
                    .chars()
                    .map(|it| match u32::from(it) {
                        code @ 0x21..=0x7e => char::from_u32(code + 0xfee0).unwrap(),
                        _ => '\u{3000}',
                    })
                    .collect();
                let mut forms = vec![
                    wide,
                    example.to_lowercase(),
                    example.replace([' ', '-'], ""),
                    example.replace(' ', "\u{a0}").replace('-', "\u{2011}"),
                    format!("\u{feff}{example}\u{200b} "),
                ];
                for sign in country.signs.split('|') {
                    forms.extend(["-", " ", ""].map(|gap| format!("{sign}{gap}{example}")));
                }
                for form in forms {
                    assert_eq!(
                        country.read_postal_code(&form),
                        written,
                        "{} {form}",
                        country.code
                    );
                }
            }
        }
    }
}
