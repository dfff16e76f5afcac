//! The challenge of checkout.

pub mod turnstile;
