//! Address format of each country: the lines of a label, and the order of fields in a form.
//!
//! Parts of an address that its country's format has no place for are written below the rest, so
//! that a label always shows everything that was entered.

use crate::values::addresses::{Address, is_latin};
use crate::values::countries::Country;

/// A part of an address that a form asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Company.
    Company,
    /// Street and house number, in two lines.
    Street,
    /// District of the city.
    Neighborhood,
    /// City or town.
    City,
    /// State, province or prefecture.
    Region,
    /// Postal code.
    PostalCode,
}

/// Label format for an address whose country code is unknown.
const USUAL_FORM: &str = "%N%n%O%n%A%n%D%n%C, %S %Z";

/// Returns the parts of an address in the order of its country; parts that its format does not use
/// are left out.
#[must_use]
pub fn parts_of(country: Option<&Country>) -> Vec<Part> {
    let form = country.map_or("%O%A%n%Z%C%S", |country| country.form);
    let letters = form.split('%').filter_map(|piece| piece.chars().next());
    letters
        .filter_map(|letter| {
            Some(match letter {
                'O' => Part::Company,
                'A' => Part::Street,
                'D' => Part::Neighborhood,
                'C' => Part::City,
                'S' => Part::Region,
                'Z' => Part::PostalCode,
                _ => return None,
            })
        })
        .collect()
}

impl Address {
    /// Returns the lines of a label, ending with the country's name.
    #[must_use]
    pub fn label(&self) -> Vec<String> {
        let country = Country::of_code(&self.country);
        let form = country.map_or(USUAL_FORM, |country| self.form_in(country));
        let mut lines: Vec<String> = form
            .split("%n")
            .flat_map(|line| self.written(line))
            .collect();
        let places = [
            ("%D", self.neighborhood.as_ref()),
            ("%C", Some(&self.city)),
            ("%S", self.region.as_ref()),
            ("%Z", self.postal_code.as_ref()),
        ];
        let left_over: Vec<&str> = places
            .into_iter()
            .filter(|(token, _)| !form.contains(token))
            .filter_map(|(_, text)| text.map(String::as_str))
            .filter(|text| !text.is_empty())
            .collect();
        lines.push(left_over.join(", "));
        lines.push(country.map_or(&*self.country, |it| it.name).to_owned());
        lines.retain(|line| !line.is_empty());
        lines
    }

    fn form_in(&self, country: &'static Country) -> &'static str {
        let has_other = !country.latin_form.is_empty();
        if has_other && is_latin(&self.line1) {
            country.latin_form
        } else {
            country.form
        }
    }

    /// Fills a line of the format with the parts of the address. Punctuation appears only next to
    /// the parts that it belongs to.
    fn written(&self, line: &str) -> Vec<String> {
        let mut lines = vec![String::new()];
        let mut has_part = false;
        let mut pieces = line.split('%');
        let mut sign = pieces.next().unwrap_or_default();
        for piece in pieces {
            let mut characters = piece.chars();
            let parts = self.parts(characters.next().unwrap_or_default());
            let is_there = !parts.is_empty();
            if is_there {
                if let Some(last) = lines.last_mut() {
                    last.push_str(sign);
                }
                has_part = true;
            }
            for (at, part) in parts.into_iter().enumerate() {
                match lines.last_mut() {
                    Some(last) if at == 0 => last.push_str(part),
                    _ => lines.push(part.to_owned()),
                }
            }
            sign = match characters.as_str() {
                "" if !is_there => sign,
                _ if !has_part => "",
                sign => sign,
            };
        }
        lines
    }

    fn parts(&self, letter: char) -> Vec<&str> {
        let parts = match letter {
            'N' => vec![&*self.name],
            'O' => vec![self.company.as_deref().unwrap_or_default()],
            'D' => vec![self.neighborhood.as_deref().unwrap_or_default()],
            'A' => vec![&*self.line1, self.line2.as_deref().unwrap_or_default()],
            'C' => vec![&*self.city],
            'S' => vec![self.region.as_deref().unwrap_or_default()],
            'Z' => vec![self.postal_code.as_deref().unwrap_or_default()],
            _ => vec![],
        };
        parts.into_iter().filter(|part| !part.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::countries::COUNTRIES;

    fn address(country: &str, line1: &str, city: &str, region: &str, postal_code: &str) -> Address {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Address {
            name: "Ann".into(),
            line1: line1.into(),
            line2: some("Flat 2"),
            city: city.into(),
            region: some(region),
            postal_code: some(postal_code),
            country: country.into(),
            ..Address::default()
        }
    }

    #[test]
    fn a_label_is_written_as_its_country_does() {
        for (address, wanted) in [
            (
                address("US", "1 Main", "New York", "NY", "10001"),
                "Ann/1 Main/Flat 2/New York, NY 10001/United States",
            ),
            (
                address("US", "1 Main", "New York", "", "10001"),
                "Ann/1 Main/Flat 2/New York 10001/United States",
            ),
            (
                address("US", "1 Main", "", "NY", "10001"),
                "Ann/1 Main/Flat 2/NY 10001/United States",
            ),
            (
                address("DE", "Torstraße 1", "Berlin", "", "10115"),
                "Ann/Torstraße 1/Flat 2/10115 Berlin/Germany",
            ),
            (
                address("DE", "Torstraße 1", "Berlin", "Berlin", ""),
                "Ann/Torstraße 1/Flat 2/Berlin/Berlin/Germany",
            ),
            (
                address("CH", "Weg 1", "Zürich", "", "8050"),
                "Ann/Weg 1/Flat 2/CH-8050 Zürich/Switzerland",
            ),
            (
                address("CH", "Weg 1", "Zürich", "", ""),
                "Ann/Weg 1/Flat 2/Zürich/Switzerland",
            ),
            (
                address("GB", "1 Mall", "London", "", "SW1A 1AA"),
                "Ann/1 Mall/Flat 2/London/SW1A 1AA/United Kingdom",
            ),
            (
                address("JP", "千代田1-1", "千代田区", "東京都", "100-0001"),
                "〒100-0001/東京都千代田区/千代田1-1/Flat 2/Ann/Japan",
            ),
            (
                address("JP", "1-1 Chiyoda", "Chiyoda-ku", "Tokyo", "100-0001"),
                "Ann/1-1 Chiyoda/Flat 2/Chiyoda-ku, Tokyo/100-0001/Japan",
            ),
            (
                address("BR", "Rua 1", "São Paulo", "SP", "01310-100"),
                "Ann/Rua 1/Flat 2/São Paulo-SP/01310-100/Brazil",
            ),
            (
                address("HU", "Utca 1", "Budapest", "", "1037"),
                "Ann/Budapest/Utca 1/Flat 2/1037/Hungary",
            ),
            (
                address("SG", "1 Road", "", "", "546080"),
                "Ann/1 Road/Flat 2/SINGAPORE 546080/Singapore",
            ),
            (
                address("GG", "1 Road", "St Peter Port", "", "GY1 1AA"),
                "Ann/1 Road/Flat 2/St Peter Port/GY1 1AA/Guernsey",
            ),
            (
                address("ZZ", "1 Road", "Here", "", "1"),
                "Ann/1 Road/Flat 2/Here 1/ZZ",
            ),
        ] {
            assert_eq!(address.label().join("/"), wanted);
        }
    }

    #[test]
    fn a_company_and_a_part_of_the_town_stand_where_the_country_writes_them() {
        for (address, wanted) in [
            (
                address("BR", "Rua 1", "São Paulo", "SP", "01310-100"),
                "Firm/Ann/Rua 1/Flat 2/Quarter/São Paulo-SP/01310-100/Brazil",
            ),
            (
                address("KR", "세종대로 110", "중구", "서울", "04524"),
                "서울 중구Quarter/세종대로 110/Flat 2/Firm/Ann/04524/South Korea",
            ),
            (
                address("JP", "千代田1-1", "千代田区", "東京都", "100-0001"),
                "〒100-0001/東京都千代田区/千代田1-1/Flat 2/Firm/Ann/Quarter/Japan",
            ),
            (
                address("DE", "Torstraße 1", "Berlin", "", "10115"),
                "Ann/Firm/Torstraße 1/Flat 2/10115 Berlin/Quarter/Germany",
            ),
            (
                address("ZZ", "1 Road", "Here", "", "1"),
                "Ann/Firm/1 Road/Flat 2/Quarter/Here 1/ZZ",
            ),
        ] {
            let whole = Address {
                company: Some("Firm".into()),
                neighborhood: Some("Quarter".into()),
                ..address
            };
            assert_eq!(whole.label().join("/"), wanted);
        }
    }

    /// A label shows everything that was entered, whatever parts the country's format has.
    #[test]
    fn every_country_shows_all_that_was_typed() {
        let parts = [
            "Ann",
            "the-firm",
            "the-quarter",
            "line-one",
            "Flat 2",
            "the-city",
            "the-region",
            "the-code",
        ];
        for country in COUNTRIES.iter() {
            for missing in ["none", "the-city", "the-region", "the-code"] {
                let [city, region, code] = ["the-city", "the-region", "the-code"]
                    .map(|part| if part == missing { "" } else { part });
                let typed = Address {
                    company: Some("the-firm".into()),
                    neighborhood: Some("the-quarter".into()),
                    ..address(country.code, "line-one", city, region, code)
                };
                let lines = typed.label();
                for part in parts.iter().filter(|part| **part != missing) {
                    let count = lines.iter().filter(|line| line.contains(part)).count();
                    assert_eq!(count, 1, "{} {part} {lines:?}", country.code);
                }
                let is_tidy = |line: &String| {
                    line.trim() == line
                        && !line.starts_with([',', '-', '/'])
                        && !line.ends_with([',', '-', '/'])
                };
                assert!(lines.iter().all(is_tidy), "{} {lines:?}", country.code);
                assert_eq!(lines.last().unwrap(), country.name);
            }
        }
    }
}
