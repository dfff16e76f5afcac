//! Stock as staff and imports handle it; checkout and settlement ask the objects themselves.

use crate::error::{Error, Result};
use crate::shop::ports::StockObjects;
use durable::machine::Reply;
use durable::stock::{Command, MAX_QUANTITY, Refusal, View};

/// Receives units; once per `operation_id`.
///
/// # Errors
/// 422 for a quantity of 0 or beyond what one command may move.
pub async fn receive_stock(
    stock: &impl StockObjects,
    sku: &str,
    quantity: u32,
    operation_id: String,
) -> Result<View> {
    match stock
        .ask(sku, operation_id, Command::Receive { quantity })
        .await?
    {
        Reply::Done { view, .. } => Ok(view),
        Reply::Refused {
            refusal: Refusal::QuantityOutOfRange { .. },
        } => Err(Error::invalid(
            "quantity",
            "invalid_quantity",
            format!("A whole number from 1 to {MAX_QUANTITY}."),
        )),
        Reply::Refused { refusal } => Err(Error::internal(format!("receive {sku}: {refusal:?}"))),
    }
}
