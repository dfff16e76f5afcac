//! Regions as ISO 3166-2 knows them, for the countries whose addresses can't do without and where shoppers order most: Australia, Canada,
//! Japan, the United States. By code or by name, as people write it.

/// The code of a region, without its country: `NY` for `New York`, `US-NY` or `ny`; none when there is none of this name.
#[must_use]
pub fn region_code(country: &str, region: &str) -> Option<&'static str> {
    let wanted = region.trim();
    let wanted = wanted
        .split_once('-')
        .filter(|(before, _)| before.eq_ignore_ascii_case(country))
        .map_or(wanted, |(_, code)| code);
    let regions = regions_of(country)?;
    let is_called = |name: &str| folded(name).eq(folded(wanted));
    let by_code = || {
        regions
            .iter()
            .find(|(code, _)| code.eq_ignore_ascii_case(wanted))
    };
    let by_name = || {
        regions
            .iter()
            .find(|(_, names)| names.split('|').any(is_called))
    };
    by_code().or_else(by_name).map(|(code, _)| *code)
}

/// Whether the regions of a country are known here.
#[must_use]
pub fn knows_regions(country: &str) -> bool {
    regions_of(country).is_some()
}

fn regions_of(country: &str) -> Option<&'static [(&'static str, &'static str)]> {
    match country {
        "AU" => Some(AUSTRALIA),
        "CA" => Some(CANADA),
        "JP" => Some(JAPAN),
        "US" => Some(UNITED_STATES),
        _ => None,
    }
}

/// Its characters, whatever their case and accents.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .flat_map(char::to_lowercase)
        .map(|character| match character {
            'ō' => 'o',
            'ū' => 'u',
            'é' => 'e',
            other => other,
        })
}

#[rustfmt::skip] // as a table
const AUSTRALIA: &[(&str, &str)] = &[
    ("ACT", "Australian Capital Territory"), ("NSW", "New South Wales"), ("NT", "Northern Territory"), ("QLD", "Queensland"),
    ("SA", "South Australia"), ("TAS", "Tasmania"), ("VIC", "Victoria"), ("WA", "Western Australia"),
];

#[rustfmt::skip] // as a table
const CANADA: &[(&str, &str)] = &[
    ("AB", "Alberta"), ("BC", "British Columbia|Colombie-Britannique"), ("MB", "Manitoba"), ("NB", "New Brunswick|Nouveau-Brunswick"),
    ("NL", "Newfoundland and Labrador|Terre-Neuve-et-Labrador"), ("NS", "Nova Scotia|Nouvelle-Écosse"), ("NT", "Northwest Territories|Territoires du Nord-Ouest"),
    ("NU", "Nunavut"), ("ON", "Ontario"), ("PE", "Prince Edward Island|Île-du-Prince-Édouard"), ("QC", "Québec"), ("SK", "Saskatchewan"), ("YT", "Yukon"),
];

#[rustfmt::skip] // as a table
const JAPAN: &[(&str, &str)] = &[
    ("01", "Hokkaido|北海道"), ("02", "Aomori|青森県"), ("03", "Iwate|岩手県"), ("04", "Miyagi|宮城県"), ("05", "Akita|秋田県"), ("06", "Yamagata|山形県"),
    ("07", "Fukushima|福島県"), ("08", "Ibaraki|茨城県"), ("09", "Tochigi|栃木県"), ("10", "Gunma|群馬県"), ("11", "Saitama|埼玉県"), ("12", "Chiba|千葉県"),
    ("13", "Tokyo|東京都"), ("14", "Kanagawa|神奈川県"), ("15", "Niigata|新潟県"), ("16", "Toyama|富山県"), ("17", "Ishikawa|石川県"), ("18", "Fukui|福井県"),
    ("19", "Yamanashi|山梨県"), ("20", "Nagano|長野県"), ("21", "Gifu|岐阜県"), ("22", "Shizuoka|静岡県"), ("23", "Aichi|愛知県"), ("24", "Mie|三重県"),
    ("25", "Shiga|滋賀県"), ("26", "Kyoto|京都府"), ("27", "Osaka|大阪府"), ("28", "Hyogo|兵庫県"), ("29", "Nara|奈良県"), ("30", "Wakayama|和歌山県"),
    ("31", "Tottori|鳥取県"), ("32", "Shimane|島根県"), ("33", "Okayama|岡山県"), ("34", "Hiroshima|広島県"), ("35", "Yamaguchi|山口県"), ("36", "Tokushima|徳島県"),
    ("37", "Kagawa|香川県"), ("38", "Ehime|愛媛県"), ("39", "Kochi|高知県"), ("40", "Fukuoka|福岡県"), ("41", "Saga|佐賀県"), ("42", "Nagasaki|長崎県"),
    ("43", "Kumamoto|熊本県"), ("44", "Oita|大分県"), ("45", "Miyazaki|宮崎県"), ("46", "Kagoshima|鹿児島県"), ("47", "Okinawa|沖縄県"),
];

#[rustfmt::skip] // as a table; AA, AE and AP are the armed forces' post, which has no other region
const UNITED_STATES: &[(&str, &str)] = &[
    ("AL", "Alabama"), ("AK", "Alaska"), ("AZ", "Arizona"), ("AR", "Arkansas"), ("CA", "California"), ("CO", "Colorado"), ("CT", "Connecticut"),
    ("DE", "Delaware"), ("DC", "District of Columbia|Washington DC|Washington, D.C."), ("FL", "Florida"), ("GA", "Georgia"), ("HI", "Hawaii"), ("ID", "Idaho"),
    ("IL", "Illinois"), ("IN", "Indiana"), ("IA", "Iowa"), ("KS", "Kansas"), ("KY", "Kentucky"), ("LA", "Louisiana"), ("ME", "Maine"), ("MD", "Maryland"),
    ("MA", "Massachusetts"), ("MI", "Michigan"), ("MN", "Minnesota"), ("MS", "Mississippi"), ("MO", "Missouri"), ("MT", "Montana"), ("NE", "Nebraska"),
    ("NV", "Nevada"), ("NH", "New Hampshire"), ("NJ", "New Jersey"), ("NM", "New Mexico"), ("NY", "New York"), ("NC", "North Carolina"),
    ("ND", "North Dakota"), ("OH", "Ohio"), ("OK", "Oklahoma"), ("OR", "Oregon"), ("PA", "Pennsylvania"), ("RI", "Rhode Island"), ("SC", "South Carolina"),
    ("SD", "South Dakota"), ("TN", "Tennessee"), ("TX", "Texas"), ("UT", "Utah"), ("VT", "Vermont"), ("VA", "Virginia"), ("WA", "Washington"),
    ("WV", "West Virginia"), ("WI", "Wisconsin"), ("WY", "Wyoming"), ("AS", "American Samoa"), ("GU", "Guam"), ("MP", "Northern Mariana Islands"),
    ("PR", "Puerto Rico"), ("UM", "United States Minor Outlying Islands"), ("VI", "U.S. Virgin Islands"), ("AA", "Armed Forces Americas"), ("AE", "Armed Forces Europe"), ("AP", "Armed Forces Pacific"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_region_is_known_by_code_and_name() {
        for (country, region, code) in [
            ("US", "NY", Some("NY")),
            ("US", " new york ", Some("NY")),
            ("US", "us-ny", Some("NY")),
            ("US", "CA-ON", None),
            ("US", "ON", None),
            ("US", "Narnia", None),
            ("US", "", None),
            ("CA", "Québec", Some("QC")),
            ("CA", "Quebec", Some("QC")),
            ("AU", "nsw", Some("NSW")),
            ("JP", "東京都", Some("13")),
            ("JP", "Tōkyō", Some("13")),
            ("JP", "JP-13", Some("13")),
            ("DE", "BY", None),
        ] {
            assert_eq!(region_code(country, region), code, "{country} {region}");
        }
        assert!(knows_regions("US") && !knows_regions("DE"));
    }

    #[test]
    fn no_region_stands_twice() {
        for (country, count) in [("AU", 8), ("CA", 13), ("JP", 47), ("US", 60)] {
            let regions = regions_of(country).unwrap();
            let words = regions
                .iter()
                .flat_map(|(code, names)| std::iter::once(*code).chain(names.split('|')))
                .map(|word| folded(word).collect());
            let words: Vec<String> = words.collect();
            let distinct: HashSet<&String> = words.iter().collect();
            assert_eq!(distinct.len(), words.len(), "{country}");
            assert_eq!(regions.len(), count, "{country}");
        }
    }
}
