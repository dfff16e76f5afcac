//! The shop at work: jobs of each minute, news of objects, dead letters, findings told, and what is
//! kept how long.
pub mod dead_letters;
pub mod finding_deliveries;
pub mod idempotency;
pub mod news;
pub mod production;
pub mod retention;
pub mod storage_watch;
pub mod sweep;
