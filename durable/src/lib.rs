//! The Durable Objects of the shop: one pure state machine per file, one thin host for all of them.
//!
//! | machine | one object per | referee of |
//! |---|---|---|
//! | [`stock`] | SKU (and shard) | its units: on hand, held, committed |
//! | [`cart`] | cart | its lines, and the order that has frozen it |
//! | [`promotion`] | promotion with a limit | its uses, of all and of each customer |
//!
//! | [`board`] | bucket of SKUs | nothing: it shows what the public may know, to pages by KV and to watchers by WebSocket |
//!
//! [`machine`] is the trait, [`keeper`] keeps any machine in SQL, [`news`] is what they tell the
//! rest of the shop, and `host` runs a keeper inside a Durable Object.

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
