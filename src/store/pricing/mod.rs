//! Records from which prices are made.

pub mod price_list;
pub mod settings;
