//! Bindings of the platform: all that names `worker`.

pub mod console;
pub mod d1;
pub mod http;
pub mod kv;
pub mod media_r2;
pub mod objects;
pub mod pause;
pub mod queues;
pub mod rate_limits;

/// Addresses and forms, by the crate that `worker` brings.
pub use worker::url;
