//! The catalog's use cases on the real SQL (in-memory SQLite), with concurrent events between any
//! two of its statements.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

#[path = "../simulation/database.rs"]
mod database;
mod export;
mod files;
mod handles;
mod import;
mod prices;
mod publish;
mod round_trip;
mod shapes;
mod untidy;
mod world;
