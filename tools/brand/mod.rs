//! Reads `content/shop.toml` for `build.rs` and turns it into the constants of the Worker, the
//! colours of the style sheet and the manifest. An unusable value is rejected with its line.

mod colours;
pub mod languages;
pub mod navigation;

use crate::brand::colours::Colours;
use crate::brand::languages::{ByLanguage, Languages, check_said};
use crate::brand::navigation::Navigation;
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

/// The file of the brand.
pub const FILE: &str = "content/shop.toml";

/// The shop's name, languages, links and look.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    name: Text,
    languages: Languages,
    legal: Legal,
    support: Support,
    letters: Letters,
    texts: Spanned<ByLanguage<Texts>>,
    pictures: Pictures,
    home: Home,
    navigation: Navigation,
    colours: Colours,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Legal {
    name: Text,
    address: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Support {
    email: Mail,
    phone: Option<Phone>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Letters {
    sender: Sender,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    tagline: Text,
    about: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pictures {
    mark: Spanned<Text>,
    mark_on_dark: Spanned<Text>,
    favicon: Spanned<Text>,
    icon_180: Spanned<Text>,
    icon_192: Spanned<Text>,
    icon_512: Spanned<Text>,
    icon_maskable: Spanned<Text>,
    shared: Spanned<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Home {
    products: u8,
    sections: u8,
    texts: Spanned<ByLanguage<Welcome>>,
    launch: Option<Launch>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Welcome {
    title: Text,
    lead: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Launch {
    tag: Text,
    picture: Spanned<Text>,
}

/// A line of text.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Text(String);

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err("must be one line of text and not empty");
        }
        Ok(Self(text))
    }
}

/// An email address.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Mail(String);

impl TryFrom<String> for Mail {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts = text.split_once('@');
        let is_plain = |part: &str| {
            let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
            !part.is_empty() && part.chars().all(allowed)
        };
        if !parts.is_some_and(|(name, host)| is_plain(name) && is_plain(host)) {
            return Err("must be an email address such as support@shop.example");
        }
        Ok(Self(text))
    }
}

/// A phone number in international format.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Phone(String);

impl TryFrom<String> for Phone {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let rest = text.strip_prefix('+').unwrap_or_default();
        let is_known = |letter: char| letter.is_ascii_digit() || " -()".contains(letter);
        let digits = rest.chars().filter(char::is_ascii_digit).count();
        if !(7..=15).contains(&digits) || !rest.chars().all(is_known) {
            return Err("must be a telephone number such as +1 555 010 0199");
        }
        Ok(Self(text))
    }
}

/// Sender name of emails.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Sender(String);

impl TryFrom<String> for Sender {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let Text(name) = Text::try_from(text)?;
        if name.contains(['"', '\\', '<', '>', '(', ')', '@']) {
            return Err("a sender's name must not contain quotes, brackets, @ or \\");
        }
        Ok(Self(name))
    }
}

/// A value that can't be used, and its place in the file.
#[derive(Debug)]
pub struct Fault {
    span: Range<usize>,
    message: String,
}

impl Fault {
    fn at<T>(place: &Spanned<T>, message: impl Into<String>) -> Self {
        Self {
            span: place.span(),
            message: message.into(),
        }
    }

    /// Returns the fault with file and line.
    fn told(&self, text: &str) -> String {
        let before = text.get(..self.span.start).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        let message = self.message.lines().next().unwrap_or_default();
        format!("{FILE}:{line}: {message}")
    }
}

impl Brand {
    /// Reads the brand from the text of its file; `is_there` tells whether a file exists below
    /// `assets`.
    ///
    /// # Errors The first fault, with file and line.
    pub fn read(text: &str, is_there: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let brand: Self = toml::from_str(text).map_err(|error| {
            let fault = Fault {
                span: error.span().unwrap_or_default(),
                message: error.message().to_owned(),
            };
            fault.told(text)
        })?;
        brand.check(is_there).map_err(|fault| fault.told(text))?;
        Ok(brand)
    }

    fn check(&self, is_there: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        self.languages.check()?;
        check_said(&self.languages, "texts", &self.texts)?;
        check_said(&self.languages, "home.texts", &self.home.texts)?;
        self.navigation.check(&self.languages)?;
        for (name, path) in self.pictures.named() {
            if !is_there(&path.get_ref().0) {
                let missing = format!(
                    "`{name}`: the file assets/{} does not exist",
                    path.get_ref().0
                );
                return Err(Fault::at(path, missing));
            }
        }
        if let Some(Launch { picture, .. }) = &self.home.launch
            && !is_address(&picture.get_ref().0, is_there)
        {
            let missing =
                "`picture`: must be a file below assets, an uploaded picture or an https URL";
            return Err(Fault::at(picture, missing));
        }
        self.colours.check()
    }

    /// Returns the Rust expression for `BRAND` in `src/app/brand.rs`.
    #[must_use]
    pub fn code(&self) -> String {
        let address: Vec<&str> = self
            .legal
            .address
            .iter()
            .map(|line| line.0.as_str())
            .collect();
        let phone = self.support.phone.as_ref().map(|phone| phone.0.as_str());
        let (light, dark) = self.colours.grounds();
        let (header, footer) = self.navigation.code(&self.languages);
        let launch = self.home.launch.as_ref().map(Launch::code);
        let mut fields: Vec<(&str, String)> = vec![
            ("name", quoted(&self.name.0)),
            ("languages", self.languages.code()),
            ("legal_name", quoted(&self.legal.name.0)),
            ("address", format!("&{address:?}")),
            ("support_email", quoted(&self.support.email.0)),
            ("support_phone", format!("{phone:?}")),
            ("sender", quoted(&self.letters.sender.0)),
            (
                "texts",
                self.languages.translated(self.texts.get_ref(), Texts::code),
            ),
            (
                "welcome",
                self.languages
                    .translated(self.home.texts.get_ref(), Welcome::code),
            ),
            (
                "launch",
                launch.map_or_else(|| "None".to_owned(), |code| format!("Some({code})")),
            ),
            ("products", self.home.products.to_string()),
            ("sections", self.home.sections.to_string()),
            ("header", header),
            ("footer", footer),
            ("ground", quoted(light)),
            ("ground_in_the_dark", quoted(dark)),
        ];
        for (name, path) in self.pictures.named() {
            if name != "icon_192" && name != "icon_maskable" {
                fields.push((name, quoted(&format!("/{}", path.get_ref().0))));
            }
        }
        let fields: Vec<String> = fields
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        format!("Brand {{ {} }}", fields.join(", "))
    }

    /// Returns the colours as the beginning of the theme's style sheet.
    #[must_use]
    pub fn css(&self) -> String {
        self.colours.css()
    }

    /// Returns the web app manifest: `manifest.webmanifest`.
    #[must_use]
    pub fn manifest(&self) -> String {
        let pictures = &self.pictures;
        let icons = [
            (&pictures.icon_192, "192x192", "any"),
            (&pictures.icon_512, "512x512", "any"),
            (&pictures.icon_maskable, "512x512", "maskable"),
        ];
        let icons: Vec<serde_json::Value> = icons
            .into_iter()
            .map(|(path, sizes, purpose)| {
                let src = format!("/{}", path.get_ref().0);
                serde_json::json!({ "src": src, "sizes": sizes, "type": "image/png", "purpose": purpose })
            })
            .collect();
        let (ground, _) = self.colours.grounds();
        let texts = self.languages.default_of(self.texts.get_ref());
        let manifest = serde_json::json!({
            "id": "/",
            "name": self.name.0,
            "short_name": self.name.0,
            "description": texts.map_or("", |texts| texts.about.0.as_str()),
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": ground,
            "theme_color": ground,
            "icons": icons,
        });
        format!("{manifest:#}\n")
    }
}

impl Texts {
    fn code(&self) -> String {
        let (tagline, about) = (&self.tagline.0, &self.about.0);
        format!("Texts {{ tagline: {tagline:?}, about: {about:?} }}")
    }
}

impl Welcome {
    fn code(&self) -> String {
        let (title, lead) = (&self.title.0, &self.lead.0);
        format!("Welcome {{ title: {title:?}, lead: {lead:?} }}")
    }
}

impl Launch {
    fn code(&self) -> String {
        let (tag, picture) = (&self.tag.0, &self.picture.get_ref().0);
        format!("Launch {{ tag: {tag:?}, picture: {picture:?} }}")
    }
}

impl Pictures {
    fn named(&self) -> [(&'static str, &Spanned<Text>); 8] {
        [
            ("mark", &self.mark),
            ("mark_on_dark", &self.mark_on_dark),
            ("favicon", &self.favicon),
            ("icon_180", &self.icon_180),
            ("icon_192", &self.icon_192),
            ("icon_512", &self.icon_512),
            ("icon_maskable", &self.icon_maskable),
            ("shared", &self.shared),
        ]
    }
}

fn is_address(address: &str, is_there: &dyn Fn(&str) -> bool) -> bool {
    let file = address.strip_prefix('/');
    file.is_some_and(is_there) || is_uploaded(address) || address.starts_with("https://")
}

/// Returns true for `/media/0a1b…-1600x1200.jpg`, the form of the shop's names for uploaded
/// pictures.
fn is_uploaded(address: &str) -> bool {
    let is_number = |side: &str| side.parse::<u32>().is_ok();
    let parts = address.strip_prefix("/media/").and_then(|name| {
        let (stem, _) = name.rsplit_once('.')?;
        let (digest, size) = stem.rsplit_once('-')?;
        Some((digest, size.split_once('x')?))
    });
    parts.is_some_and(|(digest, (width, height))| {
        let is_digest = digest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        !digest.is_empty() && is_digest && is_number(width) && is_number(height)
    })
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}
