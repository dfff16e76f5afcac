//! The table of contents: every route of the shop with its audience and its handler, grouped by
//! audience.

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
