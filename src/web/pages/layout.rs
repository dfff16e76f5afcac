//! What every page shares: head, header, footer, and links that keep language and currency.
//!
//! A public page depends on its address alone. What is a visitor's own (how much is in the cart) comes by script, into room that is
//! kept for it.

use crate::error::Result;
use crate::shop::languages::Language;
use crate::shop::money::{Currency, Money};
use crate::shop::ports::PublishedCatalog;
use crate::web::assets::kept_address;
use crate::web::call::Call;
use crate::web::pages::icons::{BAG, CLOSE, SEARCH, icon};
use crate::web::pages::lists::collection_path;
use crate::web::pages::metadata::not_to_be_found;
use crate::web::pages::offline;
use crate::web::pages::policies::POLICIES;
use crate::web::pages::words::{self, Words};
use crate::web::reply::Reply;
use durable::Timestamp;
use maud::{DOCTYPE, Markup, html};
use worker::Method;
use worker::url::form_urlencoded;

/// Name of the shop.
pub const SHOP_NAME: &str = "Ohmstead";

/// Most sections in the header.
const SECTIONS: usize = 6;

/// What a page needs to know of its visitor.
pub struct Visit {
    /// Prices are shown in it.
    pub currency: Currency,
    /// What the page is written in.
    pub language: Language,
    default_currency: Currency,
    currencies: Vec<Currency>,
    address: String,
    sections: Vec<(String, String)>,
}

impl Visit {
    /// The visit that `call` is part of.
    ///
    /// # Errors
    /// 422 `unknown_currency`.
    pub async fn of(call: &Call<'_>) -> Result<Self> {
        Self::in_currency(call, call.currency()?).await
    }

    /// A visit whose address may name no currency, or one that the shop does not sell in: then it is in `currency`.
    ///
    /// # Errors
    /// When the shop sells in none.
    pub async fn of_or_in(call: &Call<'_>, currency: Currency) -> Result<Self> {
        let named = call.query("currency").and_then(|_| call.currency().ok());
        Self::in_currency(call, named.unwrap_or(currency)).await
    }

    async fn in_currency(call: &Call<'_>, currency: Currency) -> Result<Self> {
        Ok(Self {
            currency,
            language: call.language,
            default_currency: call.app.config.default_currency()?,
            currencies: call.app.config.currencies.clone(),
            address: address_of(call),
            sections: sections(call).await,
        })
    }

    /// The currency that links name, where it is not the shop's default.
    #[must_use]
    pub fn chosen_currency(&self) -> Option<Currency> {
        Some(self.currency).filter(|currency| *currency != self.default_currency)
    }

    /// `path` in the language and currency of this visit.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        self.link_in(path, self.language, self.currency)
    }

    /// This page in every language: language and path.
    pub fn alternates(&self) -> impl Iterator<Item = (Language, String)> {
        Language::ALL.into_iter().map(|language| {
            (
                language,
                self.link_in(&self.address, language, self.currency),
            )
        })
    }

    /// What the merchant's texts are written in, where that is not the language of the page: for who hears them read.
    pub(super) fn language_of_products(&self) -> Option<&'static str> {
        let written = Language::default();
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
        let machine = crate::web::api::instant(at);
        html! { time datetime=(machine) data-local { (self.language.instant(at)) } }
    }

    /// The words of the visitor's language.
    pub(super) const fn words(&self) -> &'static Words {
        words::of(self.language)
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
        let path = language.path(path);
        if currency == self.default_currency {
            return path;
        }
        let separator = if path.contains('?') { '&' } else { '?' };
        format!("{path}{separator}currency={currency}")
    }
}

/// The catalog's sections; none while the catalog can't be read, as no page must fail for them.
async fn sections(call: &Call<'_>) -> Vec<(String, String)> {
    let Ok(version) = call.app.catalog().current().await else {
        return Vec::new();
    };
    let sections = version.sections().into_iter().take(SECTIONS);
    sections
        .map(|section| (section.handle.clone(), section.title.clone()))
        .collect()
}

/// Where the visitor is, but for language and currency. What a form was sent to can't be visited.
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

/// `value` as it stands in a path or a query.
#[must_use]
pub fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// A page that is someone's own.
#[must_use]
pub fn page(status: u16, visit: &Visit, title: &str, content: &Markup) -> Reply {
    page_with(status, visit, title, &not_to_be_found(), content)
}

/// A page with something more in its head.
#[must_use]
pub fn page_with(
    status: u16,
    visit: &Visit,
    title: &str,
    head: &Markup,
    content: &Markup,
) -> Reply {
    let words = visit.words();
    let document = html! {
        (DOCTYPE)
        html lang=(visit.language.code()) {
            (head_of(visit, title, head))
            body {
                a class="skip" href="#content" { (words.skip_to_content) }
                (header(visit))
                main id="content" tabindex="-1" { (content) }
                (footer(visit))
                (drawer(visit))
                div class="toast" id="toast" role="status" {}
            }
        }
    };
    Reply::html(status, document.into_string())
        .with("Speculation-Rules", "\"/speculation-rules.json\"")
}

/// The form that looks for products by words.
#[must_use]
pub fn search_form(visit: &Visit, id: &str, text: &str) -> Markup {
    let words = visit.words();
    html! {
        form class="search" method="get" action=(visit.language.path("/products")) {
            label class="unseen" for=(id) { (words.search_products) }
            input id=(id) type="search" name="q" value=(text) placeholder=(words.search) maxlength="100" autocomplete="off";
            @if let Some(currency) = visit.chosen_currency() { input type="hidden" name="currency" value=(currency); }
            button class="icon-button" aria-label=(words.search) { (icon(SEARCH)) }
        }
    }
}

fn head_of(visit: &Visit, title: &str, more: &Markup) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (title) @if title != SHOP_NAME { " · " (SHOP_NAME) } }
            link rel="icon" href="/favicon.svg" type="image/svg+xml";
            link rel="stylesheet" href=(kept_address("/css/shop.css"));
            script type="module" src=(kept_address("/js/shop.js")) {}
            (offline::tags(visit))
            (more)
        }
    }
}

fn header(visit: &Visit) -> Markup {
    let words = visit.words();
    html! {
        header class="site-header" {
            div class="bar" {
                a class="brand" href=(visit.link("/")) {
                    picture {
                        source srcset=(kept_address("/mark-light.svg")) media="(prefers-color-scheme: dark)";
                        img src=(kept_address("/mark.svg")) alt="" width="28" height="28";
                    }
                    span { (SHOP_NAME) }
                }
                search { (search_form(visit, "search", "")) }
                a class="cart-link" href=(visit.link("/cart")) data-opens="drawer" {
                    (icon(BAG)) span class="unseen" { (words.cart) }
                    span class="count" data-cart-count hidden {}
                }
            }
            nav class="sections" aria-label=(words.main_navigation) {
                ul {
                    li { a href=(visit.link("/products")) { (words.shop_all) } }
                    @for (path, title) in visit.sections() { li { a href=(path) { (title) } } }
                }
            }
        }
    }
}

fn footer(visit: &Visit) -> Markup {
    let words = visit.words();
    html! {
        footer class="site-footer" {
            div class="columns" {
                nav aria-labelledby="footer-help" {
                    h2 id="footer-help" { (words.help) }
                    ul {
                        li { a href=(visit.link("/orders")) { (words.find_your_order) } }
                        @for policy in POLICIES {
                            li { a href=(visit.link(&policy.path())) { (policy.title(visit.language)) } }
                        }
                    }
                }
                nav aria-labelledby="footer-shop" {
                    h2 id="footer-shop" { (words.shop) }
                    ul {
                        li { a href=(visit.link("/products")) { (words.shop_all) } }
                        @for (path, title) in visit.sections() { li { a href=(path) { (title) } } }
                    }
                }
                nav aria-labelledby="footer-language" {
                    h2 id="footer-language" { (words.language) }
                    ul {
                        @for (language, address) in visit.alternates() {
                            li { a href=(address) lang=(language.code()) hreflang=(language.code()) aria-current=[(language == visit.language).then_some("true")] { (language.name()) } }
                        }
                    }
                }
                nav aria-labelledby="footer-currency" {
                    h2 id="footer-currency" { (words.currency) }
                    ul class="currencies" {
                        @for currency in &visit.currencies {
                            li { a href=(visit.link_in(&visit.address, visit.language, *currency)) aria-current=[(*currency == visit.currency).then_some("true")] { (currency) } }
                        }
                    }
                }
            }
            p class="quiet" { (SHOP_NAME) " · " (words.tagline) }
        }
    }
}

/// The cart beside the page, for who has JavaScript; empty until it is opened.
fn drawer(visit: &Visit) -> Markup {
    let words = visit.words();
    html! {
        dialog class="drawer" id="drawer" aria-label=(words.your_cart) data-cart=(visit.link("/cart")) {
            form method="dialog" {
                p id="drawer-status" role="status" {}
                button class="icon-button" aria-label=(words.close) { (icon(CLOSE)) }
            }
            div id="drawer-content" {}
            template id="drawer-waiting" {
                div class="skeleton" aria-busy="true" {
                    span {} span {} span {}
                }
            }
        }
    }
}
