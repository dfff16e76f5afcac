//! `robots.txt` and the sitemap of the published catalog: an index, one part with the lists, and
//! parts with products, each far below the 50,000 URLs that sitemaps.org allows.

use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::pages::paths::{collection_path, product_path};
use crate::web::pages::policy_texts::{POLICIES, Policy};
use crate::web::views::instant;
use durable::Timestamp;
use maud::{Markup, PreEscaped, html};
use shop::catalog::parts::list_cards;
use shop::catalog::version::{PublishedCatalog, list_categories};
use shop::error::{Error, Result};
use shop::values::channel::Channel;
use shop::values::languages::Language;

/// Number of products in a part, each with a URL in every language.
const PRODUCTS_A_PART: usize = 5_000;

/// `GET /robots.txt`: excludes the pages that belong to one visitor, and the whole shop while it is
/// only being tried out.
///
/// # Errors
/// None.
pub async fn robots(call: &mut Call<'_>) -> Result<Reply> {
    let config = &call.app.config;
    let rules = if config.is_public {
        "Allow: /\nDisallow: /api/\nDisallow: /checkout\nDisallow: /orders/\n"
    } else {
        "Disallow: /\n"
    };
    let text = format!(
        "User-agent: *\n{rules}\nSitemap: {}/sitemap.xml\n",
        call.channel.origin
    );
    Ok(Reply::text("text/plain; charset=utf-8", text).public())
}

/// `GET /sitemap.xml`: the index of the sitemap.
///
/// # Errors
/// Fails if the published catalog can't be read.
pub async fn index(call: &mut Call<'_>) -> Result<Reply> {
    let version = call.app.catalog().current().await?;
    let origin = &call.channel.origin;
    let parts = version.products.div_ceil(PRODUCTS_A_PART);
    let products = (1..=parts).map(|number| format!("products-{number}"));
    let published_at = instant(version.published_at);
    Ok(xml(&html! {
        sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" {
            @for part in std::iter::once("lists".to_owned()).chain(products) {
                sitemap {
                    loc { (origin) "/sitemaps/" (part) ".xml" }
                    @if version.products > 0 { lastmod { (published_at) } }
                }
            }
        }
    }))
}

/// `GET /sitemaps/{part}`: a part of the sitemap, such as `lists.xml` or `products-1.xml`.
///
/// # Errors
/// 404 for a part that the index does not name.
pub async fn part(call: &mut Call<'_>) -> Result<Reply> {
    let name = call.param(0).strip_suffix(".xml").unwrap_or_default();
    let pages = match (name, name.strip_prefix("products-")) {
        ("lists", _) => lists(call).await?,
        (_, Some(number)) => products(call, number).await?,
        _ => Vec::new(),
    };
    if pages.is_empty() {
        return Err(Error::NotFound("page"));
    }
    Ok(xml(&html! {
        urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml" {
            @for page in &pages {
                @for language in call.channel.languages.all() { (url(&call.channel, page, language)) }
            }
        }
    }))
}

struct Page {
    path: String,
    changed_at: Option<Timestamp>,
}

async fn lists(call: &Call<'_>) -> Result<Vec<Page>> {
    let categories = list_categories(&call.app.catalog()).await?;
    let fixed = ["/", "/products"].map(str::to_owned);
    let collections = categories
        .iter()
        .map(|category| collection_path(&category.handle));
    let policies = POLICIES.iter().map(Policy::path);
    let paths = fixed.into_iter().chain(collections).chain(policies);
    Ok(paths
        .map(|path| Page {
            path,
            changed_at: None,
        })
        .collect())
}

async fn products(call: &Call<'_>, number: &str) -> Result<Vec<Page>> {
    let Some(number) = number
        .parse()
        .ok()
        .filter(|number| (1..=100_000).contains(number))
    else {
        return Ok(Vec::new());
    };
    let cards = list_cards(&call.app.catalog(), number, PRODUCTS_A_PART).await?;
    let pages = cards.iter().map(|card| Page {
        path: product_path(&card.handle, None),
        changed_at: Some(card.updated_at),
    });
    Ok(pages.collect())
}

fn url(channel: &Channel, page: &Page, language: Language) -> Markup {
    let (origin, languages) = (&channel.origin, channel.languages);
    html! {
        url {
            loc { (origin) (languages.path(&page.path, language)) }
            @if let Some(at) = page.changed_at { lastmod { (instant(at)) } }
            @for other in languages.all() {
                xhtml:link rel="alternate" hreflang=(other.code()) href={ (origin) (languages.path(&page.path, other)) } {}
            }
        }
    }
}

/// Returns an XML document.
#[must_use]
pub fn xml(root: &Markup) -> Reply {
    let document = html! { (PreEscaped(r#"<?xml version="1.0" encoding="UTF-8"?>"#)) (root) };
    Reply::text("application/xml; charset=utf-8", document.into_string()).public()
}
