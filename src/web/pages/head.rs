//! Tags in the head of a page.

use crate::app::brand::BRAND;
use crate::web::assets::kept_address;
use crate::web::pages::visit::PageContext;
use maud::{Markup, html};

/// Renders the tag of a page that search engines must not index.
#[must_use]
pub fn not_to_be_found() -> Markup {
    html! { meta name="robots" content="noindex"; }
}

/// Renders the tags that describe the shop as an app, and the texts for its script.
#[must_use]
pub fn tags(visit: &PageContext) -> Markup {
    let texts = visit.texts();
    html! {
        link rel="manifest" href="/manifest.webmanifest";
        link rel="apple-touch-icon" href=(kept_address(BRAND.icon_180));
        meta name="theme-color" content=(BRAND.ground_in_the_dark) media="(prefers-color-scheme: dark)";
        meta name="theme-color" content=(BRAND.ground) media="(prefers-color-scheme: light)";
        script type="module" src=(kept_address("/js/installed.js")) data-service-worker="/service-worker.js"
            data-sent=(texts.kept_was_sent) data-refused=(texts.kept_was_refused)
            data-update=(texts.update_ready) data-reload=(texts.reload) data-close=(texts.close) {}
    }
}
