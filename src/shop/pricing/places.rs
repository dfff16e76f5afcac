//! Places that make up a zone, and the choice of zone for an address: the one with the most
//! specific matching place.
//!
//! A longer postal prefix is more specific than a shorter one, any prefix more specific than a
//! region, a region more specific than its country, and a country more specific than anywhere. Two
//! zones that name a place equally specifically contradict each other; such settings are rejected.

use crate::codes::Code;
use crate::error::FieldError;
use crate::values::addresses::Address;
use crate::values::countries::Country;
use crate::values::folding::folded;
use crate::values::subdivisions::region_code;
use crate::values::typing::letters_and_digits;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Country code of a place that matches every country.
const ANYWHERE: &str = "*";

/// Addresses in a country, in one of its regions, or under a postal code prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Place {
    /// ISO 3166-1 alpha-2, or `*` for anywhere.
    pub country: String,
    /// Region as written in addresses; case does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Beginning of the postal codes; case and spaces do not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_prefix: Option<String>,
}

/// Destination in the form that places are compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    region: String,
    postal_code: String,
}

/// A set of places with an id.
pub trait Zone {
    /// Id of the zone, unique among zones of its kind.
    fn id(&self) -> &str;
    /// Places that make up the zone.
    fn places(&self) -> &[Place];
}

impl Destination {
    /// Builds a destination from a country and, where known, the region and postal code.
    #[must_use]
    pub fn new(country: &str, region: Option<&str>, postal_code: Option<&str>) -> Self {
        Self {
            country: country.to_owned(),
            region: region_of(country, region.unwrap_or_default()),
            postal_code: letters_and_digits(postal_code.unwrap_or_default()),
        }
    }

    /// Returns the destination of a parcel to this address.
    #[must_use]
    pub fn of(address: &Address) -> Self {
        Self::new(
            &address.country,
            address.region.as_deref(),
            address.postal_code.as_deref(),
        )
    }
}

/// Returns the zone with the most specific place that covers `destination`. `None` means that no
/// zone covers it.
#[must_use]
pub fn zone_of<'z, Z: Zone>(zones: &'z [Z], destination: &Destination) -> Option<&'z Z> {
    let closest = |zone: &'z Z| {
        let places = zone.places().iter();
        let matching = places.filter(|place| place.covers(destination));
        Some((matching.map(Place::closeness).max()?, zone))
    };
    zones
        .iter()
        .filter_map(closest)
        .max_by_key(|(closeness, _)| *closeness)
        .map(|(_, zone)| zone)
}

/// Reports duplicate or invalid ids, invalid places, zones without a place, and places that two
/// zones name equally specifically. `field` is the path of the zones in the document.
pub fn problems_of_zones<Z: Zone>(zones: &[Z], field: &str) -> Vec<FieldError> {
    let mut problems = problems_of_ids(zones.iter().map(Zone::id), field);
    let mut taken: BTreeMap<(String, String, String), &str> = BTreeMap::new();
    for (at, zone) in zones.iter().enumerate() {
        if zone.places().is_empty() {
            let detail = "Must have at least one place.";
            problems.push(FieldError::new(
                format!("{field}[{at}].places"),
                Code::Required,
                detail,
            ));
        }
        for (nth, place) in zone.places().iter().enumerate() {
            let field = format!("{field}[{at}].places[{nth}]");
            problems.extend(place.problem(&field));
            if let Some(other) = taken.insert(place.key(), zone.id()) {
                let detail = format!("The zone `{other}` already contains this place.");
                problems.push(FieldError::new(field, Code::OverlappingZones, detail));
            }
        }
    }
    problems
}

/// Reports ids that are invalid or used twice.
pub fn problems_of_ids<'a>(ids: impl Iterator<Item = &'a str>, field: &str) -> Vec<FieldError> {
    let mut seen: Vec<&str> = Vec::new();
    let mut problems = Vec::new();
    for (at, id) in ids.enumerate() {
        let field = format!("{field}[{at}].id");
        let fits = (1..=MAX_ID_BYTES).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !fits {
            let detail =
                format!("Must be 1 to {MAX_ID_BYTES} letters, digits, hyphens and underscores.");
            problems.push(FieldError::new(&*field, Code::InvalidId, detail));
        }
        if seen.contains(&id) {
            problems.push(FieldError::new(
                field,
                Code::DuplicateId,
                "This id is used twice.",
            ));
        }
        seen.push(id);
    }
    problems
}

/// Maximum length of the id of a zone, a method or a promotion, in bytes.
const MAX_ID_BYTES: usize = 64;

impl Place {
    /// True if the place matches every country.
    #[must_use]
    pub fn is_anywhere(&self) -> bool {
        self.country == ANYWHERE
    }

    /// Returns the place as a destination, with as much of an address as it names.
    #[must_use]
    pub fn destination(&self) -> Destination {
        let prefix = self.postal_prefix.as_deref();
        Destination::new(&self.country, self.region.as_deref(), prefix)
    }

    fn covers(&self, destination: &Destination) -> bool {
        (self.is_anywhere() || self.country == destination.country)
            && self
                .region
                .as_deref()
                .is_none_or(|region| region_of(&self.country, region) == destination.region)
            && self.postal_prefix.as_deref().is_none_or(|prefix| {
                destination
                    .postal_code
                    .starts_with(&letters_and_digits(prefix))
            })
    }

    fn closeness(&self) -> (usize, bool, bool) {
        let prefix = self.postal_prefix.as_deref().map(letters_and_digits);
        (
            prefix.map_or(0, |prefix| prefix.len()),
            self.region.is_some(),
            !self.is_anywhere(),
        )
    }

    /// Key that is equal for places naming the same addresses equally specifically.
    fn key(&self) -> (String, String, String) {
        (
            self.country.clone(),
            region_of(&self.country, self.region.as_deref().unwrap_or_default()),
            letters_and_digits(self.postal_prefix.as_deref().unwrap_or_default()),
        )
    }

    /// Returns the first fault of the place. `field` is its path in the document.
    pub fn problem(&self, field: &str) -> Option<FieldError> {
        let is_blank = |text: &Option<String>, read: fn(&str) -> String| {
            text.as_deref().is_some_and(|text| read(text).is_empty())
        };
        let anywhere = self.is_anywhere();
        let (name, code, detail) = if !anywhere && Country::of_code(&self.country).is_none() {
            let detail =
                "Must be a country code of two capital letters, such as US, or * for anywhere.";
            ("country", Code::InvalidCountry, detail)
        } else if is_blank(&self.region, folded) {
            (
                "region",
                Code::Required,
                "Must name a region, or be left out.",
            )
        } else if is_blank(&self.postal_prefix, letters_and_digits) {
            (
                "postal_prefix",
                Code::Required,
                "Must contain letters or digits, or be left out.",
            )
        } else if anywhere && (self.region.is_some() || self.postal_prefix.is_some()) {
            let detail = "A place with a region or postal code needs a country.";
            ("country", Code::InvalidCountry, detail)
        } else {
            return None;
        };
        Some(FieldError::new(format!("{field}.{name}"), code, detail))
    }
}

/// Uses the region's code where it is known, so that `New York` and `NY` are the same region.
fn region_of(country: &str, region: &str) -> String {
    folded(region_code(country, region).unwrap_or(region))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    struct Named(String, Vec<Place>);

    impl Zone for Named {
        fn id(&self) -> &str {
            &self.0
        }
        fn places(&self) -> &[Place] {
            &self.1
        }
    }

    fn place(country: &str, region: Option<&str>, prefix: Option<&str>) -> Place {
        Place {
            country: country.to_owned(),
            region: region.map(str::to_owned),
            postal_prefix: prefix.map(str::to_owned),
        }
    }

    fn zone(id: &str, place: Place) -> Named {
        Named(id.to_owned(), vec![place])
    }

    #[test]
    fn the_closest_zone_has_the_address() {
        let zones = [
            zone("world", place("*", None, None)),
            zone("new york", place("US", Some("NY"), None)),
            zone("gb", place("GB", None, None)),
            zone("scotland", place("GB", Some("Scotland"), None)),
            zone("edinburgh", place("GB", None, Some("eh"))),
            zone("leith", place("GB", Some("Scotland"), Some("EH6 "))),
        ];
        for (country, region, postal_code, wanted) in [
            ("JP", Some("Scotland"), Some("EH6"), "world"),
            ("US", Some("New York"), Some("10001"), "new york"),
            ("GB", None, Some("SW1A 1AA"), "gb"),
            ("GB", Some(" SCOTLAND "), Some("G1 1AA"), "scotland"),
            ("GB", Some("Scotland"), Some("EH1 1AA"), "edinburgh"),
            ("GB", Some("Scotland"), Some("eh6-6aa"), "leith"),
            ("GB", None, Some("EH6 6AA"), "edinburgh"),
        ] {
            let found = zone_of(&zones, &Destination::new(country, region, postal_code));
            assert_eq!(
                found.map(Zone::id),
                Some(wanted),
                "{country} {postal_code:?}"
            );
        }
        assert!(zone_of(&zones[1..], &Destination::new("JP", None, None)).is_none());
    }

    #[test]
    fn what_contradicts_itself_is_told_with_its_place() {
        let zones = [
            zone("a", place("GB", Some("Scotland"), Some("EH 6"))),
            zone("a", place("GB", Some("scotland"), Some("eh6"))),
            zone("c d", place("gb", None, None)),
            zone("e", place("GB", Some(" "), None)),
            zone("f", place("FR", None, Some("-"))),
            zone("g", place("*", Some("NY"), None)),
            Named("h".into(), vec![]),
        ];
        let found: Vec<_> = problems_of_zones(&zones, "zones")
            .into_iter()
            .map(|problem| format!("{} {}", problem.field, problem.code))
            .collect();
        assert_eq!(
            found,
            [
                "zones[1].id duplicate_id",
                "zones[2].id invalid_id",
                "zones[1].places[0] overlapping_zones",
                "zones[2].places[0].country invalid_country",
                "zones[3].places[0].region required",
                "zones[4].places[0].postal_prefix required",
                "zones[5].places[0].country invalid_country",
                "zones[6].places required",
            ]
        );
    }

    fn any_place() -> impl Strategy<Value = Place> {
        let country = prop::sample::select(vec!["*", "US", "GB"]);
        let region = prop::sample::select(vec![None, Some("NY"), Some("nj")]);
        let prefix = prop::sample::select(vec![None, Some("1"), Some("10"), Some("1 0 0")]);
        (country, region, prefix)
            .prop_map(|(country, region, prefix)| place(country, region, prefix))
    }

    proptest! {
        /// Zones that pass validation give the same answer for every address, in any order.
        #[test]
        fn the_order_of_zones_decides_nothing(
            places in prop::collection::vec(any_place(), 1..8),
            rotation in 0..8_usize,
            country in prop::sample::select(vec!["US", "GB", "JP"]),
            region in prop::sample::select(vec![None, Some("NY"), Some("NJ")]),
            postal_code in prop::sample::select(vec![None, Some("10001"), Some("1"), Some("20000")]),
        ) {
            let zones: Vec<_> = places.into_iter().enumerate().map(|(at, place)| zone(&at.to_string(), place)).collect();
            prop_assume!(problems_of_zones(&zones, "zones").is_empty());
            let mut turned = zones.clone();
            turned.rotate_left(rotation % zones.len());
            let to = Destination::new(country, region, postal_code);
            let found = zone_of(&zones, &to).map(Zone::id);
            prop_assert_eq!(found, zone_of(&turned, &to).map(Zone::id));
            let covered = zones.iter().any(|zone| zone.1[0].covers(&to));
            prop_assert_eq!(found.is_some(), covered);
        }
    }
}
