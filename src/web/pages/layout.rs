//! What every page shares: head, header, footer, and links that keep the currency.

use crate::error::Result;
use crate::shop::languages::Language;
use crate::shop::money::{Currency, Money};
use crate::web::assets::kept_address;
use crate::web::call::Call;
use crate::web::pages::metadata::not_to_be_found;
use crate::web::reply::Reply;
use maud::{DOCTYPE, Markup, html};
use worker::Method;
use worker::url::form_urlencoded;

/// Name of the shop.
pub const SHOP_NAME: &str = "Ohmstead";

/// What a page needs to know of its visitor.
pub struct Visit {
    /// Prices are shown in it.
    pub currency: Currency,
    /// What the page is written in.
    pub language: Language,
    default_currency: Currency,
    currencies: Vec<Currency>,
    address: String,
}

impl Visit {
    /// The visit that `call` is part of.
    ///
    /// # Errors
    /// 422 `unknown_currency`.
    pub fn of(call: &Call<'_>) -> Result<Self> {
        Self::in_currency(call, call.currency()?)
    }

    /// A visit whose address may name a currency that the shop does not sell in.
    ///
    /// # Errors
    /// When the shop sells in none.
    pub fn in_default_currency(call: &Call<'_>) -> Result<Self> {
        Self::in_currency(call, call.app.config.default_currency()?)
    }

    fn in_currency(call: &Call<'_>, currency: Currency) -> Result<Self> {
        Ok(Self {
            currency,
            language: call.language,
            default_currency: call.app.config.default_currency()?,
            currencies: call.app.config.currencies.clone(),
            address: address_of(call),
        })
    }

    /// The currency that links name, where it is not the shop's default.
    #[must_use]
    pub fn chosen_currency(&self) -> Option<Currency> {
        Some(self.currency).filter(|currency| *currency != self.default_currency)
    }

    /// `path` in the language and currency of this visit: public pages depend on their address alone.
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

    /// An amount as the visitor reads it.
    #[must_use]
    pub fn money(&self, money: Money) -> String {
        self.language.money(money)
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
    let document = html! {
        (DOCTYPE)
        html lang=(visit.language.code()) {
            (head_of(title, head))
            body {
                a class="skip" href="#content" { "Skip to content" }
                header class="site" {
                    a class="brand" href=(visit.link("/")) {
                        picture {
                            source srcset=(kept_address("/mark-light.svg")) media="(prefers-color-scheme: dark)";
                            img src=(kept_address("/mark.svg")) alt="" width="28" height="28";
                        }
                        (SHOP_NAME)
                    }
                    nav aria-label="Main" {
                        a href=(visit.link("/products")) { "Shop all" }
                        a href=(visit.link("/collections/phones")) { "Phones" }
                        a href=(visit.link("/collections/audio")) { "Audio" }
                    }
                    a class="to-cart" href=(visit.link("/cart")) { "Cart" }
                }
                main id="content" { (content) }
                footer class="site" {
                    nav aria-label="Currency" {
                        @for currency in &visit.currencies {
                            a href=(visit.link_in(&visit.address, visit.language, *currency)) aria-current=[(*currency == visit.currency).then_some("true")] { (currency) }
                        }
                    }
                    nav aria-label="Language" {
                        @for (language, address) in visit.alternates() {
                            a href=(address) lang=(language.code()) hreflang=(language.code()) aria-current=[(language == visit.language).then_some("true")] { (language.name()) }
                        }
                    }
                    p { (SHOP_NAME) ", an open storefront at the edge." }
                }
            }
        }
    };
    Reply::html(status, document.into_string())
}

fn head_of(title: &str, more: &Markup) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (title) " · " (SHOP_NAME) }
            link rel="icon" href="/favicon.svg" type="image/svg+xml";
            link rel="stylesheet" href=(kept_address("/css/shop.css"));
            (more)
        }
    }
}
