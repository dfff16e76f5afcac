//! The name and look of the shop, of `content/shop.toml`: `tools/brand.rs` checks them when the
//! Worker is built.

use shop::values::languages::Language;

/// Name of the shop.
pub const SHOP_NAME: &str = BRAND.name;

/// The brand that this Worker was built with.
pub const BRAND: Brand = include!(concat!(env!("OUT_DIR"), "/brand.rs"));

/// The name and look of a shop. Pictures are addresses below the shop's own, colours as `#rrggbb`.
#[derive(Clone, Copy, Debug)]
pub struct Brand {
    pub(super) name: &'static str,
    pub(super) legal_name: &'static str,
    pub(super) address: &'static [&'static str],
    pub(super) support: &'static str,
    en: Texts,
    de: Texts,
    pub(super) mark: &'static str,
    pub(super) mark_on_dark: &'static str,
    pub(super) favicon: &'static str,
    pub(super) icon_180: &'static str,
    pub(super) icon_512: &'static str,
    pub(super) shared: &'static str,
    pub(super) launch_tag: &'static str,
    pub(super) launch_picture: &'static str,
    pub(super) products: usize,
    pub(super) sections: usize,
    pub(super) ground: &'static str,
    pub(super) ground_in_the_dark: &'static str,
}

/// Sentences about the shop in a language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts {
    pub(super) tagline: &'static str,
    pub(super) about: &'static str,
}

impl Brand {
    /// Sentences about the shop.
    pub(super) const fn texts(&self, language: Language) -> Texts {
        match language {
            Language::English => self.en,
            Language::German => self.de,
        }
    }
}
