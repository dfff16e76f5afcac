//! The context of a page: language, currency, URL, categories.

use crate::web::http::call::Call;
use crate::web::pages::locale;
use crate::web::pages::locale::texts::Texts;
use crate::web::pages::paths::collection_path;
use durable::Timestamp;
use maud::{Markup, html};
use shop::catalog::version::PublishedCatalog;
use shop::error::Result;
use shop::orders::links::status_path;
use shop::values::channel::Channel;
use shop::values::ids::OrderId;
use shop::values::languages::Language;
use shop::values::money::{Currency, Money};
use std::rc::Rc;
use worker::Method;
use worker::url::form_urlencoded;

/// Maximum number of categories in a list of links.
const SECTIONS: usize = 12;

/// The context of a page.
pub struct PageContext {
    /// Currency of the prices shown.
    pub currency: Currency,
    /// Language of the page.
    pub language: Language,
    /// Storefront that the page belongs to.
    pub channel: Rc<Channel>,
    /// Requested path, without language and currency.
    pub address: String,
    sections: Vec<(String, String)>,
}

impl PageContext {
    /// Creates the context of the page that `call` requests.
    ///
    /// # Errors
    /// 422 `unknown_currency`.
    pub async fn of(call: &Call<'_>) -> Result<Self> {
        Ok(Self::in_currency(call, call.currency()?).await)
    }

    /// Creates the context of a page whose URL may name no currency, or one that the shop doesn't
    /// sell in: `currency` is used in its place.
    pub async fn of_or_in(call: &Call<'_>, currency: Currency) -> Self {
        let named = call.query("currency").and_then(|_| call.currency().ok());
        Self::in_currency(call, named.unwrap_or(currency)).await
    }

    async fn in_currency(call: &Call<'_>, currency: Currency) -> Self {
        Self {
            currency,
            language: call.language,
            channel: Rc::clone(&call.channel),
            address: address_of(call),
            sections: sections(call).await,
        }
    }

    /// Returns the currency that links have to name; `None` means the shop's default.
    #[must_use]
    pub fn chosen_currency(&self) -> Option<Currency> {
        Some(self.currency).filter(|currency| *currency != self.channel.default_currency)
    }

    /// Returns `path` in the language and currency of this page.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        self.link_in(path, self.language, self.currency)
    }

    /// Returns `path` in the language of this page.
    pub(super) fn path(&self, path: &str) -> String {
        self.channel.languages.path(path, self.language)
    }

    /// Returns this page in every language, as language and path.
    pub fn alternates(&self) -> impl Iterator<Item = (Language, String)> {
        self.channel.languages.all().map(|language| {
            (
                language,
                self.link_in(&self.address, language, self.currency),
            )
        })
    }

    /// Returns the language of the merchant's texts if it differs from the page's, for screen
    /// readers.
    pub(super) fn language_of_products(&self) -> Option<&'static str> {
        let written = self.channel.languages.default;
        (self.language != written).then(|| written.code())
    }

    /// Formats an amount for the visitor.
    #[must_use]
    pub fn money(&self, money: Money) -> String {
        self.language.money(money)
    }

    /// Renders an instant for the visitor; with JavaScript, in their own time zone.
    #[must_use]
    pub fn instant(&self, at: Timestamp) -> Markup {
        let machine = crate::web::views::instant(at);
        html! { time datetime=(machine) data-local { (self.language.instant(at)) } }
    }

    /// Returns the texts of the page's language.
    pub(super) const fn texts(&self) -> &'static Texts {
        locale::of(self.language)
    }

    /// Returns path and title of the catalog's main categories.
    pub(super) fn sections(&self) -> impl Iterator<Item = (String, &str)> {
        let sections = self.sections.iter();
        sections.map(|(handle, title)| (self.link(&collection_path(handle)), title.as_str()))
    }

    /// Returns the same context at `path`, for a form that is shown again after it was rejected.
    pub(super) fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.address);
        self
    }

    pub(super) fn link_in(&self, path: &str, language: Language, currency: Currency) -> String {
        let path = self.channel.languages.path(path, language);
        if currency == self.channel.default_currency {
            return path;
        }
        let separator = if path.contains('?') { '&' } else { '?' };
        format!("{path}{separator}currency={currency}")
    }
}

/// Returns the catalog's main categories; none while the catalog can't be read, because no page
/// must fail for lack of them.
pub(crate) async fn sections(call: &Call<'_>) -> Vec<(String, String)> {
    let Ok(version) = call.app.catalog().current().await else {
        return Vec::new();
    };
    let sections = version.sections().into_iter().take(SECTIONS);
    sections
        .map(|section| (section.handle.clone(), section.title.clone()))
        .collect()
}

/// Returns the path of the page without language and currency. A URL that only accepts a form can't
/// be linked to.
fn address_of(call: &Call<'_>) -> String {
    if !matches!(call.method(), Method::Get | Method::Head) {
        return "/".to_owned();
    }
    let others = call.url.query_pairs().filter(|(key, _)| key != "currency");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(others)
        .finish();
    if query.is_empty() {
        return call.path().to_owned();
    }
    format!("{}?{query}", call.path())
}

/// Returns the status page of an order, in the visitor's language and currency.
pub fn order_path(visit: &PageContext, order_id: &OrderId) -> String {
    visit.link(&status_path(order_id))
}
