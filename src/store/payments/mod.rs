//! Payment providers, and the inbox of their events.

pub mod guarded;
pub mod inbox;
pub mod stripe;
