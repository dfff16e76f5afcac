//! The faces: they parse, authenticate and render, and contain no business rules. Each calls use
//! cases of `shop`; none calls another.

pub mod api;
pub mod assets;
pub mod discovery;
pub mod http;
pub mod jobs;
pub mod media;
pub mod pages;
pub mod router;
pub mod routes;
pub mod views;
pub mod webhooks;
