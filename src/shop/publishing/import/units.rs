//! The units that a file states.

use crate::error::Result;
use crate::inventory::objects::StockObjects;
use crate::inventory::stock::{BELOW_PROMISED, Counted, count_stock, receive_stock};
use crate::publishing::csv::imported::{Name, RowError};
use crate::publishing::csv::read::ProductFile;
use crate::publishing::import::options::ImportOptions;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::{BTreeMap, BTreeSet};

/// SKUs whose units one request takes, with two calls each at most: the platform grants 1,000 calls
/// a request.
pub const UNITS_A_REQUEST: usize = 300;

/// Objects asked at once.
const OBJECTS_AT_ONCE: usize = 6;

/// The units that one request takes, counted before anything is left out, so that each request
/// counts alike.
pub struct Units {
    units: Vec<(Name, u32)>,
    /// Unit with which the next request goes on. None means that this request takes all.
    pub next: Option<usize>,
}

impl Units {
    /// Units of the file behind the first `from`.
    pub fn of(file: &ProductFile, from: usize) -> Self {
        let stated = || file.products.iter().flat_map(|one| &one.quantities);
        let next = from.saturating_add(UNITS_A_REQUEST);
        Self {
            units: stated().skip(from).take(UNITS_A_REQUEST).cloned().collect(),
            next: Some(next).filter(|next| *next < stated().count()),
        }
    }

    /// Receives the units of each accepted SKU that the record does not have, or sets the count of
    /// all. Returns the rows whose count stays as it was.
    ///
    /// # Errors
    /// When an object fails; taking the units again takes none twice.
    pub async fn take(
        &self,
        stock: &impl StockObjects,
        accepted: &ProductFile,
        owners: &BTreeMap<String, String>,
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
                let (sku, line, quantity) = (name.value.as_str(), name.line, *quantity);
                if options.set_stock {
                    let operation_id = format!("import:{}:{sku}", options.import_id);
                    let counted = count_stock(stock, sku, quantity, operation_id).await?;
                    return Ok(fault_of(counted, line));
                }
                if quantity > 0 && !owners.contains_key(sku) {
                    receive_stock(stock, sku, quantity, format!("import:{sku}")).await?;
                }
                Ok(None)
            })
            .buffer_unordered(OBJECTS_AT_ONCE)
            .try_filter_map(async |error| Ok(error))
            .try_collect()
            .await
    }
}

/// A count that orders stand against is told; it keeps out no product.
fn fault_of(counted: Counted, line: u64) -> Option<RowError> {
    match counted {
        Counted::Set => None,
        Counted::BelowPromised => Some(RowError {
            line,
            column: "Variant Inventory Qty".to_owned(),
            detail: format!("The count stays as it is. {BELOW_PROMISED}"),
        }),
    }
}
