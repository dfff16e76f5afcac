//! The Durable Objects of the shop: one pure state machine per file, one thin host for all of them.
//!
//! | machine | one object per | referee of |
//! |---|---|---|
//! | [`stock`] | SKU (and shard) | its units: on hand, held, committed |
//! | [`cart`] | cart | its lines, and the order that has frozen it |
//!
//! [`machine`] is the trait, [`keeper`] keeps any machine in SQL, and `host` runs a keeper inside a Durable Object.

pub mod cart;
mod host;
pub mod keeper;
pub mod machine;
pub mod stock;
mod time;

pub use time::Timestamp;
