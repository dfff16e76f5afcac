//! The challenge widget, on the only page that shows it: the review of an order, while the shop
//! asks for a proof.

use crate::app::config::Config;
use crate::web::http::guard::policy_with_widget;
use crate::web::pages::visit::PageContext;
use maud::{Markup, html};

/// Field that the widget's script adds to the form around it.
pub const FIELD: &str = "cf-turnstile-response";

/// Returns the widget for a form, with texts for those who see it and for those without JavaScript;
/// nothing while the shop asks for no proof.
#[must_use]
pub fn widget(visit: &PageContext, config: &Config) -> Markup {
    let texts = visit.texts();
    html! {
        @if let Some(widget) = config.widget() {
            div class="cf-turnstile" data-sitekey=(widget.site_key) data-action=(widget.action) data-language=(visit.language.code()) data-size="flexible" {}
            p class="quiet" { (texts.challenge_hint) }
            noscript { p class="quiet" { (texts.challenge_without_script) } }
        }
    }
}

/// Returns the widget's script tag, for the head of its page.
#[must_use]
pub fn script(config: &Config) -> Markup {
    html! {
        @if let Some(widget) = config.widget() { script src=(widget.script) async defer {} }
    }
}

/// Returns the content security policy that allows the widget; `None` while there is no widget.
#[must_use]
pub fn policy(config: &Config) -> Option<(&'static str, String)> {
    let widget = config.widget()?;
    Some(policy_with_widget(config, widget.origin))
}
