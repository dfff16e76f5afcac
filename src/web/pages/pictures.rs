//! Pictures: room is kept before they come, what is seen first comes first, the rest when it is scrolled to.

use crate::web::assets::kept_address;
use maud::{Markup, html};

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

/// A picture of the catalog, in a box of `width` × `height` CSS pixels at most.
#[must_use]
pub fn picture(url: &str, alt: &str, (width, height): (u32, u32), fetched: Fetched) -> Markup {
    html! {
        img src=(kept_address(url)) alt=(alt) width=(width) height=(height) decoding="async"
            loading=[(fetched == Fetched::Late).then_some("lazy")]
            fetchpriority=[(fetched == Fetched::First).then_some("high")];
    }
}
