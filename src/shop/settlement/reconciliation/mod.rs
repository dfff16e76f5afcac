//! Reconciliation with the provider. Events that could not be delivered are fetched and processed.
//! Once a day, the provider's fees are booked and the ledger is compared with the balance
//! transactions at the provider. What can't be resolved becomes a finding for staff.
//!
//! The provider's lists may be long. A run reads a limited number of pages; progress is saved, and
//! the next run continues from there. Reading a page again changes nothing.

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

/// Maximum pages read in one run: several times what a busy shop receives in a minute. Each page
/// also costs two requests to the database or a queue.
const PAGES_AT_ONCE: u32 = 60;

/// Seconds after which an unfinished run counts as lost.
const LOST_SECS: u32 = 10 * 60;

/// Runs `job` if it is due. `work` advances its progress, adds findings, and returns the time at
/// which the job is next due. After a failure of the provider it is due at once; after a failure of
/// the database, once the run counts as lost. Findings are saved before the progress, so that a run
/// that dies in between finds them again. The exception is events received in the meantime, which
/// are processed without a finding.
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

/// Result of reading a page.
enum Read<T> {
    /// The page.
    Page(Page<T>),
    /// The provider no longer knows the cursor; start again from the first page.
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
