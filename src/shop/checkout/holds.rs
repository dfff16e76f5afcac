//! What a checkout holds: a use of every scarce promotion, and the units of every tracked line, in SKU order, all or none; and what is
//! said of the lines that are short.

use crate::error::{Error, Result};
use crate::shop::ports::{Ports, StockObjects};
use crate::shop::pricing::QuoteLine;
use crate::shop::pricing::promotions::QuotePromotion;
use crate::shop::promotions::{hold_uses, release_uses};
use crate::shop::stock::customer_of;
use durable::machine::Reply;
use durable::{cart, stock};
use serde_json::{Value, json};

/// Seconds that a hold waits for its order to be written and pinned.
pub const HOLD_SECS: u32 = 10 * 60;

/// Seconds after which a shopper who met a held unit should try again.
pub(super) const CONTENDED_RETRY_SECS: u32 = 2;

/// What is held: the lines of a quote, and its promotions.
pub type Held<'a> = (&'a [QuoteLine], &'a [QuotePromotion]);

/// Holds a use of every scarce promotion and the units of every tracked line; stops at the first refusal.
///
/// # Errors
/// 409 `sold_out`, `contended`, `over_limit`, `promotion_used_up`, `promotion_contended`,
/// `promotion_not_available`. What was held until then is still held: the caller gives it back.
pub async fn hold_all(
    ports: &impl Ports,
    order_id: &str,
    attempt: u32,
    email: &str,
    (lines, promotions): Held<'_>,
) -> Result<()> {
    hold_uses(ports, order_id, attempt, email, promotions).await?;
    hold_lines(ports, order_id, attempt, email, lines).await
}

/// Releases what `attempt` of an order holds: a hold that is still on its way meets the tombstone.
///
/// # Errors
/// A port's failure; releasing again is safe.
pub async fn release_all(
    ports: &impl Ports,
    order_id: &str,
    attempt: u32,
    (lines, promotions): Held<'_>,
) -> Result<()> {
    release_uses(ports, order_id, attempt, promotions).await?;
    release_lines(ports, order_id, attempt, lines).await
}

/// In SKU order; tells of all lines that are short.
async fn hold_lines(
    ports: &impl Ports,
    order_id: &str,
    attempt: u32,
    email: &str,
    lines: &[QuoteLine],
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
            Reply::Done { .. } => {}
            Reply::Refused { refusal } => {
                short.push(ShortLine::of_refusal(&line.sku, &refusal)?);
                break;
            }
        }
    }
    if short.is_empty() {
        return Ok(());
    }
    for line in tracked {
        let view = ports.stock().view(&line.sku).await?;
        short.extend(ShortLine::of_view(line, &view));
    }
    Err(short_stock(&short, lines))
}

/// The id of an order's hold on each of its SKUs.
#[must_use]
pub fn hold_id(order_id: &str, attempt: u32) -> String {
    format!("{order_id}:{attempt}")
}

/// The lines whose units are held, in SKU order: two checkouts that want the same SKUs ask in the same order.
#[must_use]
pub fn tracked_lines(lines: &[QuoteLine]) -> Vec<&QuoteLine> {
    let mut tracked: Vec<&QuoteLine> = lines.iter().filter(|line| line.tracked).collect();
    tracked.sort_by(|a, b| a.sku.cmp(&b.sku));
    tracked
}

async fn release_lines(
    ports: &impl Ports,
    order_id: &str,
    attempt: u32,
    lines: &[QuoteLine],
) -> Result<()> {
    for line in tracked_lines(lines) {
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
    fn of_refusal(sku: &str, refusal: &stock::Refusal) -> Result<Self> {
        let (code, max_quantity) = match refusal {
            stock::Refusal::Short {
                available,
                contended,
                ..
            } => (short_code(*contended), *available),
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
    fn of_view(line: &QuoteLine, view: &stock::View) -> Option<Self> {
        (view.available < i64::from(line.quantity)).then(|| Self {
            sku: line.sku.clone(),
            code: short_code(view.reserved > 0),
            max_quantity: view.available,
        })
    }
}

const CONTENDED: &str = "contended";
const SOLD_OUT: &str = "sold_out";
const OVER_LIMIT: &str = "over_limit";

const fn short_code(contended: bool) -> &'static str {
    if contended { CONTENDED } else { SOLD_OUT }
}

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
            json!({"lines": lines, "retry_after_secs": CONTENDED_RETRY_SECS}),
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
