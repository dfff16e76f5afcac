//! The ports of `shop`, each on its binding: KV, D1, objects, queues, the payment provider, mail.
//!
//! `worker::Error` stops here. SQL runs on any [`sql::Database`], so that tests prove the very
//! statements on in-memory SQLite.

pub mod catalog_d1;
pub mod catalog_kv;
pub mod d1;
pub mod dead_letters_d1;
pub mod finding_deliveries_d1;
pub mod finding_webhook;
pub mod findings_d1;
pub mod guarded_payments;
pub mod idempotency_d1;
pub mod inbox_d1;
pub mod jobs_d1;
pub mod kv;
pub mod mail_providers;
pub mod mails_d1;
pub mod media_r2;
pub mod news_d1;
pub mod objects;
pub mod order_code_tries_d1;
pub mod order_standings_d1;
pub mod orders_d1;
pub mod pause;
pub mod prices_d1;
pub mod publish_d1;
pub mod queues;
pub mod rate_limits;
pub mod refusals;
pub mod retention_d1;
pub mod settings_d1;
pub mod sql;
pub mod standard_webhooks;
pub mod steady;
pub mod stock_kv;
pub mod stripe;
pub mod turnstile;
