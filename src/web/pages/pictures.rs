//! Pictures: room is kept before they come, what is seen first comes first, the rest when it is
//! scrolled to, and none larger than the screen needs where the shop has it smaller.

use crate::web::assets::kept_address;
use maud::{Markup, html};
use shop::catalog::web_address;
use shop::publishing::media::Media;

/// When a picture is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// Ahead of everything else: the largest of what is seen first.
    First,
    /// With the page.
    Now,
    /// When it comes into view.
    Late,
}

/// A picture of the catalog, in a box of `width` × `height` CSS pixels at most; its room alone
/// where the address leads nowhere.
#[must_use]
pub fn picture(url: &str, alt: &str, (width, height): (u32, u32), fetched: Fetched) -> Markup {
    let Some(address) = address(url) else {
        return html! { span class="no-image" {} };
    };
    let smaller = Media::at(url).map(|media| sources(&media));
    let sizes = format!("(max-width: {width}px) 100vw, {width}px");
    html! {
        img src=(address) alt=(alt) width=(width) height=(height) decoding="async"
            srcset=[&smaller] sizes=[smaller.is_some().then_some(sizes)]
            loading=[(fetched == Fetched::Late).then_some("lazy")]
            fetchpriority=[(fetched == Fetched::First).then_some("high")];
    }
}

/// Address that a picture is fetched from: a browser that came safely takes no picture from an
/// unsafe address, so the safe one is tried. None means that there is nothing to fetch.
#[must_use]
pub fn address(url: &str) -> Option<String> {
    let url = web_address(url)?;
    Some(match url.strip_prefix("http://") {
        Some(rest) => format!("https://{rest}"),
        None => kept_address(&url).to_owned(),
    })
}

/// Every width that the shop serves a picture in, its own as the last.
fn sources(media: &Media) -> String {
    let smaller = media
        .widths()
        .map(|width| format!("{} {width}w", media.path_at(width)));
    let own = format!("{} {}w", media.path(), media.width);
    smaller.chain([own]).collect::<Vec<_>>().join(", ")
}
