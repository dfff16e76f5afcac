//! Options of an import.

/// Options of an import of a window of a file.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Names the import, so that its windows know each other's handles and SKUs.
    pub import_id: String,
    /// Line that the rows begin on; none: the window begins the file.
    pub first_line: Option<u64>,
    /// True if the file ends with this window.
    pub last: bool,
    /// Tells what would change, and changes nothing.
    pub dry_run: bool,
    /// Sets the units of every SKU that states them, not only of those that are new.
    pub set_stock: bool,
    /// Of the SKUs that state units, how many have been dealt with.
    pub from_unit: usize,
}
