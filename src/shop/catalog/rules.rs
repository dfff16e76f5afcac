//! Rules that a product must satisfy to be stored.

use crate::catalog::{Price, Product, ProductOption, Variant, web_address};
use crate::codes::Code;
use crate::error::FieldError;
use crate::values::money::{Currency, MAX_AMOUNT};
use std::collections::HashSet;

/// Maximum number of variants of a product from any source; the same as Shopify's.
pub const MAX_VARIANTS: usize = 2_048;

/// Maximum number of options of a product, as many as Shopify's CSV has columns for.
pub const MAX_OPTIONS: usize = 3;

/// Maximum length of a title in characters.
pub const MAX_TITLE_CHARS: usize = 500;

/// Maximum length of a handle, SKU and similar in characters.
pub const MAX_CHARS: usize = 255;

impl Product {
    /// Reports the reasons why the product can't be stored; empty if there are none.
    #[must_use]
    pub fn problems(&self, currencies: &[Currency]) -> Vec<FieldError> {
        let mut problems = Vec::new();
        let mut text = |field: &str, value: &str, most: usize| {
            if value.trim().is_empty() || value.chars().count() > most {
                let detail = format!("Must be 1 to {most} characters long.");
                problems.push(FieldError::new(field, Code::InvalidText, detail));
            }
        };
        text("title", &self.title, MAX_TITLE_CHARS);
        text("handle", &self.handle, MAX_CHARS);
        for (at, variant) in self.variants.iter().enumerate() {
            text(&format!("variants[{at}].sku"), &variant.sku, MAX_CHARS);
        }
        for (at, option) in self.options.iter().enumerate() {
            text(&format!("options[{at}]"), &option.name, MAX_CHARS);
        }
        for (field, text) in self.plain_texts() {
            let is_broken = has_one_line(&field) && text.contains(LINE_BREAKS);
            if is_broken || text.chars().any(is_unwanted) {
                let detail = "Must not contain control characters; a single-line text must not contain line breaks either.";
                problems.push(FieldError::new(field, Code::ControlCharacter, detail));
            }
        }
        if let Some(detail) = indistinct(&self.options) {
            problems.push(FieldError::new("options", Code::InvalidOptions, detail));
        }
        if self.options.len() > MAX_OPTIONS {
            let detail = format!("A product can have at most {MAX_OPTIONS} options.");
            problems.push(FieldError::new("options", Code::TooManyOptions, detail));
        }
        if !(1..=MAX_VARIANTS).contains(&self.variants.len()) {
            let detail = format!("A product must have 1 to {MAX_VARIANTS} variants.");
            problems.push(FieldError::new("variants", Code::InvalidVariants, detail));
        }
        let (mut skus, mut choices) = (HashSet::new(), HashSet::new());
        for (at, variant) in self.variants.iter().enumerate() {
            let field = |name: &str| format!("variants[{at}].{name}");
            if !skus.insert(&variant.sku) {
                let detail = "Another variant of this product already has this SKU.";
                problems.push(FieldError::new(field("sku"), Code::SkuTaken, detail));
            }
            if variant.option_values.len() != self.options.len()
                || variant.option_values.iter().any(String::is_empty)
                || !choices.insert(&variant.option_values)
            {
                let detail = "Must have one value for each option, and no two variants may have the same values.";
                problems.push(FieldError::new(
                    field("option_values"),
                    Code::InvalidOptions,
                    detail,
                ));
            }
            if !variant.has_valid_prices(currencies) {
                let detail = "Must have at least one price, each in a currency that the shop sells in and an amount that can be charged.";
                problems.push(FieldError::new(field("prices"), Code::InvalidPrice, detail));
            }
        }
        problems.extend(self.problems_of_pictures());
        problems
    }

    fn problems_of_pictures(&self) -> impl Iterator<Item = FieldError> {
        let own = self.images.iter().enumerate();
        let own = own.map(|(at, image)| (format!("images[{at}].url"), image.url.as_str()));
        let variants = self.variants.iter().enumerate();
        let of_variants = variants.filter_map(|(at, variant)| {
            Some((format!("variants[{at}].image"), variant.image.as_deref()?))
        });
        own.chain(of_variants)
            .filter(|(_, url)| web_address(url).is_none())
            .map(|(field, _)| FieldError::new(field, Code::InvalidAddress, NO_ADDRESS))
    }
}

/// Message for a picture address that is rejected.
pub const NO_ADDRESS: &str =
    "The URL of a picture must begin with https:// or http://, or be a path of the shop.";

impl Product {
    /// Returns every text that is shown or written to a file, with its field.
    fn plain_texts(&self) -> Vec<(String, &str)> {
        let mut texts: Vec<(String, &str)> = [
            ("title", &self.title),
            ("description_html", &self.description_html),
            ("vendor", &self.vendor),
            ("type", &self.r#type),
            ("seo.title", &self.seo.title),
            ("seo.description", &self.seo.description),
        ]
        .map(|(field, text)| (field.to_owned(), text.as_str()))
        .into();
        let lists = [
            ("tags", &self.tags),
            ("category", &self.category),
            ("features", &self.features),
        ];
        for (field, list) in lists {
            texts.extend(list.iter().map(|text| (field.to_owned(), text.as_str())));
        }
        for (field, map) in [
            ("specifications", &self.specifications),
            ("metadata", &self.metadata),
        ] {
            for (name, value) in map {
                texts.push((field.to_owned(), name));
                texts.push((field.to_owned(), value));
            }
        }
        texts.extend(
            self.options
                .iter()
                .map(|option| ("options".to_owned(), option.name.as_str())),
        );
        texts.extend(
            self.images
                .iter()
                .flat_map(|image| [&image.url, &image.alt])
                .map(|text| ("images".to_owned(), text.as_str())),
        );
        for (at, variant) in self.variants.iter().enumerate() {
            let own = [
                Some(variant.sku.as_str()),
                Some(variant.tax_class.as_str()),
                variant.barcode.as_deref(),
                variant.image.as_deref(),
            ];
            let values = variant.option_values.iter().map(String::as_str);
            let all = own.into_iter().flatten().chain(values);
            texts.extend(all.map(|text| (format!("variants[{at}]"), text)));
        }
        texts
    }
}

/// Characters that end a line.
pub const LINE_BREAKS: [char; 4] = ['\n', '\r', '\u{2028}', '\u{2029}'];

/// True for a field whose texts are single lines.
fn has_one_line(field: &str) -> bool {
    ["title", "vendor", "type", "tags", "category", "options"].contains(&field)
        || field.starts_with("variants[")
}

/// True for a character that does not belong in a text: a control character other than a tab or
/// line break, or a code point that Unicode defines as a noncharacter, such as U+FFFE.
#[must_use]
pub fn is_unwanted(character: char) -> bool {
    let code = u32::from(character);
    let is_none = code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code);
    is_none || (character.is_control() && !matches!(character, '\t' | '\n' | '\r'))
}

/// Normalizes option values for comparison: shoppers do not distinguish case and spaces.
#[must_use]
pub fn folded(values: &[String]) -> Vec<String> {
    values.iter().map(|value| plain(value)).collect()
}

fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// Returns the reason why a shopper could not tell these options or their values apart. `None`
/// means that they are distinct.
#[must_use]
pub fn indistinct(options: &[ProductOption]) -> Option<String> {
    let names: Vec<String> = options.iter().map(|option| option.name.clone()).collect();
    let lists = options.iter().map(|option| &option.values);
    std::iter::once(&names).chain(lists).find_map(|texts| {
        let mut seen = HashSet::new();
        let again = texts.iter().find(|text| !seen.insert(plain(text)))?;
        Some(format!(
            "`{again}` is there twice: options and values must differ by more than case and spaces."
        ))
    })
}

impl Variant {
    fn has_valid_prices(&self, currencies: &[Currency]) -> bool {
        let valid = |code: &String, price: &Price| {
            currencies
                .iter()
                .find(|currency| currency.code() == code)
                .is_some_and(|currency| {
                    [Some(price.amount), price.compare_at_amount]
                        .into_iter()
                        .flatten()
                        .all(|amount| {
                            (0..=MAX_AMOUNT).contains(&amount)
                                && amount.checked_rem(currency.charge_increment()) == Some(0)
                        })
                })
        };
        !self.prices.is_empty() && self.prices.iter().all(|(code, price)| valid(code, price))
    }
}
