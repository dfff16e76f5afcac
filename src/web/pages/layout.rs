//! The parts shared by every page: head, header, footer, and links that keep language and currency.
//!
//! A public page depends on its URL alone. Anything that belongs to the visitor, such as the number
//! of units in the cart, is filled in by a script, into space reserved for it.

use crate::app::brand::{BRAND, SHOP_NAME};
use crate::web::assets::kept_address;
use crate::web::http::reply::Reply;
use crate::web::pages::head;
use crate::web::pages::head::not_to_be_found;
use crate::web::pages::icons::{BAG, CLOSE, SEARCH, icon};
use crate::web::pages::navigation::links;
use crate::web::pages::visit::PageContext;
use maud::{DOCTYPE, Markup, html};

/// Renders a page that belongs to one visitor.
#[must_use]
pub fn page(status: u16, visit: &PageContext, title: &str, content: &Markup) -> Reply {
    page_with(status, visit, title, &not_to_be_found(), content)
}

/// Renders a page with additional tags in its head.
#[must_use]
pub fn page_with(
    status: u16,
    visit: &PageContext,
    title: &str,
    head: &Markup,
    content: &Markup,
) -> Reply {
    let texts = visit.texts();
    let document = html! {
        (DOCTYPE)
        html lang=(visit.language.code()) {
            (head_of(visit, title, head))
            body {
                a class="skip" href="#content" { (texts.skip_to_content) }
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

/// Renders the product search form.
#[must_use]
pub fn search_form(visit: &PageContext, id: &str, text: &str) -> Markup {
    let texts = visit.texts();
    html! {
        form class="search" method="get" action=(visit.path("/products")) {
            label class="unseen" for=(id) { (texts.search_products) }
            input id=(id) type="search" name="q" value=(text) placeholder=(texts.search) maxlength="100" autocomplete="off";
            @if let Some(currency) = visit.chosen_currency() { input type="hidden" name="currency" value=(currency); }
            button class="icon-button" aria-label=(texts.search) { (icon(SEARCH)) }
        }
    }
}

fn head_of(visit: &PageContext, title: &str, more: &Markup) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (title) @if title != SHOP_NAME { " · " (SHOP_NAME) } }
            link rel="icon" href=(BRAND.favicon) type="image/svg+xml";
            link rel="stylesheet" href=(kept_address("/css/shop.css"));
            script type="module" src=(kept_address("/js/shop.js")) {}
            (head::tags(visit))
            (more)
        }
    }
}

fn header(visit: &PageContext) -> Markup {
    let texts = visit.texts();
    html! {
        header class="site-header" {
            div class="bar" {
                a class="brand" href=(visit.link("/")) {
                    picture {
                        source srcset=(kept_address(BRAND.mark_on_dark)) media="(prefers-color-scheme: dark)";
                        img src=(kept_address(BRAND.mark)) alt="" width="28" height="28";
                    }
                    span { (SHOP_NAME) }
                }
                search { (search_form(visit, "search", "")) }
                a class="cart-link" href=(visit.link("/cart")) data-opens="drawer" {
                    (icon(BAG)) span class="unseen" { (texts.cart) }
                    span class="count" data-cart-count hidden {}
                }
            }
            @if let Some(links) = links(visit, BRAND.header) {
                nav class="sections" aria-label=(texts.main_navigation) { (links) }
            }
        }
    }
}

fn footer(visit: &PageContext) -> Markup {
    let texts = visit.texts();
    html! {
        footer class="site-footer" {
            div class="columns" {
                @for (at, column) in BRAND.footer.iter().enumerate() {
                    @if let Some(links) = links(visit, column.links) {
                        nav aria-labelledby=(format!("footer-{at}")) {
                            h2 id=(format!("footer-{at}")) { (column.title.of(visit.language)) }
                            (links)
                        }
                    }
                }
                @if !visit.channel.languages.others.is_empty() { (languages(visit)) }
                nav aria-labelledby="footer-currency" {
                    h2 id="footer-currency" { (texts.currency) }
                    ul class="currencies" {
                        @for currency in &visit.channel.currencies {
                            li { a href=(visit.link_in(&visit.address, visit.language, *currency)) aria-current=[(*currency == visit.currency).then_some("true")] { (currency) } }
                        }
                    }
                }
            }
            p class="quiet" { (SHOP_NAME) " · " (BRAND.texts.of(visit.language).tagline) }
            p class="quiet" {
                (BRAND.legal_name) @for line in BRAND.address { ", " (line) }
                " · " a href={ "mailto:" (BRAND.support_email) } { (BRAND.support_email) }
                @if let Some(phone) = BRAND.support_phone { " · " a href={ "tel:" (dialled(phone)) } { (phone) } }
            }
        }
    }
}

fn languages(visit: &PageContext) -> Markup {
    html! {
        nav aria-labelledby="footer-language" {
            h2 id="footer-language" { (visit.texts().language) }
            ul {
                @for (language, address) in visit.alternates() {
                    li { a href=(address) lang=(language.code()) hreflang=(language.code()) aria-current=[(language == visit.language).then_some("true")] { (language.name()) } }
                }
            }
        }
    }
}

/// Returns a phone number as written in a `tel:` link.
fn dialled(phone: &str) -> String {
    phone
        .chars()
        .filter(|letter| letter.is_ascii_digit() || *letter == '+')
        .collect()
}

/// Renders the cart drawer beside the page, for browsers with JavaScript; it is empty until opened.
fn drawer(visit: &PageContext) -> Markup {
    let texts = visit.texts();
    html! {
        dialog class="drawer" id="drawer" aria-label=(texts.your_cart) data-cart=(visit.link("/cart")) {
            form method="dialog" {
                p id="drawer-status" role="status" {}
                button class="icon-button" aria-label=(texts.close) { (icon(CLOSE)) }
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
