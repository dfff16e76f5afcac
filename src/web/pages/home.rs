//! The home page: the launch, and what else there is.

use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::pages::brand::{BRAND, SHOP_NAME};
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
use shop::catalog::version::{PublishedCatalog, Version};
use shop::catalog::{Card, Product, version};
use shop::error::Result;
use shop::values::money::Money;

/// `GET /`
///
/// # Errors
/// When the published catalog can't be read.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let catalog = call.app.catalog();
    let version = catalog.current().await?;
    let Some(launch) = version.featured.first() else {
        return Ok(home_page(&visit, &nothing_published(&visit)));
    };
    let product = version::find_product(&catalog, &launch.handle).await?;
    let sections = list_sections(&catalog, BRAND.sections).await?;
    let content = html! {
        (hero(&visit, launch, product.as_deref()))
        (section_tiles(&visit, &sections))
        (featured(&visit, &version))
    };
    Ok(home_page(&visit, &content))
}

fn home_page(visit: &PageContext, content: &Markup) -> Reply {
    let metadata = Metadata {
        title: SHOP_NAME,
        description: BRAND.texts(visit.language).about,
        path: "/",
        image: None,
        structured: structured_data::shop(&visit.channel.origin, visit),
    };
    let head = metadata::tags(visit, &metadata);
    page_with(200, visit, SHOP_NAME, &head, content).public()
}

fn hero(visit: &PageContext, launch: &Card, product: Option<&Product>) -> Markup {
    let texts = visit.texts();
    let path = visit.link(&product_path(&launch.handle, None));
    let is_launch = launch.tags.iter().any(|tag| tag == BRAND.launch_tag);
    let pitch = product.map_or("", |product| product.seo.description.as_str());
    html! {
        section class=(if is_launch { "hero launch" } else { "hero" }) {
            div class="pitch" {
                @if is_launch { p class="eyebrow" { (texts.new) } }
                h1 { bdi { (launch.title) } }
                @if !pitch.is_empty() { p class="lead" { (pitch) } }
                @if let Some(range) = launch.price_ranges.get(visit.currency.code()) {
                    p class="price" { ((texts.from_price)(&visit.money(Money::new(range.min, visit.currency)))) }
                }
                p class="actions" { a class="button" href=(path) { (texts.buy) } }
            }
            @if is_launch {
                (picture(BRAND.launch_picture, "", (2000, 1000), Fetched::First))
            } @else if let Some(image) = &launch.image {
                (picture(&image.url, "", (640, 640), Fetched::First))
            }
        }
    }
}

fn section_tiles(visit: &PageContext, sections: &[Section]) -> Markup {
    let texts = visit.texts();
    html! {
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

/// The merchant's first products, but for the one that has the stage.
fn featured(visit: &PageContext, version: &Version) -> Markup {
    let cards: Vec<&Card> = version
        .featured
        .iter()
        .skip(1)
        .take(BRAND.products)
        .collect();
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
