//! Bindings of the platform: everything that names `worker`.

pub mod console;
pub mod d1;
pub mod http;
pub mod kv;
pub mod media_r2;
pub mod objects;
pub mod pause;
pub mod queues;
pub mod rate_limits;

/// URLs and forms, from the crate that `worker` re-exports.
pub use worker::url;
