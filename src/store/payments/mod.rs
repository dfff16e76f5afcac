//! Providers of payments, and what they told.

pub mod guarded;
pub mod inbox;
pub mod stripe;
