//! The ports of `shop`, in the same groups, implemented on the bindings of [`platform`] (KV, D1,
//! objects, queues) and on the providers of payments and email.
//!
//! `worker::Error` goes no further than this ring. SQL runs on any [`sql::Database`], so that tests
//! prove the same statements on in-memory SQLite.

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
