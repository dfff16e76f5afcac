//! The Worker's entry points.

pub mod app;
pub mod error;
pub mod shop;
pub mod store;
