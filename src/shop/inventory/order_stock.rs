//! Units of a placed order in the stock objects: held again, shipped, restocked. The id of each
//! operation names its subject and the step, so that a repeated request moves nothing twice.

use crate::error::{Error, Result};
use crate::inventory::hold_ids::hold_id;
use crate::inventory::hold_refusal::NotHeld;
use crate::inventory::holds::Holds;
use crate::inventory::objects::StockObjects;
use crate::inventory::ports::StockPorts;
use crate::orders::order::Order;
use crate::orders::records::Units;
use crate::values::ids::Sku;
use durable::machine::Reply;
use durable::{Timestamp, stock};

/// Seconds before another attempt to hold units that others were holding.
const CONTENDED_RETRY_SECS: u32 = 60;

/// Seconds for which an order waits for units held by others: longer than an unpinned hold lasts.
const PATIENCE_SECS: u32 = 15 * 60;

/// Holds everything in the order once more, all or nothing, under a new attempt. Returns false if
/// something is gone. If it is held by others for now and the order has not been without it for
/// long, the call fails instead, to be retried later; nothing is kept from others until then.
///
/// # Errors
/// 503 `contended`, `promotion_contended`; a port's failure.
pub async fn hold_again(
    ports: &impl StockPorts,
    order: &Order,
    without_since: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool> {
    let waits = without_since.is_some_and(|since| now < since.plus_secs(PATIENCE_SECS));
    let mut holds = Holds::of(order);
    match holds.take(ports, &order.email).await {
        Ok(()) => Ok(true),
        Err(NotHeld::Refused(refusal)) if waits && refusal.may_pass() => {
            holds.give_back(ports).await?;
            Err(Error::Unavailable {
                code: refusal.code(),
                retry_after_secs: CONTENDED_RETRY_SECS,
            })
        }
        Err(NotHeld::Refused(_)) => Ok(false),
        Err(NotHeld::Failed(failure)) => Err(failure),
    }
}

/// Books the units of a fulfillment as shipped.
///
/// # Errors
/// Fails if an object fails or refuses unexpectedly.
pub async fn ship_stock(
    ports: &impl StockPorts,
    order: &Order,
    fulfillment_id: &str,
) -> Result<()> {
    let found = order.fulfillments.iter().find(|it| it.id == fulfillment_id);
    let hold_id = hold_id(&order.id, order.attempt);
    for units in found.iter().flat_map(|it| tracked_units(order, &it.lines)) {
        let command = stock::Command::Ship {
            hold_id: hold_id.clone(),
            quantity: units.quantity,
        };
        let operation_id = format!("{fulfillment_id}:ship");
        let reply = ports.stock().ask(&units.sku, operation_id, command).await?;
        if let Reply::Refused { refusal } = reply {
            return Err(refused("ship", order, &refusal));
        }
    }
    Ok(())
}

/// Puts the units of a return back on sale.
///
/// # Errors
/// Same as [`ship_stock`].
pub async fn restock_return(ports: &impl StockPorts, order: &Order, return_id: &str) -> Result<()> {
    let found = order.returns.iter().find(|it| it.id == return_id);
    for units in found.iter().flat_map(|it| tracked_units(order, &it.lines)) {
        let command = stock::Command::Return {
            quantity: units.quantity,
            reason: format!("returned from order {}", order.number),
        };
        let operation_id = format!("{return_id}:return");
        let reply = ports.stock().ask(&units.sku, operation_id, command).await?;
        if let Reply::Refused { refusal } = reply {
            return Err(refused("return", order, &refusal));
        }
    }
    Ok(())
}

fn tracked_units<'a>(order: &Order, units: &'a [Units]) -> Vec<&'a Units> {
    let tracked = |sku: &Sku| {
        order
            .lines
            .iter()
            .any(|line| line.sku == *sku && line.tracked)
    };
    units.iter().filter(|units| tracked(&units.sku)).collect()
}

/// Returns the error for an unexpected refusal by a stock object.
fn refused(step: &str, order: &Order, refusal: &stock::Refusal) -> Error {
    Error::internal(format!("{step} of {}: {refusal:?}", order.id))
}
