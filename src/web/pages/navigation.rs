//! The brand's links, at the top and bottom of every page.

use crate::app::brand::{Link, Page, SHOP_NAME};
use crate::web::pages::paths::collection_path;
use crate::web::pages::policy_texts::POLICIES;
use crate::web::pages::visit::PageContext;
use maud::{Markup, html};

/// Renders a list of links; `None` if it would be empty, as that of a catalog without categories.
pub(super) fn links(visit: &PageContext, links: &[Link]) -> Option<Markup> {
    list(links.iter().flat_map(|link| entries(visit, link)))
}

fn list<'a>(entries: impl Iterator<Item = (String, &'a str)>) -> Option<Markup> {
    let mut entries = entries.peekable();
    entries.peek()?;
    Some(html! {
        ul { @for (address, label) in entries { li { a href=(address) { (label) } } } }
    })
}

/// Returns the URLs and labels of a link of the brand.
fn entries<'a>(visit: &'a PageContext, link: &Link) -> Vec<(String, &'a str)> {
    let language = visit.language;
    match *link {
        Link::Categories(count) => visit.sections().take(count).collect(),
        Link::Category { handle, label } => {
            vec![(visit.link(&collection_path(handle)), label.of(language))]
        }
        Link::Elsewhere { url, label } => vec![(url.to_owned(), label.of(language))],
        Link::Page { page, label } => page_of_shop(visit, page)
            .map(|(path, name)| {
                let label = label.map_or(name, |label| label.of(language));
                (visit.link(&path), label)
            })
            .into_iter()
            .collect(),
    }
}

/// Returns the path and name of a page; `None` for a policy that doesn't exist.
fn page_of_shop(visit: &PageContext, page: Page) -> Option<(String, &'static str)> {
    let texts = visit.texts();
    Some(match page {
        Page::Home => ("/".to_owned(), SHOP_NAME),
        Page::Products => ("/products".to_owned(), texts.shop_all),
        Page::Cart => ("/cart".to_owned(), texts.cart),
        Page::Orders => ("/orders".to_owned(), texts.find_your_order),
        Page::Policy(name) => {
            let policy = POLICIES.iter().find(|policy| policy.name == name)?;
            (policy.path(), policy.title(visit.language))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_links_is_not_shown() {
        assert!(list([].into_iter()).is_none());
        let shown = list([("/a?b&c".to_owned(), "A \"B\"")].into_iter()).unwrap();
        let markup = "<ul><li><a href=\"/a?b&amp;c\">A &quot;B&quot;</a></li></ul>";
        assert_eq!(shown.into_string(), markup);
    }
}
