//! Finishes what a crash or an outage left, once a minute: nothing stays half done for longer than
//! [`BOUND_SECS`](bounds::BOUND_SECS) once every part answers again. Each kind is swept by itself,
//! a page at a time, and what is taken is nobody else's for a while, so that one that always fails
//! holds up no other, and two sweeps at once never work on the same. Every finding is kept for
//! staff.

pub mod bounds;
mod due_orders;

use crate::error::{Error, Result};
use crate::operations::sweep::bounds::{STUCK_SECS, count_of, found};
use crate::orders::findings::{Finding, FindingKind, FindingRecord, KEPT_SECS};
use crate::payments::Inbox;
use crate::settlement::ports::SettlementPorts;
use crate::settlement::reconciliation::record::Jobs;

/// Queue of the jobs of each minute.
pub const JOBS_QUEUE: &str = "jobs";

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

/// Takes up what waits of one kind, as much as one invocation may. Sweeping a kind twice at once is
/// safe.
///
/// # Errors
/// When the database can't be read or written; a single finding that fails is noted and left for
/// the next sweep.
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
