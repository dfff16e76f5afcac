//! Product as read from a file, and errors in its rows.

use crate::catalog::Product;
use crate::publishing::csv::columns::{SKU, WRITTEN_HANDLE, handle_key};
use crate::publishing::csv::notices::Notices;
use serde::Serialize;

/// A product, with further data from its rows.
#[derive(Clone, Debug)]
pub struct ImportedProduct {
    /// The product.
    pub product: Product,
    /// Handle as written in the file.
    pub written_handle: String,
    /// Quantity and SKU of each tracked variant that states a quantity.
    pub quantities: Vec<(Name, u32)>,
    /// Names that no other product in the file may have.
    pub names: Vec<Name>,
    /// Notices of data that was read differently than the rows say.
    pub notices: Notices,
    /// SKUs of tracked variants that state no quantity.
    pub unstated: Vec<Name>,
}

/// A handle or SKU, and its place in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Line of the file.
    pub line: u64,
    /// `Handle`, `Variant SKU`, or the pseudo-column for a handle as written in the file.
    pub column: &'static str,
    /// The handle or SKU.
    pub value: String,
}

impl Name {
    /// Builds the name for a handle as written in the file.
    #[must_use]
    pub fn written_handle(line: u64, written: &str) -> Self {
        Self {
            line,
            column: WRITTEN_HANDLE,
            value: handle_key(written),
        }
    }

    /// True for a handle as written in the file.
    #[must_use]
    pub fn is_written_handle(&self) -> bool {
        self.column == WRITTEN_HANDLE
    }

    /// True for a SKU.
    #[must_use]
    pub fn is_sku(&self) -> bool {
        self.column == SKU
    }
}

/// An error in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct RowError {
    /// Line of the file on which the row begins, counted from 1.
    pub line: u64,
    /// Name of the column; empty for the row as a whole.
    pub column: String,
    /// Description of what would be accepted.
    pub detail: String,
}

impl RowError {
    /// Builds an error in `column` of the row on `line`.
    #[must_use]
    pub fn new(line: u64, column: &str, detail: impl Into<String>) -> Self {
        Self {
            line,
            column: column.to_owned(),
            detail: detail.into(),
        }
    }
}
