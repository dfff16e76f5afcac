//! The record of the catalog, and its published copy.

pub mod availability;
pub mod copy;
pub mod record;
