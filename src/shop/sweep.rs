//! Finishes what a crash or an outage left, once a minute: nothing stays half done for longer than [`BOUND_SECS`] once every part
//! answers again, and as long as fewer than [`MAX_AT_ONCE`] of each kind wait.

use crate::error::Result;
use crate::shop::checkout;
use crate::shop::orders::OrderLinks;
use crate::shop::ports::{Inbox, Orders, Ports};
use crate::shop::settlement;
use durable::Timestamp;
use serde::Serialize;

/// Seconds within which a request finishes by itself; what is older is stuck.
pub const STUCK_SECS: u32 = 60;

/// Seconds within which what a crash left is finished: stuck, plus the minute between two sweeps.
pub const BOUND_SECS: u32 = STUCK_SECS + 60;

/// Most of each kind that one sweep takes up, so that it ends within its time.
const MAX_AT_ONCE: u32 = 50;

/// What a sweep found and whether it could finish it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Checkouts that had stopped half way.
    pub checkouts: u32,
    /// Events that no consumer had seen.
    pub events: u32,
    /// Orders with effects to carry out.
    pub effects: u32,
    /// Pending orders whose session has ended.
    pub overdue: u32,
    /// Of all these, those that are still not finished.
    pub unfinished: u32,
}

/// Takes up what is stuck.
///
/// # Errors
/// When the database can't be read; a single finding that fails is counted and left for the next sweep.
pub async fn run(ports: &impl Ports, links: &OrderLinks, now: Timestamp) -> Result<Findings> {
    let mut findings = Findings::default();
    let stuck_since = now.minus_secs(STUCK_SECS);

    for checkout in ports
        .orders()
        .stuck_checkouts(stuck_since, MAX_AT_ONCE)
        .await?
    {
        let outcome = match checkout::resume(ports, &checkout, links, now).await {
            Ok(()) => settlement::drive_effects(ports, &checkout.order_id, now).await,
            refused => refused,
        };
        count(&mut findings.checkouts, &mut findings.unfinished, &outcome);
    }
    for event_id in ports.inbox().unseen(stuck_since, MAX_AT_ONCE).await? {
        let outcome = ports.inbox().enqueue(&event_id).await;
        count(&mut findings.events, &mut findings.unfinished, &outcome);
    }
    for order_id in ports
        .orders()
        .orders_with_due_effects(now, MAX_AT_ONCE)
        .await?
    {
        let outcome = settlement::drive_effects(ports, &order_id, now).await;
        count(&mut findings.effects, &mut findings.unfinished, &outcome);
    }
    for order_id in ports
        .orders()
        .overdue_orders(stuck_since, MAX_AT_ONCE)
        .await?
    {
        let outcome = settlement::check_payment(ports, &order_id, now).await;
        count(&mut findings.overdue, &mut findings.unfinished, &outcome);
    }
    Ok(findings)
}

fn count(found: &mut u32, unfinished: &mut u32, outcome: &Result<()>) {
    *found = found.saturating_add(1);
    if outcome.is_err() {
        *unfinished = unfinished.saturating_add(1);
    }
}
