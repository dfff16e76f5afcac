//! Letters to people.
pub mod mail;
pub mod order_link;
