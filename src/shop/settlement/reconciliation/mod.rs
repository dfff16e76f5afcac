//! What the provider knows and the shop may have missed: events that could not be delivered are
//! fetched and dealt with, and once a day what the provider kept for itself is booked, and the
//! ledger compared with the movements of the balance at the provider. What can't be healed is kept
//! for staff.
//!
//! What the provider lists may be long. It is read a page at a time, so many a run; how far a job
//! has come is kept, and the next run goes on from there. Reading a page again changes nothing.

pub mod balance;
pub mod record;
pub mod undelivered;

use crate::error::Result;
use crate::orders::findings::{Finding, FindingRecord, KEPT_SECS};
use crate::payments::{Page, PaymentError};
use crate::settlement::ports::SettlementPorts;
use crate::settlement::reconciliation::record::Jobs;
use durable::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Pages that a job reads in one run: several times what comes in by the minute in a busy shop.
/// Each costs two requests to the database or a queue besides.
const PAGES_AT_ONCE: u32 = 60;

/// Seconds after which a run that was never heard of again counts as lost.
const LOST_SECS: u32 = 10 * 60;

/// Gives `job` its turn, if it is due: `work` takes its progress further, tells what it finds, and
/// when the job is due again; after a failure of the provider it is due at once, after one of the
/// database once it counts as lost. What was found is kept before how far the job has come: who
/// dies between the two finds it again, but for events that were received meanwhile, which heal
/// without being told.
async fn in_turn<P: DeserializeOwned + Default + Serialize>(
    ports: &impl SettlementPorts,
    jobs: &impl Jobs,
    job: &str,
    now: Timestamp,
    work: impl AsyncFnOnce(&mut P, &mut Vec<Finding>) -> Result<Timestamp>,
) -> Result<Vec<Finding>> {
    let lost_at = now.plus_secs(LOST_SECS);
    let Some(mut progress) = jobs.take_turn::<P>(job, lost_at, now).await? else {
        return Ok(vec![]);
    };
    let mut findings = vec![];
    let worked = work(&mut progress, &mut findings).await;
    if !findings.is_empty() {
        let forget_before = now.minus_secs(KEPT_SECS);
        ports
            .findings()
            .save_findings(&findings, forget_before)
            .await?;
    }
    let due_at = worked.as_ref().map_or(now, |due_at| *due_at);
    jobs.end_turn(job, lost_at, &progress, due_at).await?;
    worked.map(|_| findings)
}

/// How reading a page went.
enum Read<T> {
    /// This is on it.
    Page(Page<T>),
    /// The provider no longer knows where it begins: from the first page again.
    Lost,
    /// Enough for one run.
    Enough,
}

fn read<T>(page: Result<Page<T>, PaymentError>, after: Option<&str>) -> Result<Read<T>> {
    match page {
        Ok(page) => Ok(Read::Page(page)),
        Err(PaymentError::Refused(_)) if after.is_some() => Ok(Read::Lost),
        Err(PaymentError::TooMuch(_)) => Ok(Read::Enough),
        Err(error) => Err(error.into_error()),
    }
}
