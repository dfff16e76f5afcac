//! The units of a placed order in the stock objects: held again, shipped, put back. Each operation's
//! id names what it is about and the step, so that asking again moves nothing twice.

use crate::error::{Error, Result};
use crate::inventory::hold_ids::hold_id;
use crate::inventory::hold_refusal::NotHeld;
use crate::inventory::holds::Holds;
use crate::inventory::objects::StockObjects;
use crate::inventory::ports::StockPorts;
use crate::orders::order::Order;
use crate::orders::records::Units;
use durable::machine::Reply;
use durable::{Timestamp, stock};

/// Seconds after which what others held is asked for again.
const CONTENDED_RETRY_SECS: u32 = 60;

/// Seconds for which units that others hold on the clock are waited for: longer than such a hold
/// lasts.
const PATIENCE_SECS: u32 = 15 * 60;

/// Holds what an order is made of once more, all or none, under an attempt that has held nothing
/// before; false when it is gone. What others hold on the clock may come back: while the order has
/// been without it for short, that is a reason to try again later, with nothing kept from others
/// until then.
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

/// Counts the units of a fulfilment as shipped.
///
/// # Errors
/// When an object fails, or refuses what it should not.
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
/// As [`ship_stock`].
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
    let tracked = |sku: &str| {
        order
            .lines
            .iter()
            .any(|line| line.sku == sku && line.tracked)
    };
    units.iter().filter(|units| tracked(&units.sku)).collect()
}

/// What a stock object should not have refused.
fn refused(step: &str, order: &Order, refusal: &stock::Refusal) -> Error {
    Error::internal(format!("{step} of {}: {refusal:?}", order.id))
}
