//! What prices are made of.

pub mod price_list;
pub mod settings;
