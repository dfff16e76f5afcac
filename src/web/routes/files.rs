//! Routes for files, machines and the network: everything that is neither a page of the shop nor
//! its API.

use crate::web::api::health;
use crate::web::discovery::{product_feed, sitemap};
use crate::web::http::guard::Access;
use crate::web::http::route::{Keys, Route, routes};
use crate::web::{assets, media, pages, webhooks};
use shop::customers::limits::Limit;
use worker::Method;

/// Routes of files and machines, in the order in which they are tried.
pub static FILES: &[Route] = routes! {
    Get  "/assets/{name}"          Anyone Uncounted assets::show_outdated;
    Get  "/assets/{folder}/{name}" Anyone Uncounted assets::show_outdated;
    Get  "/media/{name}"           Anyone Uncounted media::show;
    Get  "/media/{width}/{name}"   Anyone Uncounted media::show_at_width;
    Get  "/offline"                Anyone Uncounted pages::offline::show;
    Get  "/offline/kept"           Anyone Uncounted pages::offline::show_kept;
    Get  "/service-worker.js"      Anyone Uncounted pages::offline::service_worker;
    Get  "/speculation-rules.json" Anyone Uncounted pages::offline::speculation_rules;
    Get  "/robots.txt"             Anyone Uncounted sitemap::robots;
    Get  "/sitemap.xml"            Anyone Uncounted sitemap::index;
    Get  "/sitemaps/{part}"        Anyone Uncounted sitemap::part;
    Get  "/feeds/google.xml"       Anyone Uncounted product_feed::show;
    Post "/webhooks/{provider}"    Signed Uncounted webhooks::receive;
    Get  "/healthz"                Anyone Uncounted health::live;
    Get  "/readyz"                 Anyone Uncounted health::ready;
};
