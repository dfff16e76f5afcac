//! The shop's name, languages, links and look, of `content/shop.toml`: `tools/brand` checks them
//! when the Worker is built.

use shop::messages::letterhead::Letterhead;
use shop::values::languages::{Language, Languages};

/// Name of the shop.
pub const SHOP_NAME: &str = BRAND.name;

/// The brand that this Worker was built with.
pub const BRAND: Brand = include!(concat!(env!("OUT_DIR"), "/brand.rs"));

/// The brand of a shop. Pictures are addresses below the shop's own, colours as `#rrggbb`.
#[derive(Clone, Copy, Debug)]
pub struct Brand {
    /// Name of the shop.
    pub name: &'static str,
    /// Languages of its pages.
    pub languages: Languages,
    /// Who sells.
    pub legal_name: &'static str,
    /// Lines of the seller's address.
    pub address: &'static [&'static str],
    /// Mail address for shoppers.
    pub support_email: &'static str,
    /// Telephone number for shoppers.
    pub support_phone: Option<&'static str>,
    /// Name that letters come from.
    pub sender: &'static str,
    /// Sentences about the shop.
    pub texts: Translated<Texts>,
    /// Texts of the home page.
    pub welcome: Translated<Welcome>,
    /// Launch that has the stage.
    pub launch: Option<Launch>,
    /// Products of the home page.
    pub products: usize,
    /// Sections of the home page.
    pub sections: usize,
    /// Links at the top of every page.
    pub header: &'static [Link],
    /// Columns of links at the foot.
    pub footer: &'static [Column],
    /// Mark on light ground.
    pub mark: &'static str,
    /// Mark on dark ground.
    pub mark_on_dark: &'static str,
    /// Icon of a tab.
    pub favicon: &'static str,
    /// Icon for phones of Apple.
    pub icon_180: &'static str,
    /// Large icon.
    pub icon_512: &'static str,
    /// Picture shown where a link to the shop is shared.
    pub shared: &'static str,
    /// Ground of pages by day.
    pub ground: &'static str,
    /// Ground of pages in the dark.
    pub ground_in_the_dark: &'static str,
}

/// Something in each language that the shop speaks.
#[derive(Clone, Copy, Debug)]
pub struct Translated<T: 'static> {
    default: T,
    others: &'static [(Language, T)],
}

/// Sentences about the shop.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    /// At the foot of every page.
    pub tagline: &'static str,
    /// For search engines.
    pub about: &'static str,
}

/// Texts of the home page.
#[derive(Clone, Copy, Debug)]
pub struct Welcome {
    /// Title of the page, and on the stage while nothing is launched.
    pub title: &'static str,
    /// Sentence under it.
    pub lead: &'static str,
}

/// A launch: the product with this tag has the stage, with this picture.
#[derive(Clone, Copy, Debug)]
pub struct Launch {
    /// Tag of the product.
    pub tag: &'static str,
    /// A wide, dark picture.
    pub picture: &'static str,
}

/// Links at the foot of every page, under a title.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its title.
    pub title: Translated<&'static str>,
    /// Its links.
    pub links: &'static [Link],
}

/// An entry of the navigation.
#[derive(Clone, Copy, Debug)]
pub enum Link {
    /// A page of the shop, called by its own name unless another is given.
    Page {
        /// The page.
        page: Page,
        /// Its name in the navigation.
        label: Option<Translated<&'static str>>,
    },
    /// The catalog's first categories, as many as this.
    Categories(usize),
    /// One category.
    Category {
        /// Handle of the category.
        handle: &'static str,
        /// Its name in the navigation.
        label: Translated<&'static str>,
    },
    /// An address of another site.
    Elsewhere {
        /// Whole address.
        url: &'static str,
        /// Its name in the navigation.
        label: Translated<&'static str>,
    },
}

/// A page that a link leads to.
#[derive(Clone, Copy, Debug)]
pub enum Page {
    /// Home page.
    Home,
    /// List of all products.
    Products,
    /// Cart.
    Cart,
    /// Where an order is found.
    Orders,
    /// A policy by its name in addresses.
    Policy(&'static str),
}

impl<T: Copy> Translated<T> {
    /// What is said in `language`; in the default where the shop does not speak it.
    pub fn of(&self, language: Language) -> T {
        let mut others = self.others.iter();
        others
            .find(|(other, _)| *other == language)
            .map_or(self.default, |(_, said)| *said)
    }
}

impl Brand {
    /// Who signs letters.
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
