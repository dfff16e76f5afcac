//! The links at the top and bottom of every page.

use crate::brand::languages::{Label, Languages, check_said};
use crate::brand::{Fault, Text, quoted};
use serde::Deserialize;
use std::ops::RangeInclusive;
use toml::Spanned;

/// Pages that a link can lead to, apart from the policies.
const PAGES: [(&str, &str); 4] = [
    ("home", "Page::Home"),
    ("products", "Page::Products"),
    ("cart", "Page::Cart"),
    ("orders", "Page::Orders"),
];

/// The policies of `content/policies`.
pub const POLICIES: [&str; 4] = ["shipping", "returns", "privacy", "terms"];

/// Number of categories that one entry may list.
const CATEGORIES: RangeInclusive<u8> = 1..=12;

/// Maximum number of links in one list.
const MOST_LINKS: usize = 12;

/// Maximum number of columns at the bottom, in addition to those for languages and currencies.
const MOST_COLUMNS: usize = 4;

/// Prefixes of links to other sites.
const SCHEMES: [&str; 3] = ["https://", "mailto:", "tel:"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Navigation {
    header: Spanned<Vec<Spanned<Link>>>,
    footer: Spanned<Vec<Column>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    title: Label,
    links: Spanned<Vec<Spanned<Link>>>,
}

/// A link to one of four things.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    page: Option<Spanned<Text>>,
    categories: Option<Spanned<u8>>,
    category: Option<Spanned<Text>>,
    url: Option<Spanned<Text>>,
    label: Option<Label>,
}

impl Navigation {
    pub fn check(&self, spoken: &Languages) -> Result<(), Fault> {
        check_links(spoken, &self.header)?;
        if self.footer.get_ref().len() > MOST_COLUMNS {
            let many = format!("`footer` can have at most {MOST_COLUMNS} columns");
            return Err(Fault::at(&self.footer, many));
        }
        for column in self.footer.get_ref() {
            check_said(spoken, "title", &column.title)?;
            check_links(spoken, &column.links)?;
        }
        Ok(())
    }

    /// Returns the Rust expressions for `header` and `footer`.
    pub fn code(&self, spoken: &Languages) -> (String, String) {
        let columns: Vec<String> = self
            .footer
            .get_ref()
            .iter()
            .map(|column| {
                let title = translated(spoken, &column.title);
                let links = links_code(spoken, &column.links);
                format!("Column {{ title: {title}, links: {links} }}")
            })
            .collect();
        let header = links_code(spoken, &self.header);
        (header, format!("&[{}]", columns.join(", ")))
    }
}

impl Link {
    fn check(&self, spoken: &Languages, whole: &Spanned<Self>) -> Result<(), Fault> {
        let targets = [
            self.page.is_some(),
            self.categories.is_some(),
            self.category.is_some(),
            self.url.is_some(),
        ];
        if targets.into_iter().filter(|is_named| *is_named).count() != 1 {
            let unclear = "a link needs exactly one of `page`, `categories`, `category` and `url`";
            return Err(Fault::at(whole, unclear));
        }
        let needs_label = self.category.is_some() || self.url.is_some();
        if needs_label && self.label.is_none() {
            return Err(Fault::at(whole, "this link needs a `label`"));
        }
        if let Some(label) = &self.label {
            if self.categories.is_some() {
                let own = "categories are shown with their own names: leave `label` out";
                return Err(Fault::at(label, own));
            }
            check_said(spoken, "label", label)?;
        }
        self.check_target()
    }

    fn check_target(&self) -> Result<(), Fault> {
        if let Some(page) = &self.page
            && page_code(&page.get_ref().0).is_none()
        {
            let pages = PAGES.map(|(name, _)| name).join(", ");
            let policies = POLICIES.join(", ");
            let unknown = format!("`{}` must be one of {pages}, {policies}", page.get_ref().0);
            return Err(Fault::at(page, unknown));
        }
        if let Some(count) = &self.categories
            && !CATEGORIES.contains(count.get_ref())
        {
            let (least, most) = CATEGORIES.into_inner();
            let outside = format!("`categories` must be a number from {least} to {most}");
            return Err(Fault::at(count, outside));
        }
        if let Some(handle) = &self.category
            && !is_handle(&handle.get_ref().0)
        {
            let none = "`category` must be a handle such as `electronics--phones`";
            return Err(Fault::at(handle, none));
        }
        if let Some(url) = &self.url
            && !SCHEMES
                .iter()
                .any(|scheme| url.get_ref().0.starts_with(scheme))
        {
            let unsafe_url = format!("`url` must begin with one of {}", SCHEMES.join(", "));
            return Err(Fault::at(url, unsafe_url));
        }
        Ok(())
    }

    fn code(&self, spoken: &Languages) -> String {
        if let Some(count) = &self.categories {
            return format!("Link::Categories({})", count.get_ref());
        }
        let label = self.label.as_ref().map(|label| translated(spoken, label));
        if let Some(page) = &self.page {
            let page = page_code(&page.get_ref().0).unwrap_or_default();
            let label = label.map_or_else(|| "None".to_owned(), |label| format!("Some({label})"));
            return format!("Link::Page {{ page: {page}, label: {label} }}");
        }
        let label = label.unwrap_or_default();
        let (kind, to) = match (&self.category, &self.url) {
            (Some(handle), _) => (
                "Category",
                format!("handle: {}", quoted(&handle.get_ref().0)),
            ),
            (None, Some(url)) => ("Elsewhere", format!("url: {}", quoted(&url.get_ref().0))),
            (None, None) => return String::new(),
        };
        format!("Link::{kind} {{ {to}, label: {label} }}")
    }
}

fn check_links(spoken: &Languages, links: &Spanned<Vec<Spanned<Link>>>) -> Result<(), Fault> {
    if links.get_ref().len() > MOST_LINKS {
        return Err(Fault::at(
            links,
            format!("at most {MOST_LINKS} links fit here"),
        ));
    }
    for link in links.get_ref() {
        link.get_ref().check(spoken, link)?;
    }
    Ok(())
}

fn links_code(spoken: &Languages, links: &Spanned<Vec<Spanned<Link>>>) -> String {
    let links: Vec<String> = links
        .get_ref()
        .iter()
        .map(|link| link.get_ref().code(spoken))
        .collect();
    format!("&[{}]", links.join(", "))
}

fn translated(spoken: &Languages, label: &Label) -> String {
    spoken.translated(label.get_ref(), |text| quoted(&text.0))
}

fn page_code(name: &str) -> Option<String> {
    if POLICIES.contains(&name) {
        return Some(format!("Page::Policy({name:?})"));
    }
    let (_, page) = PAGES.into_iter().find(|(page, _)| *page == name)?;
    Some(page.to_owned())
}

fn is_handle(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_alphanumeric() || letter == '-')
}
