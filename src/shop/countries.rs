//! The countries that can be shipped to, and what an address needs in each.
//!
//! Codes are ISO 3166-1 alpha-2 (and XK, Kosovo); names are those of Unicode CLDR. Which parts are required, and the shapes of postal codes,
//! are condensed from Google's address validation metadata (chromium-i18n.appspot.com, CC BY 4.0).

/// What an address needs in one country.
#[derive(Debug)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    /// In English.
    pub name: &'static str,
    /// `C` city, `S` region, `Z` postal code.
    required: &'static str,
    /// Shapes of its postal codes without spaces and hyphens, by `|`: `9` a digit, `A` a letter, `X` either, another its very
    /// self. Empty: no postal codes, or any.
    postal_codes: &'static str,
}

impl Country {
    /// The country with this code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<&'static Self> {
        COUNTRIES.iter().find(|country| country.code == code)
    }

    /// Whether an address needs a city here.
    #[must_use]
    pub fn needs_city(&self) -> bool {
        self.required.contains('C')
    }

    /// Whether an address needs a region here.
    #[must_use]
    pub fn needs_region(&self) -> bool {
        self.required.contains('S')
    }

    /// Whether an address needs a postal code here.
    #[must_use]
    pub fn needs_postal_code(&self) -> bool {
        self.required.contains('Z')
    }

    /// Whether `postal_code` has a shape that is used here, whatever its case, spaces and hyphens.
    #[must_use]
    pub fn takes_postal_code(&self, postal_code: &str) -> bool {
        let compact: String = postal_code
            .chars()
            .filter(|character| !matches!(character, ' ' | '-'))
            .map(|character| character.to_ascii_uppercase())
            .collect();
        self.postal_codes.is_empty()
            || self
                .postal_codes
                .split('|')
                .any(|shape| has_shape(&compact, shape))
    }

    /// What postal codes here look like: a made-up one of each shape.
    #[must_use]
    pub fn postal_code_examples(&self) -> String {
        let examples: Vec<String> = self.postal_codes.split('|').map(example_of).collect();
        examples.join(" or ")
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

fn has_shape(code: &str, shape: &str) -> bool {
    code.len() == shape.len()
        && code
            .bytes()
            .zip(shape.bytes())
            .all(|(given, wanted)| match wanted {
                b'9' => given.is_ascii_digit(),
                b'A' => given.is_ascii_uppercase(),
                b'X' => given.is_ascii_alphanumeric(),
                other => given == other,
            })
}

const fn country(
    code: &'static str,
    name: &'static str,
    required: &'static str,
    postal_codes: &'static str,
) -> Country {
    Country {
        code,
        name,
        required,
        postal_codes,
    }
}

/// By name.
#[rustfmt::skip] // a row a country
pub static COUNTRIES: &[Country] = &[
    country("AF", "Afghanistan", "C", "9999"),
    country("AX", "Åland Islands", "CZ", "22999"),
    country("AL", "Albania", "C", "9999"),
    country("DZ", "Algeria", "C", "99999"),
    country("AS", "American Samoa", "CSZ", "96799|967999999"),
    country("AD", "Andorra", "C", "AD909"),
    country("AO", "Angola", "C", ""),
    country("AI", "Anguilla", "C", "2640|AI2640"),
    country("AG", "Antigua & Barbuda", "", ""),
    country("AR", "Argentina", "C", "9999|9999AAA|A9999|A9999AAA"),
    country("AM", "Armenia", "C", "9999|379999"),
    country("AW", "Aruba", "C", ""),
    country("AU", "Australia", "CSZ", "9999"),
    country("AT", "Austria", "CZ", "9999"),
    country("AZ", "Azerbaijan", "C", "9999"),
    country("BS", "Bahamas", "C", ""),
    country("BH", "Bahrain", "C", "999|9999"),
    country("BD", "Bangladesh", "C", "9999"),
    country("BB", "Barbados", "C", "BB99999"),
    country("BY", "Belarus", "C", "999999"),
    country("BE", "Belgium", "CZ", "9999"),
    country("BZ", "Belize", "C", ""),
    country("BJ", "Benin", "C", ""),
    country("BM", "Bermuda", "C", "AAXX"),
    country("BT", "Bhutan", "C", "99999"),
    country("BO", "Bolivia", "C", ""),
    country("BA", "Bosnia & Herzegovina", "C", "99999"),
    country("BW", "Botswana", "C", ""),
    country("BR", "Brazil", "SCZ", "99999999"),
    country("VG", "British Virgin Islands", "", "VG9999"),
    country("BN", "Brunei", "C", "AA9999"),
    country("BG", "Bulgaria", "C", "9999"),
    country("BF", "Burkina Faso", "C", ""),
    country("BI", "Burundi", "C", ""),
    country("KH", "Cambodia", "C", "99999|999999"),
    country("CM", "Cameroon", "C", ""),
    country("CA", "Canada", "CSZ", "A9A9A9"),
    country("CV", "Cape Verde", "C", "9999"),
    country("BQ", "Caribbean Netherlands", "C", ""),
    country("KY", "Cayman Islands", "S", "KY99999"),
    country("CF", "Central African Republic", "C", ""),
    country("TD", "Chad", "C", ""),
    country("CL", "Chile", "C", "9999999"),
    country("CN", "China", "CSZ", "999999"),
    country("CX", "Christmas Island", "C", "6798"),
    country("CC", "Cocos (Keeling) Islands", "C", "6799"),
    country("CO", "Colombia", "S", "999999"),
    country("KM", "Comoros", "C", ""),
    country("CG", "Congo - Brazzaville", "C", ""),
    country("CD", "Congo - Kinshasa", "C", ""),
    country("CK", "Cook Islands", "C", ""),
    country("CR", "Costa Rica", "CS", "9999|99999|9999999"),
    country("HR", "Croatia", "C", "99999"),
    country("CU", "Cuba", "C", "99999"),
    country("CW", "Curaçao", "C", ""),
    country("CY", "Cyprus", "C", "9999"),
    country("CZ", "Czechia", "CZ", "99999"),
    country("CI", "Côte d’Ivoire", "C", ""),
    country("DK", "Denmark", "CZ", "9999"),
    country("DJ", "Djibouti", "C", ""),
    country("DM", "Dominica", "C", ""),
    country("DO", "Dominican Republic", "C", "99999"),
    country("EC", "Ecuador", "C", "999999"),
    country("EG", "Egypt", "C", "99999"),
    country("SV", "El Salvador", "CS", "CP9999"),
    country("GQ", "Equatorial Guinea", "C", ""),
    country("ER", "Eritrea", "C", ""),
    country("EE", "Estonia", "CZ", "99999"),
    country("SZ", "Eswatini", "C", "A999"),
    country("ET", "Ethiopia", "C", "9999"),
    country("FK", "Falkland Islands", "CZ", "FIQQ1ZZ"),
    country("FO", "Faroe Islands", "C", "999"),
    country("FJ", "Fiji", "C", ""),
    country("FI", "Finland", "CZ", "99999"),
    country("FR", "France", "CZ", "99999"),
    country("GF", "French Guiana", "CZ", "99399"),
    country("PF", "French Polynesia", "CSZ", "98799"),
    country("GA", "Gabon", "C", ""),
    country("GM", "Gambia", "C", ""),
    country("GE", "Georgia", "C", "9999"),
    country("DE", "Germany", "CZ", "99999"),
    country("GH", "Ghana", "C", ""),
    country("GI", "Gibraltar", "", "GX111AA"),
    country("GR", "Greece", "CZ", "99999"),
    country("GL", "Greenland", "CZ", "3999"),
    country("GD", "Grenada", "C", ""),
    country("GP", "Guadeloupe", "CZ", "99999"),
    country("GU", "Guam", "CZ", "96999|969999999|96939|969399999"),
    country("GT", "Guatemala", "C", "99999"),
    country("GG", "Guernsey", "CZ", "GY99AA|GY9X9AA"),
    country("GN", "Guinea", "C", "999"),
    country("GW", "Guinea-Bissau", "C", "9999"),
    country("GY", "Guyana", "C", ""),
    country("HT", "Haiti", "C", "9999"),
    country("HN", "Honduras", "CS", "99999"),
    country("HK", "Hong Kong", "S", ""),
    country("HU", "Hungary", "CZ", "9999"),
    country("IS", "Iceland", "C", "999"),
    country("IN", "India", "CSZ", "999999"),
    country("ID", "Indonesia", "S", "99999"),
    country("IR", "Iran", "C", "9999999999"),
    country("IQ", "Iraq", "CS", "99999"),
    country("IE", "Ireland", "C", "XXXXXXX"),
    country("IM", "Isle of Man", "CZ", "IM99AA|IM9X9AA"),
    country("IL", "Israel", "C", "99999|9999999"),
    country("IT", "Italy", "CSZ", "99999"),
    country("JM", "Jamaica", "CS", ""),
    country("JP", "Japan", "SZ", "9999999"),
    country("JE", "Jersey", "CZ", "JE99AA|JE9X9AA"),
    country("JO", "Jordan", "C", "99999"),
    country("KZ", "Kazakhstan", "C", "999999"),
    country("KE", "Kenya", "C", "99999"),
    country("KI", "Kiribati", "C", ""),
    country("XK", "Kosovo", "C", "99999"),
    country("KW", "Kuwait", "C", "99999"),
    country("KG", "Kyrgyzstan", "C", "999999"),
    country("LA", "Laos", "C", "99999"),
    country("LV", "Latvia", "CZ", "LV9999"),
    country("LB", "Lebanon", "C", "9999|99999999"),
    country("LS", "Lesotho", "C", "999"),
    country("LR", "Liberia", "C", "9999"),
    country("LY", "Libya", "C", ""),
    country("LI", "Liechtenstein", "CZ", "9489|9499"),
    country("LT", "Lithuania", "CZ", "99999"),
    country("LU", "Luxembourg", "CZ", "9999"),
    country("MO", "Macao", "", ""),
    country("MG", "Madagascar", "C", "999"),
    country("MW", "Malawi", "C", ""),
    country("MY", "Malaysia", "CZ", "99999"),
    country("MV", "Maldives", "C", "99999"),
    country("ML", "Mali", "C", ""),
    country("MT", "Malta", "C", "AAA99|AAA999|AAA9999"),
    country("MH", "Marshall Islands", "CSZ", "96999|969999999"),
    country("MQ", "Martinique", "CZ", "99299"),
    country("MR", "Mauritania", "C", ""),
    country("MU", "Mauritius", "C", "99999|999AA999"),
    country("YT", "Mayotte", "CZ", "97699"),
    country("MX", "Mexico", "CSZ", "99999"),
    country("FM", "Micronesia", "CSZ", "96949|969499999"),
    country("MD", "Moldova", "C", "9999"),
    country("MC", "Monaco", "C", "98099"),
    country("MN", "Mongolia", "C", "99999"),
    country("ME", "Montenegro", "C", "89999"),
    country("MS", "Montserrat", "C", ""),
    country("MA", "Morocco", "C", "99999"),
    country("MZ", "Mozambique", "C", "9999"),
    country("MM", "Myanmar", "C", "99999"),
    country("NA", "Namibia", "C", "99999"),
    country("NR", "Nauru", "S", ""),
    country("NP", "Nepal", "C", "99999"),
    country("NL", "Netherlands", "CZ", "9999AA"),
    country("NC", "New Caledonia", "CZ", "98899"),
    country("NZ", "New Zealand", "CZ", "9999"),
    country("NI", "Nicaragua", "C", "99999"),
    country("NE", "Niger", "C", "9999"),
    country("NG", "Nigeria", "C", "999999"),
    country("NU", "Niue", "C", ""),
    country("NF", "Norfolk Island", "C", "2899"),
    country("KP", "North Korea", "C", ""),
    country("MK", "North Macedonia", "C", "9999"),
    country("MP", "Northern Mariana Islands", "CSZ", "96959|969599999"),
    country("NO", "Norway", "CZ", "9999"),
    country("OM", "Oman", "C", "999|PC999"),
    country("PK", "Pakistan", "C", "99999"),
    country("PW", "Palau", "CSZ", "96939|969399999|96940|969409999"),
    country("PS", "Palestinian Territories", "C", ""),
    country("PA", "Panama", "C", ""),
    country("PG", "Papua New Guinea", "CS", "999"),
    country("PY", "Paraguay", "C", "9999"),
    country("PE", "Peru", "C", "99999"),
    country("PH", "Philippines", "C", "9999"),
    country("PN", "Pitcairn Islands", "CZ", "PCRN1ZZ"),
    country("PL", "Poland", "CZ", "99999"),
    country("PT", "Portugal", "CZ", "9999999"),
    country("PR", "Puerto Rico", "CZ", "00999|009999999"),
    country("QA", "Qatar", "C", ""),
    country("RO", "Romania", "CZ", "999999"),
    country("RU", "Russia", "CSZ", "999999"),
    country("RW", "Rwanda", "C", ""),
    country("RE", "Réunion", "CZ", "99499"),
    country("WS", "Samoa", "C", ""),
    country("SM", "San Marino", "Z", "47899"),
    country("SA", "Saudi Arabia", "C", "99999"),
    country("SN", "Senegal", "C", "99999"),
    country("RS", "Serbia", "C", "99999|999999"),
    country("SC", "Seychelles", "C", ""),
    country("SL", "Sierra Leone", "C", ""),
    country("SG", "Singapore", "Z", "999999"),
    country("SX", "Sint Maarten", "C", ""),
    country("SK", "Slovakia", "CZ", "99999"),
    country("SI", "Slovenia", "C", "9999"),
    country("SB", "Solomon Islands", "C", ""),
    country("SO", "Somalia", "CS", "AA99999"),
    country("ZA", "South Africa", "CZ", "9999"),
    country("KR", "South Korea", "CSZ", "99999"),
    country("SS", "South Sudan", "C", ""),
    country("ES", "Spain", "CSZ", "99999"),
    country("LK", "Sri Lanka", "C", "99999"),
    country("BL", "St. Barthélemy", "CZ", "99999"),
    country("SH", "St. Helena", "CZ", "ASCN1ZZ|STHL1ZZ"),
    country("KN", "St. Kitts & Nevis", "CS", ""),
    country("LC", "St. Lucia", "C", ""),
    country("MF", "St. Martin", "CZ", "99999"),
    country("PM", "St. Pierre & Miquelon", "CZ", "99599"),
    country("VC", "St. Vincent & Grenadines", "C", "VC9999"),
    country("SD", "Sudan", "C", "99999"),
    country("SR", "Suriname", "C", ""),
    country("SJ", "Svalbard & Jan Mayen", "CZ", "9999"),
    country("SE", "Sweden", "CZ", "99999"),
    country("CH", "Switzerland", "CZ", "9999"),
    country("SY", "Syria", "C", ""),
    country("ST", "São Tomé & Príncipe", "C", ""),
    country("TW", "Taiwan", "CSZ", "999|99999|999999"),
    country("TJ", "Tajikistan", "C", "999999"),
    country("TZ", "Tanzania", "C", "9999|99999"),
    country("TH", "Thailand", "C", "99999"),
    country("TL", "Timor-Leste", "C", ""),
    country("TG", "Togo", "C", ""),
    country("TK", "Tokelau", "C", ""),
    country("TO", "Tonga", "C", ""),
    country("TT", "Trinidad & Tobago", "C", ""),
    country("TN", "Tunisia", "C", "9999"),
    country("TR", "Türkiye", "CZ", "99999"),
    country("TM", "Turkmenistan", "C", "999999"),
    country("TC", "Turks & Caicos Islands", "CZ", "TKCA1ZZ"),
    country("TV", "Tuvalu", "C", ""),
    country("VI", "U.S. Virgin Islands", "CSZ", "00899|008999999|00859|008599999"),
    country("UG", "Uganda", "C", ""),
    country("UA", "Ukraine", "CZ", "99999"),
    country("AE", "United Arab Emirates", "S", ""),
    country("GB", "United Kingdom", "CZ", "A99AA|A999AA|AA99AA|AA999AA|A9A9AA|AA9A9AA|GIR0AA|BFPO9|BFPO99|BFPO999|BFPO9999"),
    country("US", "United States", "CSZ", "99999|999999999"),
    country("UY", "Uruguay", "C", "99999"),
    country("UZ", "Uzbekistan", "C", "999999"),
    country("VU", "Vanuatu", "C", ""),
    country("VA", "Vatican City", "C", "00120"),
    country("VE", "Venezuela", "CS", "9999"),
    country("VN", "Vietnam", "C", "99999|999999"),
    country("WF", "Wallis & Futuna", "CZ", "98699"),
    country("YE", "Yemen", "C", ""),
    country("ZM", "Zambia", "C", "99999"),
    country("ZW", "Zimbabwe", "C", ""),
];

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
            ("KW", "54541", "٥٤٥٤١"),
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
        assert_eq!(canada.postal_code_examples(), "A1B2C3");
    }
}
