//! The home page: the launch, and what else there is.

use crate::error::Result;
use crate::shop::catalog::Version;
use crate::shop::ports::PublishedCatalog;
use crate::web::call::Call;
use crate::web::pages::layout::{SHOP_NAME, Visit, page_with};
use crate::web::pages::metadata::{self, Metadata, about_the_shop};
use crate::web::pages::pictures::{Fetched, picture};
use crate::web::pages::products::{card_grid, collection_path};
use crate::web::pages::structured_data;
use crate::web::reply::Reply;
use maud::{Markup, html};

/// Products on the home page.
const FEATURED: usize = 8;

/// Categories on the home page.
const CATEGORIES: usize = 40;

/// `GET /`
///
/// # Errors
/// When the published catalog can't be read.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call)?;
    let version = call.app.catalog().current().await?;
    let content = if version.products == 0 {
        nothing_published()
    } else {
        home(&visit, &version)
    };
    let metadata = Metadata {
        title: SHOP_NAME,
        description: &about_the_shop(visit.language),
        path: "/",
        image: None,
        structured: structured_data::shop(&call.app.config.shop_url, &visit),
    };
    let head = metadata::tags(call.app, &visit, &metadata);
    Ok(page_with(200, &visit, "Home", &head, &content).public())
}

fn home(visit: &Visit, version: &Version) -> Markup {
    let launch = version.featured.first();
    let featured: Vec<_> = version.featured.iter().take(FEATURED).collect();
    html! {
        @if let Some(launch) = launch {
            section class="hero" {
                div {
                    p class="eyebrow" { "New" }
                    h1 { (launch.title) }
                    p { a class="button" href=(visit.link(&format!("/products/{}", launch.handle))) { "Buy" } }
                }
                @if let Some(image) = &launch.image {
                    (picture(&image.url, &image.alt, (480, 480), Fetched::First))
                }
            }
        }
        section {
            h2 { "Categories" }
            ul class="chips" {
                @for category in version.categories.iter().take(CATEGORIES) {
                    li { a href=(visit.link(&collection_path(&category.handle))) { (category.title) " (" (category.products) ")" } }
                }
            }
        }
        section {
            h2 { "Featured" }
            (card_grid(visit, &featured))
        }
    }
}

fn nothing_published() -> Markup {
    html! {
        section class="notice" {
            h1 { "The shop opens soon" }
            p { "Nothing is on sale yet. Staff import and publish a catalog with " code { "npm run catalog -- import FILE" } "." }
        }
    }
}
