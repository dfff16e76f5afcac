//! Name, languages, links and look of the shop, from `content/shop.toml`. `tools/brand` checks them
//! when the Worker is built.

use shop::messages::letterhead::Letterhead;
use shop::values::languages::{Language, Languages};

/// Name of the shop.
pub const SHOP_NAME: &str = BRAND.name;

/// The brand that this Worker was built with.
pub const BRAND: Brand = include!(concat!(env!("OUT_DIR"), "/brand.rs"));

/// The brand of a shop. Pictures are paths on the shop's own host, colours are written `#rrggbb`.
#[derive(Clone, Copy, Debug)]
pub struct Brand {
    /// Name of the shop.
    pub name: &'static str,
    /// Languages of the shop's pages.
    pub languages: Languages,
    /// Legal name of the seller.
    pub legal_name: &'static str,
    /// Lines of the seller's address.
    pub address: &'static [&'static str],
    /// Email address for shoppers.
    pub support_email: &'static str,
    /// Phone number for shoppers; `None` means there is none.
    pub support_phone: Option<&'static str>,
    /// Sender name of emails.
    pub sender: &'static str,
    /// Short texts about the shop.
    pub texts: Translated<Texts>,
    /// Texts of the home page.
    pub welcome: Translated<Welcome>,
    /// Launch featured on the home page; `None` means no product is featured.
    pub launch: Option<Launch>,
    /// Number of products on the home page.
    pub products: usize,
    /// Number of sections on the home page.
    pub sections: usize,
    /// Links at the top of every page.
    pub header: &'static [Link],
    /// Columns of links at the bottom of every page.
    pub footer: &'static [Column],
    /// Logo for light backgrounds.
    pub mark: &'static str,
    /// Logo for dark backgrounds.
    pub mark_on_dark: &'static str,
    /// Icon for browser tabs.
    pub favicon: &'static str,
    /// Icon for Apple phones, 180 × 180 pixels.
    pub icon_180: &'static str,
    /// Icon of 512 × 512 pixels.
    pub icon_512: &'static str,
    /// Picture shown when a link to the shop is shared.
    pub shared: &'static str,
    /// Page background in light mode.
    pub ground: &'static str,
    /// Page background in dark mode.
    pub ground_in_the_dark: &'static str,
}

/// A value for each of the shop's languages.
#[derive(Clone, Copy, Debug)]
pub struct Translated<T: 'static> {
    default: T,
    others: &'static [(Language, T)],
}

/// Short texts about the shop.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    /// Line at the bottom of every page.
    pub tagline: &'static str,
    /// Description for search engines.
    pub about: &'static str,
}

/// Texts of the home page.
#[derive(Clone, Copy, Debug)]
pub struct Welcome {
    /// Title of the page, also shown on the stage while no launch is featured.
    pub title: &'static str,
    /// Sentence below the title.
    pub lead: &'static str,
}

/// A launch: the product with this tag is featured on the stage, with this picture.
#[derive(Clone, Copy, Debug)]
pub struct Launch {
    /// Tag of the product.
    pub tag: &'static str,
    /// A wide, dark picture.
    pub picture: &'static str,
}

/// Column of links at the bottom of every page.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Title of the column.
    pub title: Translated<&'static str>,
    /// Links of the column.
    pub links: &'static [Link],
}

/// An entry of the navigation.
#[derive(Clone, Copy, Debug)]
pub enum Link {
    /// A page of the shop, under its own name unless a label is given.
    Page {
        /// The page.
        page: Page,
        /// Text of the link; `None` means the page's own name.
        label: Option<Translated<&'static str>>,
    },
    /// The first categories of the catalog, up to this number.
    Categories(usize),
    /// A single category.
    Category {
        /// Handle of the category.
        handle: &'static str,
        /// Text of the link.
        label: Translated<&'static str>,
    },
    /// An address on another site.
    Elsewhere {
        /// Absolute URL.
        url: &'static str,
        /// Text of the link.
        label: Translated<&'static str>,
    },
}

/// A page that a link can lead to.
#[derive(Clone, Copy, Debug)]
pub enum Page {
    /// Home page.
    Home,
    /// List of all products.
    Products,
    /// Cart.
    Cart,
    /// Order lookup.
    Orders,
    /// A policy, by its name in URLs.
    Policy(&'static str),
}

impl<T: Copy> Translated<T> {
    /// Returns the value in `language`, or in the default language if the shop doesn't speak it.
    pub fn of(&self, language: Language) -> T {
        let mut others = self.others.iter();
        others
            .find(|(other, _)| *other == language)
            .map_or(self.default, |(_, said)| *said)
    }
}

impl Brand {
    /// Returns the seller's details for the foot of emails.
    #[must_use]
    pub const fn letterhead(&self) -> Letterhead<'static> {
        Letterhead {
            shop: self.name,
            legal_name: self.legal_name,
            address: self.address,
            email: self.support_email,
            phone: self.support_phone,
        }
    }
}
