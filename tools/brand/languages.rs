//! The languages of a brand, and its texts in them.

use crate::brand::{Fault, Text};
use serde::Deserialize;
use toml::Spanned;

/// A language that the pages have texts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Code {
    En,
    De,
}

impl Code {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// Returns the language code used in URLs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    const fn variant(self) -> &'static str {
        match self {
            Self::En => "Language::English",
            Self::De => "Language::German",
        }
    }
}

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        let found = Self::ALL.into_iter().find(|known| known.code() == code);
        let known = Self::ALL.map(Self::code).join(", ");
        found.ok_or_else(|| format!("the pages have no texts in `{code}`, only in {known}"))
    }
}

/// The languages of a shop, the default first.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Languages(Spanned<Vec<Code>>);

impl Languages {
    pub fn check(&self) -> Result<(), Fault> {
        let spoken = self.0.get_ref();
        if spoken.is_empty() {
            return Err(Fault::at(&self.0, "`languages` names none"));
        }
        let is_twice = |code: &Code| spoken.iter().filter(|other| *other == code).count() > 1;
        match spoken.iter().find(|code| is_twice(code)) {
            Some(code) => {
                let twice = format!("`languages` names `{}` twice", code.code());
                Err(Fault::at(&self.0, twice))
            }
            None => Ok(()),
        }
    }

    /// Returns the text in the default language.
    pub fn default_of<'a, T>(&self, texts: &'a ByLanguage<T>) -> Option<&'a T> {
        self.0.get_ref().first().and_then(|code| texts.get(*code))
    }

    /// Returns the Rust expression for `Languages`.
    pub fn code(&self) -> String {
        let variants: Vec<&str> = self.0.get_ref().iter().map(|code| code.variant()).collect();
        let (default, others) = variants.split_first().unwrap_or((&"", &[]));
        let others = others.join(", ");
        format!("Languages {{ default: {default}, others: &[{others}] }}")
    }

    /// Returns the Rust expression for `Translated`.
    pub fn translated<T>(&self, texts: &ByLanguage<T>, code_of: impl Fn(&T) -> String) -> String {
        let texts = self.0.get_ref().iter().filter_map(|code| {
            let text = code_of(texts.get(*code)?);
            Some((code.variant(), text))
        });
        let mut texts = texts.collect::<Vec<_>>().into_iter();
        let (_, default) = texts.next().unwrap_or_default();
        let others: Vec<String> = texts
            .map(|(variant, text)| format!("({variant}, {text})"))
            .collect();
        let others = others.join(", ");
        format!("Translated {{ default: {default}, others: &[{others}] }}")
    }
}

/// A value in each language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByLanguage<T> {
    en: Option<T>,
    de: Option<T>,
}

/// A line of text in each language.
pub type Label = Spanned<ByLanguage<Text>>;

impl<T> ByLanguage<T> {
    const fn get(&self, code: Code) -> Option<&T> {
        match code {
            Code::En => self.en.as_ref(),
            Code::De => self.de.as_ref(),
        }
    }
}

/// Rejects a text that is missing in one of the shop's languages, with its line.
pub fn check_said<T>(
    spoken: &Languages,
    name: &str,
    texts: &Spanned<ByLanguage<T>>,
) -> Result<(), Fault> {
    let mut codes = spoken.0.get_ref().iter();
    match codes.find(|code| texts.get_ref().get(**code).is_none()) {
        Some(code) => {
            let code = code.code();
            let unsaid = format!("`{name}` is missing in `{code}`, one of the `languages`");
            Err(Fault::at(texts, unsaid))
        }
        None => Ok(()),
    }
}
