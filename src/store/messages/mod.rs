//! Letters, and who carries them.

pub mod mail_providers;
pub mod mails;
