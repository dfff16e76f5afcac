//! The brand's links, at the top and bottom of every page.

use crate::app::brand::{Link, Page, SHOP_NAME};
use crate::web::pages::paths::collection_path;
use crate::web::pages::policy_texts::POLICIES;
use crate::web::pages::visit::PageContext;
use maud::{Markup, html};

/// Renders the entries of a list of links.
pub(super) fn links(visit: &PageContext, links: &[Link]) -> Markup {
    html! {
        @for (address, label) in links.iter().flat_map(|link| entries(visit, link)) {
            li { a href=(address) { (label) } }
        }
    }
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
