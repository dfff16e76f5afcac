//! Regions of the countries that `countries.txt` lists them for, as written by people, phones and
//! wallets: by code, by name in the country's script or in Latin letters, with or without a word
//! such as “state”, or by former names.

use crate::values::countries::Country;
use crate::values::folding::folded;

/// A region of a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// ISO 3166-2 code without the country prefix, where it has one: `13`.
    pub code: &'static str,
    /// Name as written on a parcel: `東京都`, `NY`.
    pub name: &'static str,
    /// Name in Latin letters: `Tokyo`.
    pub latin: &'static str,
    /// Name as shown in a list: `New York`.
    pub title: &'static str,
    others: &'static str,
}

/// Returns the code of a region without its country: `NY` for `New York`, `US-NY` or `n.y.`. `None`
/// means that there is no such region.
#[must_use]
pub fn region_code(country: &str, region: &str) -> Option<&'static str> {
    read_region(Country::of_code(country)?, region).map(|region| region.code)
}

/// Finds the region with this name or code. `None` means that there is none.
#[must_use]
pub fn read_region(country: &Country, typed: &str) -> Option<Region> {
    let typed = folded(typed);
    let without_country = typed
        .split_once('-')
        .filter(|(before, _)| before.eq_ignore_ascii_case(country.code))
        .map_or(&*typed, |(_, code)| code);
    let regions: Vec<Region> = regions_of(country).collect();
    // `Milano (MI)` and `Washington, D.C.` are tried as a whole, then in parts.
    let parts = without_country.split([',', '(', ')', '/']);
    std::iter::once(without_country)
        .chain(parts)
        .find_map(|name| region_called(&regions, name))
}

/// Returns the regions of a country, in the country's order.
pub fn regions_of(country: &Country) -> impl Iterator<Item = Region> {
    country.regions.lines().map(region_in)
}

/// True for a country whose addresses must name a listed region, because tax and carriers depend on
/// it and the list is complete.
#[must_use]
pub fn is_strict(country: &Country) -> bool {
    matches!(country.code, "AU" | "CA" | "JP" | "US")
}

fn region_in(row: &'static str) -> Region {
    let mut cells = row.split('\t').skip(1);
    let mut next = |instead: &'static str| {
        let cell = cells.next().unwrap_or_default();
        if cell.is_empty() { instead } else { cell }
    };
    let code = next("");
    let name = next(code);
    let latin = next(name);
    let title = next(latin);
    Region {
        code,
        name,
        latin,
        title,
        others: next(""),
    }
}

/// Returns the single region with this name: first by code and full name, then without words such
/// as “state”.
fn region_called(regions: &[Region], name: &str) -> Option<Region> {
    let (whole, bare) = (solid(name), bare(name));
    if whole.is_empty() {
        return None;
    }
    let by_code = |region: &&Region| solid(region.code) == whole;
    let by_name = |region: &&Region| region.is_called(&whole, solid);
    let by_bare_name = |region: &&Region| !bare.is_empty() && region.is_called(&bare, solid);
    let by_whole_name = |region: &&Region| region.is_called(&whole, self::bare);
    let by_both_bare = |region: &&Region| !bare.is_empty() && region.is_called(&bare, self::bare);
    regions
        .iter()
        .find(by_code)
        .or_else(|| regions.iter().find(by_name))
        .or_else(|| regions.iter().find(by_whole_name))
        .or_else(|| only(regions.iter().filter(by_bare_name)))
        .or_else(|| only(regions.iter().filter(by_both_bare)))
        .copied()
}

fn only<'a>(mut found: impl Iterator<Item = &'a Region>) -> Option<&'a Region> {
    found.next().filter(|_| found.next().is_none())
}

impl Region {
    fn is_called(&self, name: &str, form: fn(&str) -> String) -> bool {
        let shown = [self.name, self.latin, self.title];
        shown.iter().any(|shown| form(shown) == name)
            || self.others.split('|').any(|other| other == name)
    }
}

/// Returns a name as used for comparison: its letters and digits in lower case, without
/// punctuation.
fn solid(name: &str) -> String {
    let name = name.to_lowercase().replace('&', "and").replace('臺', "台");
    name.replace([' ', '.', ',', '\'', '’', '-', '–'], "")
}

/// Returns the same without words such as “state”.
fn bare(name: &str) -> String {
    let name = name.to_lowercase().replace(['.', '\'', '’'], "");
    let words = name.split([' ', '-', ',']);
    let kept: String = words.filter(|word| !WORDS.contains(word)).collect();
    let kept = solid(&kept);
    ENDINGS
        .iter()
        .find_map(|ending| kept.strip_suffix(ending))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(&kept)
        .to_owned()
}

/// Words for kinds of regions, and words between them.
#[rustfmt::skip] // as a list
const WORDS: &[&str] = &[
    "state", "province", "prov", "provincia", "provincie", "prefecture", "pref", "county", "co", "territory", "department", "departamento", "region",
    "región", "district", "emirate", "governorate", "parish", "island", "islands", "isla", "islas", "city", "municipality", "oblast", "oblast\u{2019}", "kray",
    "krai", "respublika", "republic", "область", "обл", "край", "республика", "estado", "comunidad", "autonomous", "special", "administrative",
    "metropolitan", "self", "governing", "of", "the", "de", "del", "di", "da", "do", "la", "le", "du", "to", "fu", "ken", "si", "gun", "sheng", "shi", "zizhiqu", "zizhiqu",
    "إمارة", "محافظة", "استان", "จังหวัด", "tỉnh", "tinh", "ili", "merkezi", "parròquia", "parroquia", "parish", "commonwealth",
];

/// Endings of names in scripts without spaces.
#[rustfmt::skip] // as a list
const ENDINGS: &[&str] = &[
    "특별자치도", "특별자치시", "특별시", "광역시", "도", "시", "壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "特别行政区", "特別行政區", "都", "府", "県",
    "縣", "县", "省", "市",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::countries::COUNTRIES;
    use std::collections::HashSet;

    #[test]
    fn a_region_is_known_by_code_and_name() {
        for (country, region, code) in [
            ("US", "NY", Some("NY")),
            ("US", " new york ", Some("NY")),
            ("US", "new  york", Some("NY")),
            ("US", "us-ny", Some("NY")),
            ("US", "N.Y.", Some("NY")),
            ("US", "N. Y.", Some("NY")),
            ("US", "ＮＹ", Some("NY")),
            ("US", "New York State", Some("NY")),
            ("US", "State of New York", Some("NY")),
            ("US", "D.C.", Some("DC")),
            ("US", "Washington, D.C.", Some("DC")),
            ("US", "Washington DC", Some("DC")),
            ("US", "Washington", Some("WA")),
            ("US", "Washington State", Some("WA")),
            ("US", "Calif.", Some("CA")),
            ("US", "West\u{a0}Virginia\u{200b}", Some("WV")),
            ("US", "W. Va.", Some("WV")),
            ("US", "U.S. Virgin Islands", Some("VI")),
            ("US", "Commonwealth of Virginia", Some("VA")),
            ("US", "CA-ON", None),
            ("US", "ON", None),
            ("US", "Narnia", None),
            ("US", "", None),
            ("US", "State", None),
            ("CA", "Québec", Some("QC")),
            ("CA", "Quebec", Some("QC")),
            ("CA", "Que\u{301}bec", Some("QC")),
            ("CA", "Newfoundland", Some("NL")),
            ("CA", "Newfoundland & Labrador", Some("NL")),
            ("CA", "B.C.", Some("BC")),
            ("CA", "Yukon Territory", Some("YT")),
            ("CA", "P.E.I.", Some("PE")),
            ("CA", "Territoires du Nord-Ouest", Some("NT")),
            ("AU", "nsw", Some("NSW")),
            ("AU", "N.S.W.", Some("NSW")),
            ("AU", "Victoria", Some("VIC")),
            ("JP", "東京都", Some("13")),
            ("JP", "東京", Some("13")),
            ("JP", "京都", Some("26")),
            ("JP", "京都府", Some("26")),
            ("JP", "北海道", Some("01")),
            ("JP", "大阪", Some("27")),
            ("JP", "Tōkyō", Some("13")),
            ("JP", "Tokyo-to", Some("13")),
            ("JP", "Tokyo Metropolis", None),
            ("JP", "Ōsaka-fu", Some("27")),
            ("JP", "Aichi Prefecture", Some("23")),
            ("JP", "JP-13", Some("13")),
            ("KR", "서울", Some("11")),
            ("KR", "서울특별시", Some("11")),
            ("KR", "Gyeonggi", Some("41")),
            ("CN", "广东", Some("44")),
            ("CN", "Guangdong Province", Some("44")),
            ("CN", "北京", Some("11")),
            ("TW", "臺北市", Some("TPE")),
            ("IE", "County Cork", Some("CO")),
            ("IE", "Cork", Some("CO")),
            ("IT", "Milano (MI)", Some("MI")),
            ("IT", "Provincia di Milano", Some("MI")),
            ("ES", "Vizcaya", Some("BI")),
            ("BR", "Sao Paulo", Some("SP")),
            ("MX", "Ciudad de México", Some("CMX")),
            ("IN", "Orissa", Some("OR")),
            ("AE", "Emirate of Dubai", Some("DU")),
            ("AE", "دبي", Some("DU")),
            ("DE", "BY", None),
        ] {
            assert_eq!(region_code(country, region), code, "{country} {region}");
        }
    }

    /// By code and by each name, in any case, in full width, with any separators.
    #[test]
    fn every_region_is_known_by_each_of_its_names() {
        let mut count = 0;
        for country in COUNTRIES.iter() {
            let codes: Vec<&str> = regions_of(country).map(|it| it.code).collect();
            let distinct: HashSet<&&str> = codes.iter().collect();
            assert_eq!(distinct.len(), codes.len(), "{}", country.code);
            for region in regions_of(country) {
                count += 1;
                let qualified = format!("{}-{}", country.code, region.code);
                let names = [
                    region.code,
                    region.name,
                    region.latin,
                    region.title,
                    &*qualified,
                ];
                for name in names.into_iter().chain(region.others.split('|')) {
                    if name.is_empty() {
                        continue;
                    }
                    for form in [
                        name.to_owned(),
                        name.to_lowercase(),
                        name.replace(' ', " \u{a0}"),
                        format!(" {name}\u{200b}"),
                    ] {
                        let found = read_region(country, &form);
                        assert_eq!(found, Some(region), "{} {form}", country.code);
                    }
                }
            }
        }
        assert_eq!(count, 1383);
    }
}
