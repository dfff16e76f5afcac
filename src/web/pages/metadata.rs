//! Metadata of a public page for search engines and link previews: description, canonical URL,
//! other languages, a picture, and structured data by schema.org.
//!
//! URLs begin with the shop's configured origin, whatever host was requested. The canonical URL
//! keeps language and currency, which change the content, and drops all other parameters that a
//! link may carry.

use crate::app::brand::{BRAND, SHOP_NAME};
use crate::web::pages::visit::PageContext;
use crate::web::views::absolute;
use maud::{Markup, PreEscaped, html};
use serde_json::Value;
use shop::catalog::Image;

/// Maximum number of characters of a description: as many as search results show.
const DESCRIPTION_CHARS: usize = 160;

/// Metadata of a page.
#[derive(Debug)]
pub struct Metadata<'a> {
    /// Title, without the shop's name.
    pub title: &'a str,
    /// Description as plain text; cut between words if it is too long.
    pub description: &'a str,
    /// Path with the parameters that change the content, without language and currency.
    pub path: &'a str,
    /// Picture of the page.
    pub image: Option<&'a Image>,
    /// Structured data by schema.org.
    pub structured: Vec<Value>,
}

/// Renders the tags of a page that may be indexed.
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

/// Returns true for a raster image: social networks and marketplaces show no SVG.
fn is_raster(url: &str) -> bool {
    !url.to_lowercase().ends_with(".svg")
}

/// Serializes a document so that no string in it can end the script element.
fn script_json(document: &Value) -> String {
    document.to_string().replace('<', "\\u003c")
}

/// Returns the beginning of `text`, cut between words.
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
