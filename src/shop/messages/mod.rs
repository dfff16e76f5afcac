//! Emails to people.
mod labels;
pub mod letterhead;
pub mod mail;
pub mod order_link;
