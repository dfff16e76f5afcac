//! The faces: they parse, authenticate and render, and hold no rule. Each calls use cases of `shop`; none calls another.

pub mod answers;
pub mod api;
pub mod assets;
pub mod call;
pub mod canonical;
pub mod cart_token;
pub mod cron;
pub mod findings;
pub mod guard;
pub mod idempotency;
pub mod jobs;
pub mod log;
pub mod media;
pub mod order_token;
pub mod pages;
pub mod product_feed;
pub mod queues;
pub mod reply;
pub mod router;
pub mod sitemap;
pub mod webhooks;
