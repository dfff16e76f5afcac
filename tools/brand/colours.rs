//! The colours of a brand: two palettes in which text stays readable on its background.
#![expect(
    clippy::float_arithmetic,
    reason = "the contrast of colours; none of it reaches the Worker"
)]

use crate::brand::Fault;
use serde::Deserialize;
use std::fmt::Write;
use toml::Spanned;

/// Minimum contrast of text on its background (WCAG 2.2, AA).
const TEXT_CONTRAST: f64 = 4.5;

/// Minimum contrast of controls.
const EDGE_CONTRAST: f64 = 3.0;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Colours {
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

/// An sRGB colour.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Colour {
    written: String,
    luminance: f64,
}

impl TryFrom<String> for Colour {
    type Error = &'static str;

    fn try_from(written: String) -> Result<Self, Self::Error> {
        let refusal = "must be a colour such as #b4470a";
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

impl Colours {
    /// Rejects a colour that is unreadable on its background, with its line.
    pub fn check(&self) -> Result<(), Fault> {
        self.light.check("light")?;
        self.dark.check("dark")
    }

    /// Returns the page backgrounds in light and dark mode.
    pub fn grounds(&self) -> (&str, &str) {
        let (light, dark) = (&self.light.ground, &self.dark.ground);
        (&light.get_ref().written, &dark.get_ref().written)
    }

    /// Returns the colours as the beginning of the theme's style sheet.
    pub fn css(&self) -> String {
        let mut css = String::from("@layer tokens { :root {");
        let pairs = self.light.named().into_iter().zip(self.dark.named());
        for ((name, light), (_, dark)) in pairs {
            let (light, dark) = (&light.get_ref().written, &dark.get_ref().written);
            let _ = write!(css, " --{name}: light-dark({light}, {dark});");
        }
        css.push_str(" } }\n");
        css
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

    fn check(&self, scheme: &str) -> Result<(), Fault> {
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
                    "`{name}` on `{ground_name}` has a contrast of {found:.2} in the {scheme} colours; it must be at least {least}"
                );
                return Err(Fault::at(colour, weak));
            }
        }
        Ok(())
    }
}
