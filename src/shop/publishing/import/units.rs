//! Quantities stated in a file.

use crate::error::Result;
use crate::inventory::objects::StockObjects;
use crate::inventory::stock::{BELOW_PROMISED, Counted, count_stock, receive_stock};
use crate::publishing::csv::imported::{Name, RowError};
use crate::publishing::csv::read::ProductFile;
use crate::publishing::import::options::ImportOptions;
use crate::values::ids::{ProductId, Sku};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::{BTreeMap, BTreeSet};

/// Number of SKUs whose quantities one request processes, with at most two calls each; the platform
/// allows 1,000 calls per request.
pub const UNITS_A_REQUEST: usize = 300;

/// Maximum number of objects asked at the same time.
const OBJECTS_AT_ONCE: usize = 6;

/// Quantities that one request processes. They are counted before any product is left out, so that
/// every request counts the same way.
pub struct Units {
    units: Vec<(Name, u32)>,
    /// Index at which the next request continues. `None` means that this request processes all.
    pub next: Option<usize>,
}

impl Units {
    /// Returns the quantities in the file after the first `from`.
    pub fn of(file: &ProductFile, from: usize) -> Self {
        let stated = || file.products.iter().flat_map(|one| &one.quantities);
        let next = from.saturating_add(UNITS_A_REQUEST);
        Self {
            units: stated().skip(from).take(UNITS_A_REQUEST).cloned().collect(),
            next: Some(next).filter(|next| *next < stated().count()),
        }
    }

    /// Receives the units of each accepted SKU that is new in the record, or sets the stock of all.
    /// Returns the rows whose stock was left unchanged.
    ///
    /// # Errors
    /// Fails if an object fails; a repeated call receives nothing twice.
    pub async fn take(
        &self,
        stock: &impl StockObjects,
        accepted: &ProductFile,
        owners: &BTreeMap<Sku, ProductId>,
        options: &ImportOptions,
    ) -> Result<Vec<RowError>> {
        let accepted: BTreeSet<&Name> = accepted
            .products
            .iter()
            .flat_map(|one| &one.names)
            .collect();
        let units = self
            .units
            .iter()
            .filter(|(name, _)| accepted.contains(name));
        stream::iter(units)
            .map(async |(name, quantity)| {
                let (sku, line, quantity) = (Sku::new(name.value.clone()), name.line, *quantity);
                if options.set_stock {
                    let operation_id = format!("import:{}:{sku}", options.import_id);
                    let counted = count_stock(stock, &sku, quantity, operation_id).await?;
                    return Ok(fault_of(counted, line));
                }
                if quantity > 0 && !owners.contains_key(&sku) {
                    receive_stock(stock, &sku, quantity, format!("import:{sku}")).await?;
                }
                Ok(None)
            })
            .buffer_unordered(OBJECTS_AT_ONCE)
            .try_filter_map(async |error| Ok(error))
            .try_collect()
            .await
    }
}

/// Returns an error for a count below the promised units; it does not keep out the product.
fn fault_of(counted: Counted, line: u64) -> Option<RowError> {
    match counted {
        Counted::Set => None,
        Counted::BelowPromised => Some(RowError {
            line,
            column: "Variant Inventory Qty".to_owned(),
            detail: format!("The count was not changed. {BELOW_PROMISED}"),
        }),
    }
}
