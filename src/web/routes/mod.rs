//! The table of contents: every address of the shop, who it is for, and what answers it, by
//! audience.

pub mod api;
pub mod files;
pub mod pages;
pub mod staff;

use crate::web::http::route::Route;

/// Every route, in the order in which they are tried.
pub fn all_routes() -> impl Iterator<Item = &'static Route> {
    let tables = [pages::PAGES, api::API, staff::STAFF, files::FILES];
    tables.into_iter().flatten()
}
