//! Emails to people.
pub mod letterhead;
pub mod mail;
pub mod order_link;
