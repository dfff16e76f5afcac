//! A product as a file gives it, and what is wrong with a row.

use crate::catalog::Product;
use crate::publishing::csv::columns::{SKU, WRITTEN_HANDLE, handle_key};
use crate::publishing::csv::notices::Notices;
use serde::Serialize;

/// A product and what its rows state beside it.
#[derive(Clone, Debug)]
pub struct ImportedProduct {
    /// The product.
    pub product: Product,
    /// The handle as the file has it.
    pub written_handle: String,
    /// Units, and the SKUs they are of, of the variants that are tracked and state a quantity.
    pub quantities: Vec<(Name, u32)>,
    /// Names that no other product of the file may have.
    pub names: Vec<Name>,
    /// Notices of what was read otherwise than its rows say.
    pub notices: Notices,
    /// SKUs of variants that are counted and state no quantity.
    pub unstated: Vec<Name>,
}

/// A handle or SKU, and where the file states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The line.
    pub line: u64,
    /// `Handle`, `Variant SKU`, or the mark of a handle as the file has it.
    pub column: &'static str,
    /// The handle or SKU.
    pub value: String,
}

impl Name {
    /// A handle as the file has it.
    #[must_use]
    pub fn written_handle(line: u64, written: &str) -> Self {
        Self {
            line,
            column: WRITTEN_HANDLE,
            value: handle_key(written),
        }
    }

    /// True for a handle as the file has it.
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

/// A fault of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct RowError {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    /// Name of the column.
    pub column: String,
    /// The cure: what would be accepted.
    pub detail: String,
}

impl RowError {
    /// A fault in `column` of the row on `line`.
    #[must_use]
    pub fn new(line: u64, column: &str, detail: impl Into<String>) -> Self {
        Self {
            line,
            column: column.to_owned(),
            detail: detail.into(),
        }
    }
}
