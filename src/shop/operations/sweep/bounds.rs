//! Bounds of the sweep, and a finding of what it met.

use crate::error::Result;
use crate::orders::findings::{Finding, FindingKind};
use durable::Timestamp;

/// Seconds within which a request finishes by itself; what is older is stuck.
pub const STUCK_SECS: u32 = 60;

/// Longest pause between two looks at what waits, in seconds: a payment on its way, a task that
/// keeps failing.
pub const MAX_PAUSE_SECS: u32 = 15 * 60;

/// Longest pause between two attempts to open an order's payment page, in seconds: its shopper
/// waits, and while the provider is left alone nobody is asked.
pub const PAYMENT_PAUSE_SECS: u32 = 60;

/// Seconds for which an order counts as new: its shopper still waits.
pub const NEW_ORDER_SECS: u32 = 10 * 60;

/// Seconds within which what a crash left is finished: stuck, plus the minute between two sweeps;
/// what failed while a part of the shop did not answer may pause once more.
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
