//! The jobs of each minute. The cron trigger hands out each job as a message of its own, so that
//! each has its own invocation, limits and failures. A job that has more to do than fits into one
//! invocation sends the next message itself.
//!
//! A message may be lost, repeated or late. The message of the next minute takes its place, and a
//! row guards whatever must not run twice at once. So a failed message is logged and not retried,
//! and messages that waited while the queue stood still are dropped.

use crate::app::App;
use crate::web::http::log::{log_event, log_failure};
use crate::web::jobs::findings::tell_staff;
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shop::checkout::ports::CheckoutPorts;
use shop::checkout::quoting::forget_quotes;
use shop::error::{Error, Result};
use shop::messages::mail::queue_unsent_letters;
use shop::operations::dead_letters::MessageQueues;
use shop::operations::retention::purge;
use shop::operations::sweep::{JOBS_QUEUE, Swept, sweep};
use shop::orders::findings::Finding;
use shop::publishing::publish::sweep_catalog;
use shop::settlement::ports::SettlementPorts;
use shop::settlement::reconciliation::balance::compare_balance;
use shop::settlement::reconciliation::undelivered::heal_undelivered;
use shop::values::clock::Clock;

/// Seconds after which a message is too old, because others have followed it.
const STALE_SECS: u32 = 120;

/// A message that asks for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedJob {
    kind: Job,
    /// Instant at which the job should begin; `None` in messages of earlier versions.
    #[serde(default)]
    at: Option<Timestamp>,
}

/// A job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Interrupted publishes, scheduled prices that are due, and documents that are no longer
    /// needed.
    Catalog,
    /// Events that no consumer has processed.
    Events,
    /// Orders with pending tasks, and orders whose payment has to be checked.
    Orders,
    /// Deletion of rows whose retention time is over.
    Retention,
    /// Quotes that no order was placed with.
    Quotes,
    /// Emails that were not sent.
    Letters,
    /// Events that the provider could not deliver.
    Undelivered,
    /// Reconciliation of the ledger with the provider's balance.
    Balance,
    /// Findings that staff have not been notified of.
    Findings,
}

const ALL: [Job; 9] = [
    Job::Catalog,
    Job::Events,
    Job::Orders,
    Job::Retention,
    Job::Quotes,
    Job::Letters,
    Job::Undelivered,
    Job::Balance,
    Job::Findings,
];

/// Hands out every job.
///
/// # Errors
/// Fails if the queue rejects them.
pub async fn hand_out(app: &App) -> Result<()> {
    let body = |job| body_of(job, app.now);
    let bodies: Vec<String> = ALL.into_iter().map(body).collect::<Result<_>>()?;
    app.queues().send_all(JOBS_QUEUE, &bodies).await?;
    log_event("jobs_handed_out", &json!(ALL.map(name_of)));
    Ok(())
}

/// Reads the job in a message.
///
/// # Errors
/// Fails if this version doesn't know the job.
pub fn read_job(body: &str) -> Result<AskedJob> {
    durable::json::read(body)
        .map_err(|error| Error::internal(format!("no job that this version knows: {error}")))
}

/// Runs a job, and requests the next run if there is more to do.
pub async fn run_job(app: &App, asked: AskedJob) {
    let job = asked.kind;
    let name = name_of(job);
    if asked.is_stale(app.now) {
        return log_event("job_dropped", &json!({"job": name}));
    }
    match do_job(app, job).await {
        Ok(again_in) => {
            if let Some(delay_secs) = again_in {
                ask_for_the_rest(app, job, delay_secs).await;
            }
            log_event("job_done", &json!({"job": name, "again_in": again_in}));
        }
        Err(error) => log_failure("job_failed", &name, &error),
    }
}

impl AskedJob {
    fn is_stale(self, now: Timestamp) -> bool {
        self.at.is_some_and(|at| at.plus_secs(STALE_SECS) < now)
    }
}

async fn ask_for_the_rest(app: &App, job: Job, delay_secs: u32) {
    let begins_at = app.clock().plus_secs(delay_secs);
    let sent = match body_of(job, begins_at) {
        Ok(body) => app.queues().send_later(JOBS_QUEUE, &body, delay_secs).await,
        Err(error) => Err(error),
    };
    if let Err(error) = sent {
        log_failure("job_not_continued", &name_of(job), &error);
    }
}

/// Returns the seconds until there is more to do, if that is before the next minute.
async fn do_job(app: &App, job: Job) -> Result<Option<u32>> {
    match job {
        Job::Catalog => {
            let (record, copy, queue) = app.publish_ports();
            sweep_catalog(&record, &copy, &queue, app.now).await?;
        }
        Job::Events => return swept(app, Swept::Events).await,
        Job::Orders => return swept(app, Swept::Orders).await,
        Job::Retention => {
            let purged = purge(&app.retention(), app.now).await?;
            if let Some((kind, rows)) = purged.filter(|(_, rows)| *rows > 0) {
                log_event("purged", &json!({"kind": kind, "rows": rows}));
            }
        }
        Job::Quotes => forget_quotes(&app.prices(), app.now).await?,
        Job::Letters => {
            let letters = queue_unsent_letters(&app.mails(), &app.mail(), app.now).await?;
            if letters > 0 {
                log_event("letters_queued_again", &json!(letters));
            }
        }
        Job::Undelivered | Job::Balance => reconcile(app, job).await?,
        Job::Findings => tell_staff(app).await,
    }
    Ok(None)
}

/// Handles each provider separately, so that an outage of one does not hold up the others.
async fn reconcile(app: &App, job: Job) -> Result<()> {
    let (jobs, mut outcome) = (app.jobs(), Ok(()));
    for provider in &app.config.providers {
        let found = match job {
            Job::Balance => compare_balance(app, &jobs, *provider, app.now).await,
            _ => heal_undelivered(app, &jobs, *provider, app.now).await,
        };
        match found {
            Ok(findings) => tell(job, &findings),
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

async fn swept(app: &App, kind: Swept) -> Result<Option<u32>> {
    let outcome = sweep(app, &app.jobs(), kind).await?;
    if !outcome.findings.is_empty() {
        log_event("sweep", &json!(outcome.findings));
    }
    Ok(outcome.again_in)
}

fn tell(job: Job, findings: &[Finding]) {
    if !findings.is_empty() {
        log_event(&name_of(job), &json!(findings));
    }
}

fn body_of(kind: Job, at: Timestamp) -> Result<String> {
    let asked = AskedJob { kind, at: Some(at) };
    serde_json::to_string(&asked).map_err(Error::internal)
}

fn name_of(job: Job) -> String {
    format!("{job:?}").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    #[test]
    fn a_message_names_its_job() {
        for kind in ALL {
            let asked = read_job(&body_of(kind, NOW).unwrap()).unwrap();
            assert_eq!(
                asked,
                AskedJob {
                    kind,
                    at: Some(NOW)
                }
            );
        }
        let body = body_of(Job::Orders, NOW).unwrap();
        assert_eq!(body, r#"{"kind":"orders","at":1795000000000}"#);
        let of_before = read_job(r#"{"kind":"orders","cursor":"later"}"#).unwrap();
        assert_eq!((of_before.kind, of_before.at), (Job::Orders, None));
        assert!(!of_before.is_stale(NOW));
        assert!(read_job(r#"{"kind":"unheard_of"}"#).is_err());
    }

    #[test]
    fn what_waited_while_the_queue_stood_still_is_dropped() {
        let asked = read_job(&body_of(Job::Letters, NOW).unwrap()).unwrap();
        assert!(!asked.is_stale(NOW.plus_secs(STALE_SECS)));
        assert!(asked.is_stale(NOW.plus_secs(STALE_SECS + 1)));
    }
}
