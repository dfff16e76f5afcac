//! The shop offline and as an installed app: the service worker, the pages that it shows without a
//! network, and the rules by which a browser prefetches pages.

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

/// Source of the service worker.
const SERVICE_WORKER: &str = include_str!("service_worker.js");

/// Pages that are cached before they are visited, in every language.
const PAGES: [&str; 4] = ["/", "/products", "/offline", "/offline/kept"];

/// Paths below which pages belong to one visitor.
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

/// `GET /service-worker.js`: the service worker, with the list of files to cache at once. A changed
/// file thus makes it a new service worker.
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

/// `GET /offline`: shown in place of a page that was never visited.
///
/// # Errors
/// 422 `unknown_currency`.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let texts = visit.texts();
    let notice = notice(&visit, texts.offline, texts.offline_hint);
    Ok(page(200, &visit, texts.offline, &notice).public())
}

/// `GET /offline/kept`: shown in place of the cart, with the changes that wait to be sent.
///
/// # Errors
/// 422 `unknown_currency`.
pub async fn show_kept(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let texts = visit.texts();
    let notice = notice(&visit, texts.kept_for_later, texts.kept_for_later_hint);
    Ok(page(200, &visit, texts.kept_for_later, &notice).public())
}

/// `GET /speculation-rules.json`: makes browsers prefetch a public page when the pointer rests on
/// its link. Such a page depends on its URL alone, so this is always safe. Pages that belong to one
/// visitor are left out.
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
