//! Ids of holds, choice of the lines that need one, and duration of a hold.

use crate::pricing::quote::QuoteLine;
use crate::values::ids::OrderId;

/// Seconds for which a hold waits for its order to be written and pinned.
pub const HOLD_SECS: u32 = 10 * 60;

/// Returns the id of an order's hold, the same for each of its SKUs.
#[must_use]
pub fn hold_id(order_id: &OrderId, attempt: u32) -> String {
    format!("{order_id}:{attempt}")
}

/// Returns the lines whose units are held, sorted by SKU, so that two checkouts of the same SKUs
/// ask in the same order.
#[must_use]
pub fn tracked_lines(lines: &[QuoteLine]) -> Vec<&QuoteLine> {
    let mut tracked: Vec<&QuoteLine> = lines.iter().filter(|line| line.tracked).collect();
    tracked.sort_by(|a, b| a.sku.cmp(&b.sku));
    tracked
}
