//! What a checkout holds: a use of every scarce promotion, and the units of every tracked line, in SKU order, all or none; and what is
//! said of the lines that are short.

use crate::error::{Error, Result};
use crate::inventory::hold_ids::{HOLD_SECS, hold_id, tracked_lines};
use crate::inventory::objects::StockObjects;
use crate::inventory::ports::StockPorts;
use crate::inventory::refusals::{RefusalMemory, Shortage};
use crate::inventory::uses::{hold_uses, release_uses};
use crate::pricing::quote::{Held, QuoteLine};
use crate::values::ids::customer_of;
use durable::machine::Reply;
use durable::{cart, stock};
use serde_json::{Value, json};

/// How much of it was held, in the order in which it is asked for.
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
        Some(ShortLine::of(&line.sku, shortage))
    });
    let short: Vec<ShortLine> = short.collect();
    if short.is_empty() {
        return Ok(());
    }
    Err(short_stock(&short, lines))
}

/// Holds a use of every scarce promotion and the units of every tracked line; stops at the first refusal.
///
/// # Errors
/// 409 `sold_out`, `contended`, `over_limit`, `promotion_used_up`, `promotion_contended`,
/// `promotion_not_available`. What is `taken` by then is still held: the caller gives it back.
pub async fn hold_all(
    ports: &impl StockPorts,
    order_id: &str,
    attempt: u32,
    email: &str,
    (lines, promotions): Held<'_>,
    taken: &mut Taken,
) -> Result<()> {
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
) -> Result<()> {
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
                short.push(ShortLine::of_refusal(ports, &line.sku, &refusal)?);
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
            short.extend(ShortLine::of_view(ports, line, &view));
        }
    }
    Err(short_stock(&short, lines))
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

/// A line that stock refused.
struct ShortLine {
    sku: String,
    code: &'static str,
    max_quantity: i64,
}

impl ShortLine {
    fn of(sku: &str, shortage: Shortage) -> Self {
        Self {
            sku: sku.to_owned(),
            code: if shortage.contended {
                CONTENDED
            } else {
                SOLD_OUT
            },
            max_quantity: shortage.available,
        }
    }

    fn of_refusal(ports: &impl StockPorts, sku: &str, refusal: &stock::Refusal) -> Result<Self> {
        let (code, max_quantity) = match refusal {
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
                ports.refusals().remember(sku, shortage);
                return Ok(Self::of(sku, shortage));
            }
            stock::Refusal::HoldEnded => (CONTENDED, 0),
            stock::Refusal::OverLimit { left, .. } => (OVER_LIMIT, i64::from(*left)),
            other => return Err(Error::internal(format!("hold of {sku}: {other:?}"))),
        };
        Ok(Self {
            sku: sku.to_owned(),
            code,
            max_quantity,
        })
    }

    /// Short by what the object says now, though it was not asked to hold.
    fn of_view(ports: &impl StockPorts, line: &QuoteLine, view: &stock::View) -> Option<Self> {
        let shortage = Shortage {
            contended: view.reserved > 0,
            available: view.available,
            version: view.version,
        };
        let is_short = view.available < i64::from(line.quantity);
        is_short.then(|| {
            ports.refusals().remember(&line.sku, shortage);
            Self::of(&line.sku, shortage)
        })
    }
}

const CONTENDED: &str = "contended";
const SOLD_OUT: &str = "sold_out";
const OVER_LIMIT: &str = "over_limit";

fn short_stock(short: &[ShortLine], lines: &[QuoteLine]) -> Error {
    let lines: Vec<Value> = short
        .iter()
        .filter_map(|short| Some((short, lines.iter().find(|line| line.sku == short.sku)?)))
        .map(|(short, line)| {
            json!({
                "sku": line.sku,
                "title": line.title,
                "variant_title": line.variant_title,
                "code": short.code,
                "max_quantity": short.max_quantity.clamp(0, i64::from(cart::MAX_QUANTITY)),
            })
        })
        .collect();
    if short.iter().all(|line| line.code == CONTENDED) {
        return Error::conflict(
            CONTENDED,
            "Other shoppers are buying the last units; some may come back within minutes.",
            json!({"lines": lines, "retry_after_secs": MIN_RETRY_SECS}),
        );
    }
    if short.iter().any(|line| line.code == OVER_LIMIT) {
        return Error::conflict(
            OVER_LIMIT,
            "This is more than one customer may buy.",
            json!({"lines": lines}),
        );
    }
    Error::conflict(
        SOLD_OUT,
        "There is not enough stock for this order.",
        json!({"lines": lines}),
    )
}

/// Seconds after which who met what may come back tries again: at least, and how many more at most, so that those who were refused
/// together do not come back together.
pub(crate) const MIN_RETRY_SECS: u32 = 2;
