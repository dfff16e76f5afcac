//! Operations: dead letters, notifications, idempotency, object events and retention.

pub mod dead_letters;
pub mod finding_deliveries;
pub mod finding_webhook;
pub mod idempotency;
pub mod news;
pub mod retention;
pub mod standard_webhooks;
