//! The table of contents: every route of the shop, grouped by audience.
//!
//! The columns of a row: method; path; [`Access`], who may call; [`Limit`], the class in which a
//! network's calls are counted; the handler; and, for changes that a caller may repeat, how
//! ([`Keys`]: `Own` or `Again`; none means that the first response is kept).
//!
//! [`Access`]: crate::web::http::guard::Access
//! [`Keys`]: crate::web::http::route::Keys
//! [`Limit`]: shop::customers::limits::Limit

pub mod api;
pub mod files;
pub mod pages;
pub mod staff;

use crate::web::http::route::Route;

/// Returns every route, in the order in which they are tried.
pub fn all_routes() -> impl Iterator<Item = &'static Route> {
    let tables = [pages::PAGES, api::API, staff::STAFF, files::FILES];
    tables.into_iter().flatten()
}
