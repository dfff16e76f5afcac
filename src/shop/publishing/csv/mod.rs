//! Shopify's product CSV (help.shopify.com/en/manual/products/import-export/using-csv): one row a
//! variant, further rows with the same handle for more variants and images.
//!
//! Promises: columns are found by name, in any order, by their names of today and of before; what
//! is read and written again says the same, cell by cell, with what the shop does not know kept
//! beside the variant ([`SourceCell`]).
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
