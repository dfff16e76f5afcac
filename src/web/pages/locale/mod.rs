//! Texts of the pages, one file per language. A language with a missing text does not compile.

mod countries_de;
mod de;
mod en;
pub mod texts;

use crate::web::pages::locale::texts::Texts;
use shop::values::languages::Language;

/// Returns the texts of `language`.
pub const fn of(language: Language) -> &'static Texts {
    match language {
        Language::English => &en::TEXTS,
        Language::German => &de::TEXTS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shop::values::countries::COUNTRIES;

    #[test]
    fn every_country_has_a_name_in_every_language() {
        for language in Language::ALL {
            let texts = of(language);
            assert_eq!((texts.countries)().len(), COUNTRIES.len());
            for country in COUNTRIES.iter() {
                assert_ne!(texts.country_name(country.code), country.code);
            }
        }
    }
}
