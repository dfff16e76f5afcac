//! The context of a page: language, currency, address, sections.

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
use shop::values::languages::Language;
use shop::values::money::{Currency, Money};
use std::rc::Rc;
use worker::Method;
use worker::url::form_urlencoded;

/// Sections that a list of links has at most.
const SECTIONS: usize = 12;

/// The context of a page.
pub struct PageContext {
    /// Prices are shown in it.
    pub currency: Currency,
    /// Language of the page.
    pub language: Language,
    /// Storefront that the page belongs to.
    pub channel: Rc<Channel>,
    /// The address that was asked for, without language and currency.
    pub address: String,
    sections: Vec<(String, String)>,
}

impl PageContext {
    /// The visit that `call` is part of.
    ///
    /// # Errors
    /// 422 `unknown_currency`.
    pub async fn of(call: &Call<'_>) -> Result<Self> {
        Ok(Self::in_currency(call, call.currency()?).await)
    }

    /// A visit whose address may name no currency, or one that the shop does not sell in: then it
    /// is in `currency`.
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

    /// The currency that links name, where it is not the shop's default.
    #[must_use]
    pub fn chosen_currency(&self) -> Option<Currency> {
        Some(self.currency).filter(|currency| *currency != self.channel.default_currency)
    }

    /// `path` in the language and currency of this visit.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        self.link_in(path, self.language, self.currency)
    }

    /// `path` in the language of this visit.
    pub(super) fn path(&self, path: &str) -> String {
        self.channel.languages.path(path, self.language)
    }

    /// This page in every language: language and path.
    pub fn alternates(&self) -> impl Iterator<Item = (Language, String)> {
        self.channel.languages.all().map(|language| {
            (
                language,
                self.link_in(&self.address, language, self.currency),
            )
        })
    }

    /// Language of the merchant's texts, where it is not the language of the page: for whoever
    /// hears them read.
    pub(super) fn language_of_products(&self) -> Option<&'static str> {
        let written = self.channel.languages.default;
        (self.language != written).then(|| written.code())
    }

    /// An amount as the visitor reads it.
    #[must_use]
    pub fn money(&self, money: Money) -> String {
        self.language.money(money)
    }

    /// An instant as the visitor reads it; with JavaScript in their own time zone.
    #[must_use]
    pub fn instant(&self, at: Timestamp) -> Markup {
        let machine = crate::web::views::instant(at);
        html! { time datetime=(machine) data-local { (self.language.instant(at)) } }
    }

    /// The texts of the visitor's language.
    pub(super) const fn texts(&self) -> &'static Texts {
        locale::of(self.language)
    }

    /// The sections of the catalog: path and title.
    pub(super) fn sections(&self) -> impl Iterator<Item = (String, &str)> {
        let sections = self.sections.iter();
        sections.map(|(handle, title)| (self.link(&collection_path(handle)), title.as_str()))
    }

    /// The same visit, as if the visitor was at `path`: where a form that was refused stands.
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

/// The catalog's sections; none while the catalog can't be read, as no page must fail for them.
pub(crate) async fn sections(call: &Call<'_>) -> Vec<(String, String)> {
    let Ok(version) = call.app.catalog().current().await else {
        return Vec::new();
    };
    let sections = version.sections().into_iter().take(SECTIONS);
    sections
        .map(|section| (section.handle.clone(), section.title.clone()))
        .collect()
}

/// Address of the page, but for language and currency. An address that a form was sent to can't be
/// visited.
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

/// The status page of an order, in the visitor's language and currency.
pub fn order_path(visit: &PageContext, order_id: &str) -> String {
    visit.link(&status_path(order_id))
}
