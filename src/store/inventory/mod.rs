//! This isolate's memory of refusals.

pub mod refusals;
