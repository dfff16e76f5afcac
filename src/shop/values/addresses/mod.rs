//! Postal addresses, validated by the requirements of their country. Text in any script is kept as
//! entered.

pub mod labels;
pub mod phones;

use crate::codes::Code;
use crate::error::FieldError;
use crate::values::addresses::phones::read_phone;
use crate::values::countries::Country;
use crate::values::subdivisions::{is_strict, read_region};
use crate::values::typing::plain_text;
use serde::{Deserialize, Serialize};

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Name of the recipient.
    pub name: String,
    /// Company at which the parcel is received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Street and house number.
    pub line1: String,
    /// Apartment, floor or building.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// District of the city, in countries that write one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighborhood: Option<String>,
    /// City or town.
    #[serde(default)]
    pub city: String,
    /// State, province or prefecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
    /// Phone number of the recipient: digits, with a `+` before numbers that begin with a country
    /// code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// Maximum length of a field in characters.
const MAX_FIELD_CHARS: usize = 200;

impl Address {
    /// Returns the errors of each field; `prefix` is the path of the address.
    #[must_use]
    pub fn errors(&self, prefix: &str) -> Vec<FieldError> {
        let country = Country::of_code(&self.country);
        let needs = |judge: fn(&Country) -> bool| country.is_some_and(judge);
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let [region, postal_code] = [&self.region, &self.postal_code].map(text);
        let faults = [
            ("name", field_fault(&self.name, true)),
            ("company", field_fault(&text(&self.company), false)),
            ("line1", field_fault(&self.line1, true)),
            ("line2", field_fault(&text(&self.line2), false)),
            (
                "neighborhood",
                field_fault(&text(&self.neighborhood), false),
            ),
            ("city", field_fault(&self.city, needs(Country::needs_city))),
            ("region", region_fault(&region, country)),
            ("postal_code", postal_code_fault(&postal_code, country)),
            ("country", country_fault(country)),
            ("phone", phone_fault(&text(&self.phone))),
        ];
        faults
            .into_iter()
            .filter_map(|(name, fault)| {
                let (code, detail) = fault?;
                Some(FieldError::new(format!("{prefix}.{name}"), code, detail))
            })
            .collect()
    }

    /// Returns the address with surrounding spaces removed, its postal code and region as its
    /// country writes them, and its phone number in normalized form.
    #[must_use]
    pub fn normalized(self) -> Self {
        let trimmed = |text: String| text.trim().to_owned();
        let some = |text: Option<String>| text.map(trimmed).filter(|text| !text.is_empty());
        let country = Country::of_code(&self.country);
        let is_latin = is_latin(&self.line1);
        let region = |typed: String| {
            let known = country.and_then(|country| read_region(country, &typed));
            known.map_or_else(
                || typed.clone(),
                |it| if is_latin { it.latin } else { it.name }.to_owned(),
            )
        };
        let postal_code = |typed: String| {
            country
                .and_then(|country| country.read_postal_code(&typed))
                .unwrap_or_else(|| plain_text(&typed))
        };
        let phone = |typed: String| read_phone(&typed).unwrap_or(typed);
        Self {
            name: trimmed(self.name),
            company: some(self.company),
            line1: trimmed(self.line1),
            line2: some(self.line2),
            neighborhood: some(self.neighborhood),
            city: trimmed(self.city),
            region: some(self.region).map(region),
            postal_code: some(self.postal_code).map(postal_code),
            country: self.country,
            phone: some(self.phone).map(phone),
        }
    }
}

/// True for a text without letters of any script other than Latin.
fn is_latin(text: &str) -> bool {
    let is_other =
        |it: char| it.is_alphabetic() && it > '\u{24f}' && !('\u{1e00}'..='\u{1eff}').contains(&it);
    !text.chars().any(is_other)
}

type Fault = Option<(Code, String)>;

fn field_fault(value: &str, required: bool) -> Fault {
    if required && value.trim().is_empty() {
        return Some((Code::Required, "This field is required.".to_owned()));
    }
    if value.chars().count() > MAX_FIELD_CHARS {
        return Some((
            Code::TooLong,
            format!("Must be at most {MAX_FIELD_CHARS} characters long."),
        ));
    }
    if value.chars().any(|it| it.is_control() || ends_line(it)) {
        return Some((
            Code::ControlCharacter,
            "Must not contain line breaks or control characters.".to_owned(),
        ));
    }
    None
}

/// True for line and paragraph separators, which Unicode does not count as control characters.
const fn ends_line(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}')
}

fn region_fault(region: &str, country: Option<&Country>) -> Fault {
    let required = country.is_some_and(Country::needs_region);
    let fault = field_fault(region, required);
    if fault.is_some() || region.trim().is_empty() {
        return fault;
    }
    country
        .filter(|country| is_strict(country) && read_region(country, region).is_none())
        .map(|_| {
            let detail = "There is no such region in this country.".to_owned();
            (Code::InvalidRegion, detail)
        })
}

fn postal_code_fault(postal_code: &str, country: Option<&Country>) -> Fault {
    let required = country.is_some_and(Country::needs_postal_code);
    let fault = field_fault(postal_code, required);
    if fault.is_some() || postal_code.trim().is_empty() {
        return fault;
    }
    country
        .filter(|country| !country.takes_postal_code(postal_code))
        .map(|country| {
            let detail = format!(
                "Not a valid postal code. Use a format like {}.",
                country.postal_code_examples()
            );
            (Code::InvalidPostalCode, detail)
        })
}

fn phone_fault(phone: &str) -> Fault {
    let fault = field_fault(phone, false);
    if fault.is_some() || phone.trim().is_empty() || read_phone(phone).is_some() {
        return fault;
    }
    let detail = "Must be a phone number with 5 to 15 digits, such as +49 30 1234567.";
    Some((Code::InvalidPhone, detail.to_owned()))
}

fn country_fault(country: Option<&Country>) -> Fault {
    country.is_none().then(|| {
        let detail = "Must be a country code of two capital letters, such as US.";
        (Code::InvalidCountry, detail.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(address: &Address) -> Vec<(String, Code)> {
        let errors = address.errors("a");
        errors
            .into_iter()
            .map(|error| (error.field, error.code))
            .collect()
    }

    fn tokyo() -> Address {
        Address {
            name: "Zoë 🎉 عائشة".into(),
            line1: "1 Main St".into(),
            city: "千代田区".into(),
            region: Some("東京都".into()),
            postal_code: Some("100-0001".into()),
            country: "JP".into(),
            ..Address::default()
        }
    }

    #[test]
    fn any_script_is_kept_and_control_characters_are_refused() {
        assert_eq!(codes(&tokyo()), []);
        let broken = Address {
            name: "a\nb".into(),
            line1: "x".repeat(201),
            line2: Some("\u{0}".into()),
            ..tokyo()
        };
        let wanted = [
            ("a.name", Code::ControlCharacter),
            ("a.line1", Code::TooLong),
            ("a.line2", Code::ControlCharacter),
        ];
        assert_eq!(
            codes(&broken),
            wanted.map(|(field, code)| (field.to_owned(), code))
        );
    }

    #[test]
    fn a_country_needs_what_it_needs() {
        let bare = |country: &str| Address {
            name: "Ann".into(),
            line1: "1 Main St".into(),
            country: country.into(),
            ..Address::default()
        };
        for (country, wanted) in [
            (
                "US",
                vec![
                    "a.city required",
                    "a.region required",
                    "a.postal_code required",
                ],
            ),
            ("DE", vec!["a.city required", "a.postal_code required"]),
            ("HK", vec!["a.region required"]),
            ("KW", vec!["a.city required"]),
            ("SG", vec!["a.postal_code required"]),
            ("us", vec!["a.country invalid_country"]),
            ("ZZ", vec!["a.country invalid_country"]),
            ("", vec!["a.country invalid_country"]),
        ] {
            let found: Vec<String> = codes(&bare(country))
                .into_iter()
                .map(|(field, code)| format!("{field} {code}"))
                .collect();
            assert_eq!(found, wanted, "{country}");
        }
    }

    #[test]
    fn a_region_is_one_of_its_country() {
        for (country, region, postal_code, fits) in [
            ("US", "ny", "10001", true),
            ("US", "Narnia", "10001", false),
            ("CA", "Ontario", "K1A 0B1", true),
            ("CA", "NY", "K1A 0B1", false),
            ("DE", "Narnia", "10115", true),
        ] {
            let address = Address {
                region: Some(region.into()),
                postal_code: Some(postal_code.into()),
                country: country.into(),
                ..tokyo()
            };
            assert_eq!(codes(&address).is_empty(), fits, "{country} {region}");
        }
    }

    #[test]
    fn a_postal_code_is_that_of_its_country() {
        for (country, postal_code, fits) in [
            ("JP", "1000001", true),
            ("JP", "10001", false),
            ("KW", "", true),
            ("KW", "1", false),
        ] {
            let address = Address {
                postal_code: Some(postal_code.into()),
                country: country.into(),
                ..tokyo()
            };
            assert_eq!(codes(&address).is_empty(), fits, "{country} {postal_code}");
        }
    }

    #[test]
    fn what_was_typed_comes_back_as_its_country_writes_it() {
        let typed = |country: &str, line1: &str, region: &str, postal_code: &str| {
            let address = Address {
                name: "  Zoë ".into(),
                line1: line1.into(),
                line2: Some(" ".into()),
                city: "\u{a0}Town ".into(),
                region: Some(region.into()),
                postal_code: Some(postal_code.into()),
                country: country.into(),
                ..Address::default()
            };
            let written = address.normalized();
            assert_eq!(written.clone().normalized(), written);
            assert_eq!((&*written.name, &*written.city), ("Zoë", "Town"));
            assert_eq!(written.line2, None);
            [written.region, written.postal_code].map(Option::unwrap_or_default)
        };
        for (country, line1, region, postal_code, wanted) in [
            (
                "US",
                "1 Main",
                "new  york",
                "100010001",
                ["NY", "10001-0001"],
            ),
            ("US", "1 Main", "D.C.", "20001", ["DC", "20001"]),
            (
                "CA",
                "1 Main",
                "Yukon Territory",
                "y1a1a1",
                ["YT", "Y1A 1A1"],
            ),
            (
                "JP",
                "千代田1-1",
                "東京",
                "１００－０００１",
                ["東京都", "100-0001"],
            ),
            (
                "JP",
                "1-1 Chiyoda",
                "Tokyo-to",
                "1000001",
                ["Tokyo", "100-0001"],
            ),
            (
                "JP",
                "千代田1-1",
                "Tokyo",
                "1000001",
                ["東京都", "100-0001"],
            ),
            ("SE", "Gatan 1", "", "SE-11321", ["", "113 21"]),
            (
                "DE",
                "Torstraße 1",
                " Berlin ",
                "D-10115",
                ["Berlin", "10115"],
            ),
            ("KW", "Block 1", "", "nowhere", ["", "nowhere"]),
            ("ZZ", "1", "Here", "x\u{a0}1", ["Here", "x 1"]),
        ] {
            assert_eq!(
                typed(country, line1, region, postal_code),
                wanted,
                "{country}"
            );
        }
    }

    #[test]
    fn stored_addresses_still_read() {
        let stored = r#"{"name":"Ann","line1":"1 Main","city":"NYC","region":"NY","postal_code":"10001","country":"US"}"#;
        let address: Address = durable::json::read(stored).unwrap();
        assert_eq!(serde_json::to_string(&address).unwrap(), stored);
        assert_eq!(
            address.label(),
            ["Ann", "1 Main", "NYC, NY 10001", "United States"]
        );
    }
}
