//! Shopify's product CSV (help.shopify.com/en/manual/products/import-export/using-csv): one row per
//! variant, and further rows with the same handle for more variants and images.
//!
//! Guarantees: columns are found by name in any order, by their current and former names. Reading a
//! file and writing it again gives the same cells; whatever the shop does not know is kept with the
//! variant ([`SourceCell`]).
//!
//! [`SourceCell`]: crate::catalog::SourceCell

mod cells;
pub mod columns;
pub mod encoding;
pub mod imported;
pub mod notices;
mod options;
pub mod product;
pub mod read;
mod rows;
mod structure;
pub mod variants;
pub mod write;

#[cfg(test)]
mod tests;
