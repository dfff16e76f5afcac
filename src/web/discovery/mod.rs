//! Files for search engines and shopping networks.
pub mod product_feed;
pub mod sitemap;
