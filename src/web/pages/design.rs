//! The design system on one page, in development only: its tokens, and every component in every
//! state. A component is its class and its markup; this page shows how to write it.

use crate::web::assets::kept_address;
use crate::web::http::call::{Call, Form};
use crate::web::http::reply::Reply;
use crate::web::pages::fields::{Field, Typed};
use crate::web::pages::head::not_to_be_found;
use crate::web::pages::icons::{BAG, CLOSE, LETTER, OFFLINE, SEARCH, TRUCK, ZOOM, icon};
use crate::web::pages::layout::page_with;
use crate::web::pages::lists::card_grid;
use crate::web::pages::pictures::{Fetched, address, picture};
use crate::web::pages::products::stock_words;
use crate::web::pages::visit::PageContext;
use durable::stock::Availability;
use maud::{Markup, html};
use shop::catalog::Card;
use shop::catalog::version::PublishedCatalog;
use shop::codes::Code;
use shop::error::{FieldError, Result};
use shop::values::ids::Sku;

/// Colours of `content/shop.toml`, with their uses.
const COLOURS: [(&str, &str); 13] = [
    ("ink", "text"),
    ("quiet", "text that may be skipped"),
    ("ground", "the page"),
    ("raised", "what lies on it"),
    ("panel", "fields and choices"),
    ("line", "between things"),
    ("edge", "around what can be pressed"),
    ("accent", "the one thing to do"),
    ("accent-strong", "the same under the pointer"),
    ("good", "in stock"),
    ("low", "nearly gone"),
    ("fault", "what went wrong"),
    ("fault-ground", "behind it"),
];

const ICONS: [(&str, &str); 7] = [
    (BAG, "Cart"),
    (SEARCH, "Search"),
    (CLOSE, "Close"),
    (ZOOM, "Enlarge"),
    (LETTER, "Mail"),
    (OFFLINE, "Offline"),
    (TRUCK, "Delivery"),
];

const SIZES: [&str; 6] = ["display", "heading", "title", "large", "body", "small"];

/// `GET /_design`: the design system.
///
/// # Errors
/// Fails if the catalog can't be read.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let version = call.app.catalog().current().await?;
    let cards: Vec<&Card> = version.featured.iter().take(4).collect();
    let head = html! {
        (not_to_be_found())
        link rel="stylesheet" href=(kept_address("/css/design.css"));
    };
    let content = html! {
        h1 { "Design system" }
        (section("Colour", &colours()))
        (section("Type", &type_scale()))
        (section("Buttons", &buttons()))
        (section("Fields", &fields(&visit)))
        (section("Prices, badges, stock", &prices(&visit)))
        (section("Cards", &card_grid(&visit, &cards)))
        (section("Gallery, swatches, delivery", &product_parts(&cards)))
        (section("Finding one's way", &ways()))
        (section("Quantity", &quantity()))
        (section("Drawer, toast", &overlays()))
        (section("Notices, empty, waiting", &states()))
    };
    Ok(page_with(200, &visit, "Design system", &head, &content))
}

fn section(title: &str, content: &Markup) -> Markup {
    html! { section class="specimen" { h2 { (title) } (content) } }
}

fn colours() -> Markup {
    html! {
        ul class="colours" {
            @for (name, use_of) in COLOURS {
                li { span class={ "colour " (name) } {} code { "--" (name) } span class="quiet" { (use_of) } }
            }
        }
    }
}

fn type_scale() -> Markup {
    html! {
        @for size in SIZES { p class={ "size-" (size) } { "Aa Ää 1,199.00 · " (size) } }
    }
}

fn buttons() -> Markup {
    html! {
        p class="actions" {
            button { "Primary" }
            button class="secondary" { "Secondary" }
            button disabled { "Disabled" }
            button class="link" { "Link" }
            a class="button" href="#" { "Link as button" }
        }
        p class="actions" {
            @for (path, name) in ICONS {
                button class="icon-button" aria-label=(name) { (icon(path)) }
            }
        }
    }
}

fn fields(visit: &PageContext) -> Markup {
    let form = Form(vec![("faulty".to_owned(), "what was typed".to_owned())]);
    let errors = [FieldError::new("faulty", Code::Required, "")];
    let typed = Typed::new(visit.texts(), &form, &errors, vec!["plain"]);
    html! {
        form class="stack narrow-page" novalidate {
            (typed.text_field(&Field::new("plain", "Plain", "off", false)))
            (typed.text_field(&Field::new("faulty", "With a fault", "off", true)))
            div class="field" { label for="choose" { "Select" } select id="choose" { option { "One" } option { "Two" } } }
            fieldset {
                legend { "Choice" }
                label class="choice" { input type="radio" name="choice" checked; span { "Chosen" } strong { "$5.95" } }
                label class="choice" { input type="radio" name="choice"; span { "Not chosen" } strong { "$19.95" } }
            }
        }
    }
}

fn prices(visit: &PageContext) -> Markup {
    let nothing = Sku::new(String::new());
    html! {
        p class="price" { "$329.00 " s { "$399.00" } " " span class="badge sale" { "Sale" } " " span class="badge" { "New" } }
        @for word in [Availability::InStock, Availability::Low, Availability::Preorder, Availability::Out] { div { (stock_words(visit, &nothing, word)) } }
    }
}

fn product_parts(cards: &[&Card]) -> Markup {
    let pictures: Vec<&str> = cards
        .iter()
        .filter_map(|card| Some(card.image.as_ref()?.url.as_str()))
        .collect();
    html! {
        div class="gallery" {
            ul class="frames" aria-label="Pictures" {
                @for (at, url) in pictures.iter().enumerate() {
                    li id=(format!("picture-{at}")) { a href=[address(url)] class="frame" data-zoom aria-label=(format!("Enlarge {at}")) { (picture(url, "", (320, 320), Fetched::Late)) (icon(ZOOM)) } }
                }
            }
            ul class="thumbnails" {
                @for (at, url) in pictures.iter().enumerate() {
                    li { a href=(format!("#picture-{at}")) aria-label=(format!("Show {at}")) aria-current=[(at == 0).then_some("true")] { (picture(url, "", (80, 80), Fetched::Late)) } }
                }
            }
        }
        div class="option" role="group" aria-label="Finish" {
            ul class="choices swatches" {
                @for (at, url) in pictures.iter().enumerate() {
                    li { a href="#" aria-current=[(at == 0).then_some("true")] { (picture(url, "", (64, 64), Fetched::Late)) span { "Finish " (at) } } }
                }
            }
        }
        details class="delivery" {
            summary { (icon(TRUCK)) span { strong { "Delivery: 3–5 working days" } small { "United States" } } }
            dl { div { dt { "United States" } dd { "Standard: 3–5 working days" } } div { dt { "Japan" } dd { "Standard: 1–3 working days" } } }
        }
    }
}

fn overlays() -> Markup {
    html! {
        dialog class="drawer" open aria-label="A drawer" {
            form method="dialog" { p { "What has changed" } button class="icon-button" aria-label="Close the drawer" { (icon(CLOSE)) } }
            p { "What is beside the page." }
        }
        p class="toast" { "What has happened." }
    }
}

fn ways() -> Markup {
    html! {
        nav class="breadcrumb" aria-label="Breadcrumb" { ol { li { a href="#" { "All products" } } li { a href="#" { "Phones" } } } }
        nav class="steps" aria-label="Steps" { ol { li { "Cart" } li aria-current="step" { "Delivery" } li { "Review" } } }
        nav class="pagination" aria-label="Pages" {
            ol { li { a href="#" aria-current="page" { "1" } } li { a href="#" { "2" } } }
            a rel="next" href="#" { "Next" }
        }
        ul class="chips" { li { a href="#" { "Chip" } } li { a href="#" { "Another" } } }
        div class="option" role="group" aria-label="Storage" {
            ul class="choices" {
                li { a href="#" aria-current="true" { span { "256GB" } small { "$1,199.00" } } }
                li { a href="#" { span { "512GB" } small { "$1,399.00" } } }
                li { a href="#" data-stock="out" { span { "1TB" } small { "Sold out" } } }
            }
        }
    }
}

fn quantity() -> Markup {
    html! {
        div class="stepper" {
            button aria-label="One less" { "−" }
            input aria-label="Quantity" type="number" value="2";
            button aria-label="One more" { "+" }
        }
    }
}

fn states() -> Markup {
    html! {
        p class="notice" { "A notice." }
        p class="notice fault" { "A notice of a fault." }
        div class="empty" { (icon(BAG)) p { "Nothing here yet." } p { a class="button secondary" href="#" { "Somewhere else" } } }
        div class="skeleton" { span {} span {} }
    }
}
