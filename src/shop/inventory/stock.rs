//! Stock as staff handle it and as the public reads it; checkout and settlement ask the objects
//! themselves.
//!
//! The public reads a word and never a number, from a published copy: no page view asks an object.

use crate::catalog::record::CatalogRecord;
use crate::error::{Error, Result};
use crate::inventory::objects::StockObjects;
use durable::machine::Reply;
use durable::stock::{Command, MAX_QUANTITY, MAX_REASON_BYTES, Refusal, View};
use serde_json::json;

/// The stock of a SKU. One that has lost its product keeps what it has.
///
/// # Errors
/// 404 for a SKU that no product has and that was never stocked.
pub async fn get_stock(
    record: &impl CatalogRecord,
    stock: &impl StockObjects,
    sku: &str,
) -> Result<View> {
    let view = stock.view(sku).await?;
    if view.version == 0 && record.owners_of_skus(&[sku.to_owned()]).await?.is_empty() {
        return Err(Error::NotFound("SKU"));
    }
    Ok(view)
}

/// Carries out a change by staff; once per `operation_id`.
///
/// # Errors
/// 422 `invalid_quantity`, `invalid_reason`, `invalid_settings`, `idempotency_key_reused`; 409
/// `below_promised`.
pub async fn change_stock(
    stock: &impl StockObjects,
    sku: &str,
    command: Command,
    operation_id: String,
) -> Result<(View, bool)> {
    match stock.ask(sku, operation_id, command).await? {
        Reply::Done { view, replayed } => Ok((view, replayed)),
        Reply::Refused { refusal } => Err(refused(sku, &refusal)),
    }
}

/// Receives the units of one delivery, whatever is said of it later under the same `operation_id`:
/// what an import receives once is counted here from then on.
///
/// # Errors
/// 422 `invalid_quantity`.
pub async fn receive_stock(
    stock: &impl StockObjects,
    sku: &str,
    quantity: u32,
    operation_id: String,
) -> Result<View> {
    let command = Command::Receive { quantity };
    match change_stock(stock, sku, command, operation_id).await {
        Ok((view, _)) => Ok(view),
        Err(error) if error.code() == "idempotency_key_reused" => stock.view(sku).await,
        Err(error) => Err(error),
    }
}

/// Outcome of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// The stock is what was counted.
    Set,
    /// The stock stays as it is: more units than were counted are promised.
    BelowPromised,
}

/// Sets the count to `quantity` units in the building, whatever moved since it was first set under
/// this `operation_id`.
///
/// # Errors
/// 422 `invalid_quantity`, `idempotency_key_reused` where it was another count.
pub async fn count_stock(
    stock: &impl StockObjects,
    sku: &str,
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

/// Text for a count that is below what was promised.
pub const BELOW_PROMISED: &str =
    "Checkouts and orders were promised more units than this would leave.";

fn refused(sku: &str, refusal: &Refusal) -> Error {
    let quantity = |max: u32| {
        let detail = format!("A whole number from 1 to {max}.");
        Error::invalid("quantity", "invalid_quantity", detail)
    };
    match refusal {
        Refusal::QuantityOutOfRange { max } => quantity(*max),
        Refusal::ReasonOutOfRange { .. } => Error::invalid(
            "reason",
            "invalid_reason",
            format!("A few words, up to {MAX_REASON_BYTES} bytes."),
        ),
        Refusal::SettingsOutOfRange { .. } => Error::invalid(
            "configure",
            "invalid_settings",
            format!("Whole numbers up to {MAX_QUANTITY}; a purchase limit of at least 1."),
        ),
        Refusal::BelowPromised { promised } => Error::conflict(
            "below_promised",
            BELOW_PROMISED,
            json!({"promised": promised}),
        ),
        refusal => Error::internal(format!("stock of {sku}: {refusal:?}")),
    }
}
