//! Inputs of pricing: price lists and settings.

pub mod price_list;
pub mod settings;
