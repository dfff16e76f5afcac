//! Options of an import.

/// Options for importing a window of a file.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Id of the import, by which its windows know each other's handles and SKUs.
    pub import_id: String,
    /// Line on which the rows begin. `None` means that the window begins the file.
    pub first_line: Option<u64>,
    /// True if the file ends with this window.
    pub last: bool,
    /// True to report what would change without changing anything.
    pub dry_run: bool,
    /// True to set the stock of every SKU with a quantity, not only of new ones.
    pub set_stock: bool,
    /// Number of SKUs with quantities that earlier requests have processed.
    pub from_unit: usize,
}
