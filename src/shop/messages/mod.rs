//! Emails to people.
pub mod email;
mod labels;
pub mod letterhead;
pub mod mail;
pub mod order_link;
