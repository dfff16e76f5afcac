//! Shopify's product CSV (help.shopify.com/en/manual/products/import-export/using-csv): one row a variant, further rows with the
//! same handle for more variants and images.
//!
//! Promises: columns are found by name, in any order, by their names of today and of before; what is read and written again
//! says the same, cell by cell, with what the shop does not know kept beside the variant ([`SourceCell`]).
//!
//! [`SourceCell`]: crate::shop::catalog::SourceCell

mod columns;
mod notices;
mod product;
mod read;
mod rows;
mod structure;
mod write;

pub use notices::{Notice, NoticeCode, Notices};
pub use product::generated_skus;
pub use read::{
    HANDLE, ImportedProduct, Name, ProductFile, RowError, Window, handle_key, read_products,
    without_mark,
};
pub use write::{header_of, write_header, write_rows};

#[cfg(test)]
mod tests;
