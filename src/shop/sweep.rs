//! Finishes what a crash or an outage left, once a minute: nothing stays half done for longer than [`BOUND_SECS`] once every part
//! answers again, and as long as fewer than [`MAX_AT_ONCE`] of each kind wait. What waits longer is taken in turn, the longest
//! waiting first, so that one that always fails holds up no other. Every finding is kept for staff.

use crate::error::Result;
use crate::shop::orders::{Order, find_order};
use crate::shop::payments::PaymentStatus;
use crate::shop::ports::{Inbox, Orders, Ports};
use crate::shop::settlement;
use durable::Timestamp;

pub use crate::shop::findings::{Finding, FindingCount, FindingKind, KEPT_SECS, KeptFinding};

/// Seconds within which a request finishes by itself; what is older is stuck.
pub const STUCK_SECS: u32 = 60;

/// Longest pause between two looks at what waits, in seconds: a payment on its way, a task that keeps failing.
pub const MAX_PAUSE_SECS: u32 = 15 * 60;

/// Seconds within which what a crash left is finished: stuck, plus the minute between two sweeps; what failed while a part of the
/// shop did not answer may pause once more.
pub const BOUND_SECS: u32 = STUCK_SECS + 60 + MAX_PAUSE_SECS;

/// Seconds between two looks at a pending order whose time is over.
const OVERDUE_PAUSE_SECS: u32 = 5 * 60;

/// Most of each kind that one sweep takes up, so that it ends within its time.
const MAX_AT_ONCE: u32 = 50;

/// Takes up what is stuck; what it found.
///
/// # Errors
/// When the database can't be read or written; a single finding that fails is noted and left for the next sweep.
pub async fn run(ports: &impl Ports, now: Timestamp) -> Result<Vec<Finding>> {
    let orders = ports.orders();
    let stuck_since = now.minus_secs(STUCK_SECS);
    let mut findings = Vec::new();
    let mut note = |kind, subject: &str, outcome: Result<()>| {
        findings.push(Finding {
            kind,
            subject: subject.to_owned(),
            error: outcome.err().map(|error| error.to_string()),
            found_at: now,
        });
    };

    for event_id in ports.inbox().unseen(stuck_since, MAX_AT_ONCE).await? {
        let outcome = ports.inbox().enqueue(&event_id, 0).await;
        note(FindingKind::UnseenEvent, &event_id, outcome);
    }
    for order_id in orders.orders_with_due_tasks(now, MAX_AT_ONCE).await? {
        let outcome = drive_order(ports, &order_id, now).await;
        note(FindingKind::UndoneTasks, &order_id, outcome.map(drop));
    }
    let again_at = now.plus_secs(OVERDUE_PAUSE_SECS);
    for order_id in orders
        .take_overdue_orders(now, again_at, MAX_AT_ONCE)
        .await?
    {
        let outcome = settlement::check_payment(ports, &order_id, now).await;
        let takes_its_days = |order: &Order| order.payment.status == PaymentStatus::Processing;
        if !outcome.as_ref().is_ok_and(takes_its_days) {
            note(FindingKind::OverdueOrder, &order_id, outcome.map(drop));
        }
    }

    if !findings.is_empty() {
        let forget_before = now.minus_secs(KEPT_SECS);
        orders.save_findings(&findings, forget_before).await?;
    }
    Ok(findings)
}

async fn drive_order(ports: &impl Ports, order_id: &str, now: Timestamp) -> Result<Order> {
    let order = find_order(ports, order_id).await?;
    settlement::drive_tasks(ports, order, now).await
}
