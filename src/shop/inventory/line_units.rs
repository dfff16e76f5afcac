//! Units of a line held for an order, and the report on lines that are short.

use crate::error::{Error, Result};
use crate::inventory::hold_ids::{HOLD_SECS, tracked_lines};
use crate::inventory::hold_refusal::{HoldRefusal, ShortLine, ShortReason};
use crate::inventory::objects::StockObjects;
use crate::inventory::ports::StockPorts;
use crate::inventory::refusals::{RefusalMemory, Shortage};
use crate::inventory::reservation::{Reservation, Step};
use crate::pricing::quote::QuoteLine;
use crate::values::ids::customer_of;
use durable::cart;
use durable::machine::Reply;
use durable::stock::{self, Command, Refusal, Stock};

/// Units of a line, held by the object of its SKU.
pub(super) struct LineUnits<'a>(pub(super) &'a QuoteLine);

impl Reservation for LineUnits<'_> {
    type Machine = Stock;

    fn name(&self) -> &str {
        &self.0.sku
    }

    fn hold(&self, hold_id: String, email: &str) -> Command {
        Command::Hold {
            hold_id,
            quantity: self.0.quantity,
            ttl_secs: HOLD_SECS,
            customer: Some(customer_of(email)),
        }
    }

    fn command(step: Step, hold_id: String) -> (&'static str, Command) {
        match step {
            Step::Pin => ("pin", Command::Pin { hold_id }),
            Step::Release => ("release", Command::Release { hold_id }),
            Step::Commit => ("commit", Command::Commit { hold_id }),
            Step::Restock => ("restock", Command::Restock { hold_id }),
        }
    }

    fn has_ended(refusal: &Refusal) -> bool {
        *refusal == Refusal::HoldEnded
    }

    async fn ask(
        &self,
        ports: &impl StockPorts,
        operation_id: String,
        command: Command,
    ) -> Result<stock::Reply> {
        let is_hold = matches!(command, Command::Hold { .. });
        let sku = &self.0.sku;
        let reply = ports.stock().ask(sku, operation_id, command).await?;
        if is_hold
            && matches!(
                reply,
                Reply::Done {
                    replayed: false,
                    ..
                }
            )
        {
            ports.refusals().forget(sku);
        }
        Ok(reply)
    }
}

/// Refuses again what was refused a moment ago, without asking an object.
///
/// # Errors
/// 409 `sold_out`, `contended`.
pub fn check_memory(ports: &impl StockPorts, lines: &[QuoteLine]) -> Result<()> {
    let refusals = ports.refusals();
    let short = tracked_lines(lines).into_iter().filter_map(|line| {
        let shortage = refusals.recall(&line.sku, line.quantity)?;
        Some(short_line(line, shortage))
    });
    let short: Vec<ShortLine> = short.collect();
    if short.is_empty() {
        return Ok(());
    }
    Err(HoldRefusal::of_lines(short).into())
}

/// Returns the refusal of an order after one of its lines was refused. It also lists the remaining
/// lines that are short.
///
/// # Errors
/// Fails if the object refused for an unexpected reason.
pub(super) async fn refused<'a>(
    ports: &impl StockPorts,
    LineUnits(line): &LineUnits<'_>,
    refusal: &Refusal,
    others: impl Iterator<Item = &'a LineUnits<'a>>,
) -> Result<HoldRefusal> {
    let mut short = vec![refused_line(ports, line, refusal)?];
    // An object that does not answer is left out: the order is refused anyway.
    for LineUnits(line) in others {
        if let Ok(view) = ports.stock().view(&line.sku).await {
            short.extend(viewed_line(ports, line, &view));
        }
    }
    Ok(HoldRefusal::of_lines(short))
}

fn short_line(line: &QuoteLine, shortage: Shortage) -> ShortLine {
    let reason = if shortage.contended {
        ShortReason::Contended
    } else {
        ShortReason::SoldOut
    };
    line_short_by(line, reason, shortage.available)
}

fn line_short_by(line: &QuoteLine, reason: ShortReason, left: i64) -> ShortLine {
    ShortLine {
        sku: line.sku.clone(),
        title: line.title.clone(),
        variant_title: line.variant_title.clone(),
        reason,
        max_quantity: left.clamp(0, i64::from(cart::MAX_QUANTITY)),
    }
}

/// Returns the line as refused by its object.
fn refused_line(ports: &impl StockPorts, line: &QuoteLine, refusal: &Refusal) -> Result<ShortLine> {
    match refusal {
        Refusal::Short {
            available,
            contended,
            version,
            ..
        } => {
            let shortage = Shortage {
                contended: *contended,
                available: *available,
                version: *version,
            };
            ports.refusals().remember(&line.sku, shortage);
            Ok(short_line(line, shortage))
        }
        Refusal::HoldEnded => Ok(line_short_by(line, ShortReason::Contended, 0)),
        Refusal::OverLimit { left, .. } => Ok(line_short_by(
            line,
            ShortReason::OverLimit,
            i64::from(*left),
        )),
        other => Err(Error::internal(format!("hold of {}: {other:?}", line.sku))),
    }
}

/// Returns the line if it is short according to the object's current state, without having tried to
/// hold it.
fn viewed_line(ports: &impl StockPorts, line: &QuoteLine, view: &stock::View) -> Option<ShortLine> {
    let shortage = Shortage {
        contended: view.reserved > 0,
        available: view.available,
        version: view.version,
    };
    let is_short = view.available < i64::from(line.quantity);
    is_short.then(|| {
        ports.refusals().remember(&line.sku, shortage);
        short_line(line, shortage)
    })
}
