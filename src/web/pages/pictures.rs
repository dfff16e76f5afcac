//! Pictures: space is reserved before they load, visible ones load first and the rest on scrolling,
//! and none is larger than the screen needs if the shop has a smaller version.

use crate::web::assets::kept_address;
use maud::{Markup, html};
use shop::catalog::web_address;
use shop::publishing::media::Media;

/// Loading priority of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// Before everything else, for the largest picture visible at first.
    First,
    /// Together with the page.
    Now,
    /// On scrolling into view.
    Late,
}

/// Renders a picture of the catalog in a box of at most `width` × `height` CSS pixels; only the
/// empty box if the URL is unusable.
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

/// Returns the URL that a picture is loaded from. `http` becomes `https`, because a browser loads
/// no insecure picture into a secure page. `None` means that there is nothing to load.
#[must_use]
pub fn address(url: &str) -> Option<String> {
    let url = web_address(url)?;
    Some(match url.strip_prefix("http://") {
        Some(rest) => format!("https://{rest}"),
        None => kept_address(&url).to_owned(),
    })
}

/// Returns every width in which the shop serves a picture, its original width last.
fn sources(media: &Media) -> String {
    let smaller = media
        .widths()
        .map(|width| format!("{} {width}w", media.path_at(width)));
    let own = format!("{} {}w", media.path(), media.width);
    smaller.chain([own]).collect::<Vec<_>>().join(", ")
}
