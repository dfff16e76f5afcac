//! The ports of `shop`, by its groups, on the bindings of [`platform`]: KV, D1, objects, queues; and
//! on the providers of payments and mail.
//!
//! `worker::Error` stops here. SQL runs on any [`sql::Database`], so that tests prove the very
//! statements on in-memory SQLite.

pub mod catalog;
pub mod customers;
pub mod inventory;
pub mod messages;
pub mod operations;
pub mod orders;
pub mod payments;
pub mod platform;
pub mod pricing;
pub mod publishing;
pub mod settlement;
pub mod sql;
pub mod steady;
