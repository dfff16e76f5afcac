//! The Durable Objects of the shop: one pure state machine per file, one thin host for all of them.
//!
//! | machine | one object per | decides over |
//! |---|---|---|
//! | [`stock`] | SKU (and shard) | its units: on hand, held, committed |
//! | [`cart`] | cart | its lines, and the order that has frozen it |
//! | [`promotion`] | promotion with a limit | its uses, in total and by each customer |
//! | [`board`] | bucket of SKUs | nothing: it shows a copy of the public stock |
//!
//! [`machine`] is the trait, [`keeper`] keeps any machine in SQL, [`news`] defines the events they
//! send to the rest of the shop, and `host` runs a keeper inside a Durable Object.

pub mod board;
pub mod cart;
mod host;
pub mod json;
pub mod keeper;
pub mod machine;
pub mod news;
pub mod promotion;
pub mod stock;
#[cfg(feature = "testing")]
pub mod testing;
mod time;

pub use time::Timestamp;
