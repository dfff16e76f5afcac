//! Stock as staff change it and as the public reads it. Checkout and settlement ask the objects
//! directly.
//!
//! The public sees an availability, never a number, from a published copy: no page view asks an
//! object.

use crate::catalog::record::CatalogRecord;
use crate::codes::Code;
use crate::error::{Error, Result};
use crate::inventory::objects::StockObjects;
use crate::values::ids::Sku;
use durable::machine::Reply;
use durable::stock::{Command, MAX_QUANTITY, MAX_REASON_BYTES, Refusal, View};
use serde_json::json;

/// Returns the stock of a SKU. A SKU that has lost its product keeps its stock.
///
/// # Errors
/// 404 for a SKU that belongs to no product and was never stocked.
pub async fn get_stock(
    record: &impl CatalogRecord,
    stock: &impl StockObjects,
    sku: &Sku,
) -> Result<View> {
    let view = stock.view(sku).await?;
    if view.version == 0 && record.owners_of_skus(&[sku.to_owned()]).await?.is_empty() {
        return Err(Error::NotFound("SKU"));
    }
    Ok(view)
}

/// Carries out a stock change by staff, once per `operation_id`.
///
/// # Errors
/// 422 `invalid_quantity`, `invalid_reason`, `invalid_settings`, `idempotency_key_reused`; 409
/// `below_promised`.
pub async fn change_stock(
    stock: &impl StockObjects,
    sku: &Sku,
    command: Command,
    operation_id: String,
) -> Result<(View, bool)> {
    match stock.ask(sku, operation_id, command).await? {
        Reply::Done { view, replayed } => Ok((view, replayed)),
        Reply::Refused { refusal } => Err(refused(sku, &refusal)),
    }
}

/// Receives the units of one delivery. A later call with the same `operation_id` changes nothing,
/// whatever its quantity, so that an import counts a delivery once.
///
/// # Errors
/// 422 `invalid_quantity`.
pub async fn receive_stock(
    stock: &impl StockObjects,
    sku: &Sku,
    quantity: u32,
    operation_id: String,
) -> Result<View> {
    let command = Command::Receive { quantity };
    match change_stock(stock, sku, command, operation_id).await {
        Ok((view, _)) => Ok(view),
        Err(error) if error.code() == Code::IdempotencyKeyReused => stock.view(sku).await,
        Err(error) => Err(error),
    }
}

/// Result of a stock count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// The stock was set to the count.
    Set,
    /// The stock is unchanged, because more units than were counted are promised.
    BelowPromised,
}

/// Sets the stock to `quantity` units on hand. A repeat with the same `operation_id` changes
/// nothing, even if units have moved since.
///
/// # Errors
/// 422 `invalid_quantity`, and `idempotency_key_reused` for a different count.
pub async fn count_stock(
    stock: &impl StockObjects,
    sku: &Sku,
    quantity: u32,
    operation_id: String,
) -> Result<Counted> {
    let reason = "imported".to_owned();
    let command = Command::Count { quantity, reason };
    match stock.ask(sku, operation_id, command).await? {
        Reply::Done { .. } => Ok(Counted::Set),
        Reply::Refused {
            refusal: Refusal::BelowPromised { .. },
        } => Ok(Counted::BelowPromised),
        Reply::Refused { refusal } => Err(refused(sku, &refusal)),
    }
}

/// Message for a count below the number of promised units.
pub const BELOW_PROMISED: &str =
    "This would leave fewer units than checkouts and orders have reserved.";

fn refused(sku: &Sku, refusal: &Refusal) -> Error {
    let quantity = |max: u32| {
        let detail = format!("Must be a whole number from 1 to {max}.");
        Error::invalid("quantity", Code::InvalidQuantity, detail)
    };
    match refusal {
        Refusal::QuantityOutOfRange { max } => quantity(*max),
        Refusal::ReasonOutOfRange { .. } => Error::invalid(
            "reason",
            Code::InvalidReason,
            format!("Must be a short text of at most {MAX_REASON_BYTES} bytes."),
        ),
        Refusal::SettingsOutOfRange { .. } => Error::invalid(
            "configure",
            Code::InvalidSettings,
            format!(
                "Must be whole numbers up to {MAX_QUANTITY}; a purchase limit must be at least 1."
            ),
        ),
        Refusal::BelowPromised { promised } => Error::conflict(
            Code::BelowPromised,
            BELOW_PROMISED,
            json!({"promised": promised}),
        ),
        refusal => Error::internal(format!("stock of {sku}: {refusal:?}")),
    }
}
