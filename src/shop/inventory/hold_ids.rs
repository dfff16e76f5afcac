//! Names of holds, which lines have one, and how long it lasts.

use crate::pricing::quote::QuoteLine;

/// Seconds that a hold waits for its order to be written and pinned.
pub const HOLD_SECS: u32 = 10 * 60;

/// The id of an order's hold on each of its SKUs.
#[must_use]
pub fn hold_id(order_id: &str, attempt: u32) -> String {
    format!("{order_id}:{attempt}")
}

/// The lines whose units are held, in SKU order: two checkouts that want the same SKUs ask in the
/// same order.
#[must_use]
pub fn tracked_lines(lines: &[QuoteLine]) -> Vec<&QuoteLine> {
    let mut tracked: Vec<&QuoteLine> = lines.iter().filter(|line| line.tracked).collect();
    tracked.sort_by(|a, b| a.sku.cmp(&b.sku));
    tracked
}
