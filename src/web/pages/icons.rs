//! The icons, drawn in the colour of the text beside them. None of them says anything that the text
//! doesn't.

use maud::{Markup, PreEscaped};

/// A shopping bag.
pub const BAG: &str = "M6 8h12l1 12H5zM9 8V7a3 3 0 0 1 6 0v1";
/// A magnifying glass.
pub const SEARCH: &str = "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.5 4.5";
/// A cross.
pub const CLOSE: &str = "M6 6l12 12M18 6L6 18";
/// A corner that opens, for enlarging.
pub const ZOOM: &str = "M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7";
/// An envelope.
pub const LETTER: &str = "M3 6h18v12H3zM3 7l9 7 9-7";
/// Signal waves, crossed out.
pub const OFFLINE: &str = "M3 3l18 18M8.5 16.5a5 5 0 0 1 7 0M5 12.5a10 10 0 0 1 5-2.7M19 12.5a10 10 0 0 0-3.5-2.2M2 8.8a15 15 0 0 1 4-2.6M22 8.8A15 15 0 0 0 11 5M12 20h.01";
/// A delivery truck.
pub const TRUCK: &str = "M2 6h12v11H2zM14 10h4l4 4v3h-8zM6 17a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM18 17a2 2 0 1 0 0 4 2 2 0 0 0 0-4z";

/// Renders an icon of 24 × 24, hidden from screen readers.
#[must_use]
pub fn icon(path: &str) -> Markup {
    PreEscaped(format!(
        r#"<svg class="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true"><path d="{path}"/></svg>"#
    ))
}
