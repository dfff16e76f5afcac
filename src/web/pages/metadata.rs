//! What the head of a public page tells search engines and whoever shares it: description, the one
//! address it is known by, its other languages, a picture, and what is on it in schema.org's words.
//!
//! Addresses begin with the shop's configured origin, whatever host was asked. The canonical one
//! keeps language and currency, which change what is read, and drops all else that a link may
//! carry.

use crate::app::brand::{BRAND, SHOP_NAME};
use crate::web::pages::visit::PageContext;
use crate::web::views::absolute;
use maud::{Markup, PreEscaped, html};
use serde_json::Value;
use shop::catalog::Image;

/// Most characters of a description: what results show.
const DESCRIPTION_CHARS: usize = 160;

/// What a page says of itself.
#[derive(Debug)]
pub struct Metadata<'a> {
    /// Its title, without the shop's name.
    pub title: &'a str,
    /// Plain text; what is too long is cut between words.
    pub description: &'a str,
    /// Its path, with the parameters that change what it shows, without language and currency.
    pub path: &'a str,
    /// Its picture.
    pub image: Option<&'a Image>,
    /// Documents of schema.org.
    pub structured: Vec<Value>,
}

/// The tags of a page that is to be found.
#[must_use]
pub fn tags(visit: &PageContext, page: &Metadata<'_>) -> Markup {
    let origin = visit.channel.origin.as_str();
    let canonical = format!("{origin}{}", visit.link(page.path));
    let description = shortened(page.description, DESCRIPTION_CHARS);
    let picture = page.image.filter(|image| is_raster(&image.url));
    let shared =
        picture.and_then(|image| Some((absolute(origin, &image.url)?, image.alt.as_str())));
    let (picture_url, described) = match shared {
        Some((url, alt)) => (Some(url), alt),
        None => (absolute(origin, BRAND.shared), SHOP_NAME),
    };
    html! {
        meta name="description" content=(description);
        link rel="canonical" href=(canonical);
        @for language in visit.channel.languages.all() {
            link rel="alternate" hreflang=(language.code()) href={ (origin) (visit.link_in(page.path, language, visit.currency)) };
        }
        link rel="alternate" hreflang="x-default" href={ (origin) (visit.link_in(page.path, visit.channel.languages.default, visit.currency)) };
        meta property="og:site_name" content=(SHOP_NAME);
        meta property="og:type" content="website";
        meta property="og:title" content=(page.title);
        meta property="og:description" content=(description);
        meta property="og:url" content=(canonical);
        meta property="og:image" content=[picture_url];
        meta property="og:image:alt" content=(described);
        meta name="twitter:card" content="summary_large_image";
        @for document in &page.structured {
            script type="application/ld+json" { (PreEscaped(script_json(document))) }
        }
    }
}

/// Networks and marketplaces show no drawings.
fn is_raster(url: &str) -> bool {
    !url.to_lowercase().ends_with(".svg")
}

/// Nothing in a string can end the script element.
fn script_json(document: &Value) -> String {
    document.to_string().replace('<', "\\u003c")
}

/// The beginning of `text`, cut between words.
#[must_use]
pub fn shortened(text: &str, max_chars: usize) -> String {
    if text.chars().count() <= max_chars {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(max_chars.saturating_sub(1)).collect();
    let whole = beginning.rfind(' ').and_then(|end| beginning.get(..end));
    format!("{}…", whole.unwrap_or(&beginning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn descriptions_end_between_words() {
        assert_eq!(shortened("as long as may be", 17), "as long as may be");
        assert_eq!(shortened("too long by one word", 19), "too long by one…");
        assert_eq!(shortened("ééééé", 4), "ééé…");
    }

    #[test]
    fn nothing_in_a_document_ends_its_script() {
        let json = script_json(&json!({"name": "</script><!--<script>"}));
        assert!(!json.contains('<'));
        assert_eq!(
            serde_json::from_str::<Value>(&json).unwrap()["name"],
            "</script><!--<script>"
        );
    }
}
