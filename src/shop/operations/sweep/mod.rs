//! Sweep that finishes, once a minute, the work left by a crash or an outage: nothing stays
//! unfinished for longer than [`BOUND_SECS`](bounds::BOUND_SECS) once every part responds again.
//! Each kind is swept separately, one page at a time, and claimed work belongs to one sweep for a
//! while, so that an item that always fails holds up no other, and two sweeps never work on the
//! same item. Every finding is stored for staff.

pub mod bounds;
mod due_orders;

use crate::error::{Error, Result};
use crate::operations::sweep::bounds::{STUCK_SECS, count_of, found};
use crate::orders::findings::{Finding, FindingKind, FindingRecord, KEPT_SECS};
use crate::payments::inbox::Inbox;
use crate::settlement::ports::SettlementPorts;
use crate::settlement::reconciliation::record::Jobs;

/// Queue of the jobs run every minute.
pub const JOBS_QUEUE: &str = "jobs";

/// Maximum number of events queued by one sweep.
const EVENTS_AT_ONCE: u32 = 500;

/// Maximum number of messages sent to a queue at once.
const MESSAGES_AT_ONCE: usize = 100;

/// A kind of work that is swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// Events that no consumer has processed.
    Events,
    /// Orders with outstanding tasks, and pending orders whose payment must be checked.
    Orders,
}

impl Swept {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Events, Self::Orders];
}

/// Outcome of a sweep.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Findings, each stored for staff.
    pub findings: Vec<Finding>,
    /// Seconds until there is more to do. `None` means at the next sweep, a minute later.
    pub again_in: Option<u32>,
}

/// Processes waiting work of one kind, as much as one invocation may. Two sweeps of the same kind
/// at once are safe.
///
/// # Errors
/// Fails if the database can't be read or written; a single item that fails is recorded and left
/// for the next sweep.
pub async fn sweep(ports: &impl SettlementPorts, jobs: &impl Jobs, kind: Swept) -> Result<Outcome> {
    let mut findings = Vec::new();
    let swept = match kind {
        Swept::Events => sweep_events(ports, &mut findings).await,
        Swept::Orders => due_orders::sweep(ports, jobs, &mut findings).await,
    };
    if !findings.is_empty() {
        let forget_before = ports.clock().minus_secs(KEPT_SECS);
        ports
            .findings()
            .save_findings(&findings, forget_before)
            .await?;
    }
    Ok(Outcome {
        findings,
        again_in: swept?,
    })
}

async fn sweep_events(
    ports: &impl SettlementPorts,
    findings: &mut Vec<Finding>,
) -> Result<Option<u32>> {
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
