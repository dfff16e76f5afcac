//! Reads `content/shop.toml` for `build.rs`, and makes of it the constants of pages, the colours of
//! the style sheet and the manifest. A value that can't be used is refused with its line.
#![expect(
    clippy::float_arithmetic,
    reason = "the contrast of colours; none of it reaches the Worker"
)]

use serde::Deserialize;
use std::fmt::Write;
use std::ops::Range;
use toml::Spanned;

/// The file of the brand.
pub const FILE: &str = "content/shop.toml";

/// The least contrast of text on its ground, of WCAG 2.2, AA.
const TEXT_CONTRAST: f64 = 4.5;

/// The least contrast of what can be pressed.
const EDGE_CONTRAST: f64 = 3.0;

/// The shop's name and look.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    name: Text,
    legal: Legal,
    texts: Languages,
    pictures: Pictures,
    home: Home,
    colours: Colours,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Legal {
    name: Text,
    address: Vec<Text>,
    support: Mail,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Languages {
    en: Texts,
    de: Texts,
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
    launch_tag: Text,
    launch_picture: Spanned<Text>,
    products: u8,
    sections: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Colours {
    light: Palette,
    dark: Palette,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Palette {
    ink: Spanned<Colour>,
    quiet: Spanned<Colour>,
    ground: Spanned<Colour>,
    raised: Spanned<Colour>,
    panel: Spanned<Colour>,
    line: Spanned<Colour>,
    edge: Spanned<Colour>,
    accent: Spanned<Colour>,
    accent_strong: Spanned<Colour>,
    on_accent: Spanned<Colour>,
    good: Spanned<Colour>,
    low: Spanned<Colour>,
    fault: Spanned<Colour>,
    fault_ground: Spanned<Colour>,
}

/// A line of text.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Text(String);

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err("this must be one line of text, and not empty");
        }
        Ok(Self(text))
    }
}

/// A mail address.
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
            return Err("this is no mail address such as support@shop.example");
        }
        Ok(Self(text))
    }
}

/// A colour of the screen.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Colour {
    written: String,
    luminance: f64,
}

impl TryFrom<String> for Colour {
    type Error = &'static str;

    fn try_from(written: String) -> Result<Self, Self::Error> {
        let refusal = "this is no colour such as #b4470a";
        let digits = written.strip_prefix('#').ok_or(refusal)?;
        if digits.len() != 6 || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(refusal);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| refusal)?;
        let [_, red, green, blue] = number.to_be_bytes().map(linear);
        let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        Ok(Self { written, luminance })
    }
}

fn linear(channel: u8) -> f64 {
    let share = f64::from(channel) / 255.0;
    if share <= 0.04045 {
        return share / 12.92;
    }
    ((share + 0.055) / 1.055).powf(2.4)
}

fn contrast(one: &Colour, other: &Colour) -> f64 {
    let lighter = one.luminance.max(other.luminance);
    let darker = one.luminance.min(other.luminance);
    (lighter + 0.05) / (darker + 0.05)
}

impl Brand {
    /// Reads the brand from the text of its file; `is_there` knows the names of files below
    /// `assets`.
    ///
    /// # Errors
    /// The first fault, with file and line.
    pub fn read(text: &str, is_there: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let brand: Self = toml::from_str(text)
            .map_err(|error| refusal(text, &error.span().unwrap_or_default(), error.message()))?;
        for (name, path) in brand.pictures.named() {
            if !is_there(&path.get_ref().0) {
                let missing = format!("`{name}`: there is no file assets/{}", path.get_ref().0);
                return Err(refusal(text, &path.span(), &missing));
            }
        }
        let launch = &brand.home.launch_picture;
        if !is_address(&launch.get_ref().0, is_there) {
            let missing = "`launch_picture`: neither a file below assets, an uploaded picture nor an https address";
            return Err(refusal(text, &launch.span(), missing));
        }
        brand.colours.light.check("light", text)?;
        brand.colours.dark.check("dark", text)?;
        Ok(brand)
    }

    /// The value of `BRAND` in `src/web/pages/brand.rs`.
    #[must_use]
    pub fn code(&self) -> String {
        let legal = &self.legal;
        let address: Vec<&str> = legal.address.iter().map(|line| line.0.as_str()).collect();
        let (light, dark) = (&self.colours.light.ground, &self.colours.dark.ground);
        let mut fields: Vec<(&str, String)> = vec![
            ("name", quoted(&self.name.0)),
            ("legal_name", quoted(&legal.name.0)),
            ("address", format!("&{address:?}")),
            ("support", quoted(&legal.support.0)),
            ("en", self.texts.en.code()),
            ("de", self.texts.de.code()),
            ("launch_tag", quoted(&self.home.launch_tag.0)),
            (
                "launch_picture",
                quoted(&self.home.launch_picture.get_ref().0),
            ),
            ("products", self.home.products.to_string()),
            ("sections", self.home.sections.to_string()),
            ("ground", quoted(&light.get_ref().written)),
            ("ground_in_the_dark", quoted(&dark.get_ref().written)),
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

    /// The colours, as a style sheet that begins the theme's.
    #[must_use]
    pub fn css(&self) -> String {
        let mut css = String::from("@layer tokens { :root {");
        let pairs = self
            .colours
            .light
            .named()
            .into_iter()
            .zip(self.colours.dark.named());
        for ((name, light), (_, dark)) in pairs {
            let (light, dark) = (&light.get_ref().written, &dark.get_ref().written);
            let _ = write!(css, " --{name}: light-dark({light}, {dark});");
        }
        css.push_str(" } }\n");
        css
    }

    /// The shop as an app: `manifest.webmanifest`.
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
        let ground = &self.colours.light.ground.get_ref().written;
        let manifest = serde_json::json!({
            "id": "/",
            "name": self.name.0,
            "short_name": self.name.0,
            "description": self.texts.en.about.0,
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

impl Palette {
    fn named(&self) -> [(&'static str, &Spanned<Colour>); 14] {
        [
            ("ink", &self.ink),
            ("quiet", &self.quiet),
            ("ground", &self.ground),
            ("raised", &self.raised),
            ("panel", &self.panel),
            ("line", &self.line),
            ("edge", &self.edge),
            ("accent", &self.accent),
            ("accent-strong", &self.accent_strong),
            ("on-accent", &self.on_accent),
            ("good", &self.good),
            ("low", &self.low),
            ("fault", &self.fault),
            ("fault-ground", &self.fault_ground),
        ]
    }

    fn check(&self, scheme: &str, text: &str) -> Result<(), String> {
        let grounds = [
            ("ground", &self.ground),
            ("raised", &self.raised),
            ("panel", &self.panel),
        ];
        let on_fault = ("fault-ground", &self.fault_ground);
        let on_accent = ("on-accent", &self.on_accent);
        let mut pairs = vec![
            (("ink", &self.ink), on_fault, TEXT_CONTRAST),
            (("fault", &self.fault), on_fault, TEXT_CONTRAST),
            (on_accent, ("accent", &self.accent), TEXT_CONTRAST),
            (
                on_accent,
                ("accent-strong", &self.accent_strong),
                TEXT_CONTRAST,
            ),
            (
                ("edge", &self.edge),
                ("ground", &self.ground),
                EDGE_CONTRAST,
            ),
        ];
        for ground in grounds {
            let texts = [
                ("ink", &self.ink),
                ("quiet", &self.quiet),
                ("accent", &self.accent),
                ("good", &self.good),
                ("low", &self.low),
                ("fault", &self.fault),
            ];
            pairs.extend(texts.map(|colour| (colour, ground, TEXT_CONTRAST)));
        }
        for ((name, colour), (ground_name, ground), least) in pairs {
            let found = contrast(colour.get_ref(), ground.get_ref());
            if found < least {
                let weak = format!(
                    "`{name}` on `{ground_name}` has a contrast of {found:.2} in {scheme}; it needs {least}"
                );
                return Err(refusal(text, &colour.span(), &weak));
            }
        }
        Ok(())
    }
}

fn is_address(address: &str, is_there: &dyn Fn(&str) -> bool) -> bool {
    let file = address.strip_prefix('/');
    file.is_some_and(is_there) || is_uploaded(address) || address.starts_with("https://")
}

/// True for `/media/0a1b…-1600x1200.jpg`, as the shop calls what staff upload.
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

fn refusal(text: &str, span: &Range<usize>, message: &str) -> String {
    let before = text.get(..span.start).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    format!(
        "{FILE}:{line}: {}",
        message.lines().next().unwrap_or_default()
    )
}
