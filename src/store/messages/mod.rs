//! Emails, and the providers that send them.

pub mod mail_providers;
pub mod mails;
