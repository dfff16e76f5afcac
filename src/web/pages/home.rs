//! The home page: the featured launch, some products, and the categories.

use crate::app::brand::{BRAND, Launch};
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::pages::icons::{BAG, icon};
use crate::web::pages::layout::page_with;
use crate::web::pages::lists::card_grid;
use crate::web::pages::metadata::Metadata;
use crate::web::pages::paths::{collection_path, product_path};
use crate::web::pages::pictures::{Fetched, picture};
use crate::web::pages::visit::PageContext;
use crate::web::pages::{metadata, structured_data};
use maud::{Markup, html};
use shop::catalog::sections::{Section, list_sections};
use shop::catalog::version::PublishedCatalog;
use shop::catalog::{Card, Product, version};
use shop::error::Result;
use shop::values::money::Money;

/// `GET /`: the home page.
///
/// # Errors
/// Fails if the published catalog can't be read.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let catalog = call.app.catalog();
    let version = catalog.current().await?;
    let Some((first, rest)) = version.featured.split_first() else {
        return Ok(home_page(&visit, &nothing_published(&visit)));
    };
    let is_launched = |launch: &Launch| first.tags.iter().any(|tag| tag == launch.tag);
    let (stage, others) = match BRAND.launch.filter(is_launched) {
        Some(launch) => {
            let product = version::find_product(&catalog, &first.handle).await?;
            let stage = launch_stage(&visit, launch, first, product.as_deref());
            (stage, rest)
        }
        None => (welcome_stage(&visit, first), version.featured.as_slice()),
    };
    let sections = list_sections(&catalog, BRAND.sections).await?;
    let content = html! {
        (stage)
        (section_tiles(&visit, &sections))
        (featured(&visit, others))
    };
    Ok(home_page(&visit, &content))
}

fn home_page(visit: &PageContext, content: &Markup) -> Reply {
    let title = BRAND.welcome.of(visit.language).title;
    let metadata = Metadata {
        title,
        description: BRAND.texts.of(visit.language).about,
        path: "/",
        image: None,
        structured: structured_data::shop(&visit.channel.origin, visit),
    };
    let head = metadata::tags(visit, &metadata);
    page_with(200, visit, title, &head, content).public()
}

/// Renders the launched product.
fn launch_stage(
    visit: &PageContext,
    launch: Launch,
    card: &Card,
    product: Option<&Product>,
) -> Markup {
    let texts = visit.texts();
    let path = visit.link(&product_path(&card.handle, None));
    let pitch = product.map_or("", |product| product.seo.description.as_str());
    html! {
        section class="hero launch" {
            div class="pitch" {
                p class="eyebrow" { (texts.new) }
                h1 { bdi { (card.title) } }
                @if !pitch.is_empty() { p class="lead" { (pitch) } }
                @if let Some(range) = card.price_ranges.get(visit.currency.code()) {
                    p class="price" { ((texts.from_price)(&visit.money(Money::new(range.min, visit.currency)))) }
                }
                p class="actions" { a class="button" href=(path) { (texts.buy) } }
            }
            (picture(launch.picture, "", (2000, 1000), Fetched::First))
        }
    }
}

/// Renders the shop itself, with a picture of its first product.
fn welcome_stage(visit: &PageContext, first: &Card) -> Markup {
    let welcome = BRAND.welcome.of(visit.language);
    html! {
        section class="hero" {
            div class="pitch" {
                h1 { (welcome.title) }
                p class="lead" { (welcome.lead) }
                p class="actions" { a class="button" href=(visit.link("/products")) { (visit.texts().browse_all) } }
            }
            @if let Some(image) = &first.image {
                (picture(&image.url, "", (640, 640), Fetched::First))
            }
        }
    }
}

fn section_tiles(visit: &PageContext, sections: &[Section]) -> Markup {
    let texts = visit.texts();
    html! {
        @if !sections.is_empty() {
            section aria-labelledby="sections" {
                h2 id="sections" { (texts.shop_by_category) }
                ul class="tiles" {
                    @for section in sections {
                        li {
                            a href=(visit.link(&collection_path(&section.handle))) {
                                @if let Some(image) = &section.image { (picture(&image.url, "", (120, 120), Fetched::Late)) }
                                span class="title" { (section.title) }
                                span class="quiet" { ((texts.products_found)(section.products)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Renders the merchant's first products, except the featured one.
fn featured(visit: &PageContext, others: &[Card]) -> Markup {
    let cards: Vec<&Card> = others.iter().take(BRAND.products).collect();
    html! {
        @if !cards.is_empty() {
            section aria-labelledby="featured" {
                h2 id="featured" { (visit.texts().featured) }
                (card_grid(visit, &cards))
                p class="more" { a class="button secondary" href=(visit.link("/products")) { (visit.texts().browse_all) } }
            }
        }
    }
}

fn nothing_published(visit: &PageContext) -> Markup {
    let texts = visit.texts();
    html! {
        section class="empty" {
            (icon(BAG))
            h1 { (texts.opens_soon) }
            p { (texts.nothing_on_sale) " " code { "npm run catalog -- import FILE" } }
        }
    }
}
