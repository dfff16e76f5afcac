//! Records that keep the shop running.

pub mod dead_letters;
pub mod finding_deliveries;
pub mod finding_webhook;
pub mod idempotency;
pub mod news;
pub mod retention;
pub mod standard_webhooks;
