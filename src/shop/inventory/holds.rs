//! Holds of a checkout: a use of every scarce promotion, and the units of every tracked line, in
//! SKU order, all or none; and what is said of the lines that are short.

use crate::error::{Error, Result};
use crate::inventory::hold_ids::{HOLD_SECS, hold_id, tracked_lines};
use crate::inventory::hold_refusal::{HoldRefusal, NotHeld, ShortLine, ShortReason};
use crate::inventory::objects::StockObjects;
use crate::inventory::ports::StockPorts;
use crate::inventory::refusals::{RefusalMemory, Shortage};
use crate::inventory::uses::{hold_uses, release_uses};
use crate::pricing::quote::{Held, QuoteLine};
use crate::values::ids::customer_of;
use durable::machine::Reply;
use durable::{cart, stock};

/// The part of it that was held, in the order in which it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Scarce promotions.
    pub uses: usize,
    /// Tracked lines.
    pub lines: usize,
}

impl Taken {
    /// Whatever there is.
    pub const ALL: Self = Self {
        uses: usize::MAX,
        lines: usize::MAX,
    };
}

/// Refuses what was refused a moment ago, without asking an object.
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

/// Holds a use of every scarce promotion and the units of every tracked line; stops at the first
/// refusal.
///
/// # Errors
/// The first refusal, or a port's failure. What is `taken` by then is still held: the caller gives
/// it back.
pub async fn hold_all(
    ports: &impl StockPorts,
    order_id: &str,
    attempt: u32,
    email: &str,
    (lines, promotions): Held<'_>,
    taken: &mut Taken,
) -> Result<(), NotHeld> {
    let uses = &mut taken.uses;
    hold_uses(ports, order_id, attempt, email, promotions, uses).await?;
    hold_lines(ports, order_id, attempt, email, lines, &mut taken.lines).await
}

/// Releases what `attempt` of an order holds: a hold that is still on its way meets the tombstone.
///
/// # Errors
/// A port's failure; releasing again is safe.
pub async fn release_all(
    ports: &impl StockPorts,
    order_id: &str,
    attempt: u32,
    held: Held<'_>,
) -> Result<()> {
    release_taken(ports, order_id, attempt, held, Taken::ALL).await
}

/// Releases what was taken of it, and asks nothing of what was not.
///
/// # Errors
/// A port's failure; releasing again is safe.
pub async fn release_taken(
    ports: &impl StockPorts,
    order_id: &str,
    attempt: u32,
    (lines, promotions): Held<'_>,
    taken: Taken,
) -> Result<()> {
    release_uses(ports, order_id, attempt, promotions, taken.uses).await?;
    release_lines(ports, order_id, attempt, lines, taken.lines).await
}

/// In SKU order; tells of all lines that are short.
async fn hold_lines(
    ports: &impl StockPorts,
    order_id: &str,
    attempt: u32,
    email: &str,
    lines: &[QuoteLine],
    taken: &mut usize,
) -> Result<(), NotHeld> {
    let customer = customer_of(email);
    let mut tracked = tracked_lines(lines).into_iter();
    let mut short = Vec::new();
    for line in tracked.by_ref() {
        let command = stock::Command::Hold {
            hold_id: hold_id(order_id, attempt),
            quantity: line.quantity,
            ttl_secs: HOLD_SECS,
            customer: Some(customer.clone()),
        };
        let operation_id = format!("{}:hold", hold_id(order_id, attempt));
        match ports.stock().ask(&line.sku, operation_id, command).await? {
            Reply::Done { replayed, .. } => {
                *taken = taken.saturating_add(1);
                if !replayed {
                    ports.refusals().forget(&line.sku);
                }
            }
            Reply::Refused { refusal } => {
                short.push(refused_line(ports, line, &refusal)?);
                break;
            }
        }
    }
    if short.is_empty() {
        return Ok(());
    }
    // What does not answer is not told: it is refused in any case.
    for line in tracked {
        if let Ok(view) = ports.stock().view(&line.sku).await {
            short.extend(viewed_line(ports, line, &view));
        }
    }
    Err(HoldRefusal::of_lines(short).into())
}

async fn release_lines(
    ports: &impl StockPorts,
    order_id: &str,
    attempt: u32,
    lines: &[QuoteLine],
    taken: usize,
) -> Result<()> {
    for line in tracked_lines(lines).into_iter().take(taken) {
        let hold_id = hold_id(order_id, attempt);
        let operation_id = format!("{hold_id}:release");
        let command = stock::Command::Release { hold_id };
        let reply = ports.stock().ask(&line.sku, operation_id, command).await?;
        if let Reply::Refused { refusal } = reply {
            return Err(Error::internal(format!(
                "release of {order_id}: {refusal:?}"
            )));
        }
    }
    Ok(())
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

/// The line as the object refused it.
fn refused_line(
    ports: &impl StockPorts,
    line: &QuoteLine,
    refusal: &stock::Refusal,
) -> Result<ShortLine> {
    match refusal {
        stock::Refusal::Short {
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
        stock::Refusal::HoldEnded => Ok(line_short_by(line, ShortReason::Contended, 0)),
        stock::Refusal::OverLimit { left, .. } => Ok(line_short_by(
            line,
            ShortReason::OverLimit,
            i64::from(*left),
        )),
        other => Err(Error::internal(format!("hold of {}: {other:?}", line.sku))),
    }
}

/// The line, if it is short by what the object says now, though it was not asked to hold.
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
