//! Operation of the shop: jobs of every minute, events of objects, dead letters, notification of
//! staff, and retention of data.
pub mod dead_letters;
pub mod finding_deliveries;
pub mod idempotency;
pub mod news;
pub mod production;
pub mod retention;
pub mod storage_watch;
pub mod sweep;
