//! Finishes what a crash or an outage left, once a minute: nothing stays half done for longer than [`BOUND_SECS`] once every part
//! answers again. Each kind is swept by itself, a page at a time, and what is taken is nobody else's for a while, so that one that
//! always fails holds up no other, and two sweeps at once never work on the same. Every finding is kept for staff.

mod due_orders;

use crate::error::{Error, Result};
use crate::shop::ports::{Inbox, Jobs, Orders, Ports};
use durable::Timestamp;

pub use crate::shop::findings::{Finding, FindingCount, FindingKind, KEPT_SECS, KeptFinding};

/// Queue of the jobs of each minute.
pub const JOBS_QUEUE: &str = "jobs";

/// Seconds within which a request finishes by itself; what is older is stuck.
pub const STUCK_SECS: u32 = 60;

/// Longest pause between two looks at what waits, in seconds: a payment on its way, a task that keeps failing.
pub const MAX_PAUSE_SECS: u32 = 15 * 60;

/// Longest pause between two attempts to open an order's payment page, in seconds: its shopper waits, and while the provider is left
/// alone nobody is asked.
pub const PAYMENT_PAUSE_SECS: u32 = 60;

/// Seconds for which an order counts as new: its shopper still waits.
pub const NEW_ORDER_SECS: u32 = 10 * 60;

/// Seconds within which what a crash left is finished: stuck, plus the minute between two sweeps; what failed while a part of the
/// shop did not answer may pause once more.
pub const BOUND_SECS: u32 = STUCK_SECS + 60 + MAX_PAUSE_SECS;

/// Events that one sweep hands out.
const EVENTS_AT_ONCE: u32 = 500;

/// Messages that a queue takes at once.
const MESSAGES_AT_ONCE: usize = 100;

/// A kind of what is swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// Events that no consumer has seen.
    Events,
    /// Orders with tasks to do, and pending orders whose payment has to be looked at.
    Orders,
}

impl Swept {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Events, Self::Orders];
}

/// Outcome of a sweep of one kind.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Findings, each kept for staff.
    pub findings: Vec<Finding>,
    /// Seconds until there is more to do; none: until the next minute's sweep.
    pub again_in: Option<u32>,
}

/// Takes up what waits of one kind, as much as one invocation may. Sweeping a kind twice at once is safe.
///
/// # Errors
/// When the database can't be read or written; a single finding that fails is noted and left for the next sweep.
pub async fn sweep(ports: &impl Ports, jobs: &impl Jobs, kind: Swept) -> Result<Outcome> {
    let mut findings = Vec::new();
    let swept = match kind {
        Swept::Events => sweep_events(ports, &mut findings).await,
        Swept::Orders => due_orders::sweep(ports, jobs, &mut findings).await,
    };
    if !findings.is_empty() {
        let forget_before = ports.clock().minus_secs(KEPT_SECS);
        ports
            .orders()
            .save_findings(&findings, forget_before)
            .await?;
    }
    Ok(Outcome {
        findings,
        again_in: swept?,
    })
}

async fn sweep_events(ports: &impl Ports, findings: &mut Vec<Finding>) -> Result<Option<u32>> {
    let inbox = ports.inbox();
    let now = ports.clock();
    let unseen = inbox
        .unseen(now.minus_secs(STUCK_SECS), EVENTS_AT_ONCE)
        .await?;
    for chunk in unseen.chunks(MESSAGES_AT_ONCE) {
        let queued = inbox.enqueue_all(chunk).await.map_err(|it| it.to_string());
        for event_id in chunk {
            let queued = queued.clone().map_err(Error::internal);
            findings.push(found(FindingKind::UnseenEvent, event_id, queued, now));
        }
    }
    Ok((count_of(&unseen) == EVENTS_AT_ONCE).then_some(0))
}

fn found(kind: FindingKind, subject: &str, outcome: Result<()>, now: Timestamp) -> Finding {
    Finding {
        kind,
        subject: subject.to_owned(),
        error: outcome.err().map(|error| error.to_string()),
        found_at: now,
    }
}

fn count_of<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}
