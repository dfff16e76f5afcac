//! The shop without a network, and as an app of its own: the service worker, the pages that it
//! shows while nothing answers, and the rules by which a browser fetches ahead what a visitor is
//! about to open.

use crate::app::brand::BRAND;
use crate::web::assets::kept_address;
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::pages::icons::{OFFLINE, icon};
use crate::web::pages::layout::page;
use crate::web::pages::visit::PageContext;
use maud::{Markup, html};
use serde_json::json;
use shop::error::Result;

/// What the service worker does.
const SERVICE_WORKER: &str = include_str!("service_worker.js");

/// Pages that are there before they were visited, in every language.
const PAGES: [&str; 4] = ["/", "/products", "/offline", "/offline/kept"];

/// Where what is a visitor's own begins.
const OWN: [&str; 3] = ["/cart", "/checkout", "/orders"];

/// Files that pages are made with.
const FILES: [&str; 6] = [
    "/css/shop.css",
    "/js/shop.js",
    "/js/stock.js",
    "/js/installed.js",
    BRAND.mark,
    BRAND.mark_on_dark,
];

/// `GET /service-worker.js`: with the list of what is fetched at once, and so another one when a
/// file has changed.
///
/// # Errors
/// None.
pub async fn service_worker(call: &mut Call<'_>) -> Result<Reply> {
    let languages = call.channel.languages;
    let pages = languages
        .all()
        .flat_map(|language| PAGES.map(|path| languages.path(path, language)));
    let files = FILES.map(|path| kept_address(path).to_owned());
    let shell: Vec<String> = pages.chain(files).collect();
    let script = format!("const SHELL = {};\n\n{SERVICE_WORKER}", json!(shell));
    Ok(Reply::text("text/javascript; charset=utf-8", script).public())
}

/// `GET /offline`: instead of a page that was never visited.
///
/// # Errors
/// 422 `unknown_currency`.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let texts = visit.texts();
    let notice = notice(&visit, texts.offline, texts.offline_hint);
    Ok(page(200, &visit, texts.offline, &notice).public())
}

/// `GET /offline/kept`: instead of the cart, for what waits to be sent.
///
/// # Errors
/// 422 `unknown_currency`.
pub async fn show_kept(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let texts = visit.texts();
    let notice = notice(&visit, texts.kept_for_later, texts.kept_for_later_hint);
    Ok(page(200, &visit, texts.kept_for_later, &notice).public())
}

/// `GET /speculation-rules.json`: a public page is fetched when a pointer rests on its link. It
/// depends on its address alone, so that is never wrong; what is someone's own is left alone.
///
/// # Errors
/// None.
pub async fn speculation_rules(call: &mut Call<'_>) -> Result<Reply> {
    let languages = call.channel.languages;
    let own = languages
        .all()
        .flat_map(|language| OWN.map(|path| languages.path(path, language)));
    let own: Vec<String> = own
        .chain(["/api".to_owned()])
        .flat_map(|path| [format!("{path}?*"), format!("{path}/*"), path])
        .collect();
    let rules = json!({"prefetch": [{
        "where": {"and": [{"href_matches": "/*"}, {"not": {"href_matches": own}}]},
        "eagerness": "moderate",
    }]});
    Ok(Reply::text("application/speculationrules+json", rules.to_string()).public())
}

fn notice(visit: &PageContext, title: &str, hint: &str) -> Markup {
    html! {
        section class="empty" {
            (icon(OFFLINE))
            h1 { (title) }
            p { (hint) }
            p { a class="button" href=(visit.link("/products")) { (visit.texts().browse_all) } }
        }
    }
}
