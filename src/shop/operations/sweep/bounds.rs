//! Limits of the sweep, and construction of its findings.

use crate::error::Result;
use crate::orders::findings::{Finding, FindingKind};
use durable::Timestamp;

/// Seconds within which a request finishes by itself; anything older is stuck.
pub const STUCK_SECS: u32 = 60;

/// Maximum seconds between two attempts at waiting work, such as a payment on its way or a task
/// that keeps failing.
pub const MAX_PAUSE_SECS: u32 = 15 * 60;

/// Maximum seconds between two attempts to open an order's payment page. The shopper is waiting,
/// and while the breaker is open no call is made anyway.
pub const PAYMENT_PAUSE_SECS: u32 = 60;

/// Seconds for which an order counts as new, because its shopper is still waiting.
pub const NEW_ORDER_SECS: u32 = 10 * 60;

/// Seconds within which work left by a crash is finished: the time until it counts as stuck, plus a
/// minute between two sweeps, plus one more pause if part of the shop did not respond.
pub const BOUND_SECS: u32 = STUCK_SECS + 60 + MAX_PAUSE_SECS;

pub(crate) fn found(
    kind: FindingKind,
    subject: &str,
    outcome: Result<()>,
    now: Timestamp,
) -> Finding {
    Finding {
        kind,
        subject: subject.to_owned(),
        error: outcome.err().map(|error| error.to_string()),
        found_at: now,
    }
}

pub(crate) fn count_of<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}
