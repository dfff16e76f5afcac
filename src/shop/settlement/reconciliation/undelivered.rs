//! Events that the provider could not deliver.

use crate::error::Result;
use crate::orders::findings::{Finding, FindingKind};
use crate::payments::inbox::Inbox;
use crate::payments::provider::ProviderId;
use crate::payments::{EventSubject, Payments, WebhookEvent};
use crate::settlement::ports::SettlementPorts;
use crate::settlement::reconciliation::record::Jobs;
use crate::settlement::reconciliation::{PAGES_AT_ONCE, Read, in_turn, read};
use durable::Timestamp;
use serde::{Deserialize, Serialize};

const JOB: &str = "undelivered events";

/// Seconds between two scans.
const EVERY_SECS: u32 = 10 * 60;

/// Seconds that the first scan goes back: as long as the provider keeps events.
const KEPT_SECS: u32 = 30 * 24 * 60 * 60;

/// Seconds by which a scan overlaps the previous one, to allow for differing clocks.
const OVERLAP_SECS: u32 = 60 * 60;

/// Progress of the scans. An event is listed from its creation until it is delivered, so events
/// older than the start of a complete scan need not be scanned again.
#[derive(Default, Serialize, Deserialize)]
struct Progress {
    /// Time before which all events have been seen.
    seen_until: Option<Timestamp>,
    /// Start of the current scan. `None` means no scan is in progress.
    began_at: Option<Timestamp>,
    /// Cursor of the next page.
    after: Option<String>,
}

/// Receives events that `provider` could not deliver and that are not stored yet, as if they had
/// been delivered.
///
/// # Errors
/// The first failure of the provider or the database.
pub async fn heal_undelivered(
    ports: &impl SettlementPorts,
    jobs: &impl Jobs,
    provider: ProviderId,
    now: Timestamp,
) -> Result<Vec<Finding>> {
    let job = provider.key_of(JOB);
    in_turn(ports, jobs, &job, now, async |progress, findings| {
        look(ports, provider, progress, findings, now).await?;
        Ok(match progress.began_at {
            None => now.plus_secs(EVERY_SECS),
            Some(_) => now,
        })
    })
    .await
}

async fn look(
    ports: &impl SettlementPorts,
    provider: ProviderId,
    progress: &mut Progress,
    findings: &mut Vec<Finding>,
    now: Timestamp,
) -> Result<()> {
    let since = progress
        .seen_until
        .map_or(now.minus_secs(KEPT_SECS), |it| it.minus_secs(OVERLAP_SECS));
    let began_at = *progress.began_at.get_or_insert(now);
    let payments = ports.payments(provider)?;
    for _ in 0..PAGES_AT_ONCE {
        let after = progress.after.as_deref();
        let page = payments.undelivered_events(since, after).await;
        match read(page, after)? {
            Read::Page(page) => {
                take_in(ports, &payments, &page.items, findings, now).await?;
                progress.after = page.next;
            }
            Read::Lost => {
                progress.after = None;
                return Ok(());
            }
            Read::Enough => return Ok(()),
        }
        if progress.after.is_none() {
            *progress = Progress {
                seen_until: Some(began_at),
                ..Progress::default()
            };
            return Ok(());
        }
    }
    Ok(())
}

async fn take_in(
    ports: &impl SettlementPorts,
    payments: &impl Payments,
    events: &[WebhookEvent],
    findings: &mut Vec<Finding>,
    now: Timestamp,
) -> Result<()> {
    let inbox = ports.inbox();
    let matters = |event: &&WebhookEvent| {
        !matches!(payments.read_event(&event.payload), Ok(EventSubject::Other))
    };
    let events: Vec<WebhookEvent> = events.iter().filter(matters).cloned().collect();
    let fresh = inbox.receive_all(&events, now).await?;
    if fresh.is_empty() {
        return Ok(());
    }
    let queued = inbox.enqueue_all(&fresh).await;
    let error = queued.err().map(|error| error.to_string());
    findings.extend(fresh.into_iter().map(|event_key| Finding {
        kind: FindingKind::UndeliveredEvent,
        subject: event_key,
        error: error.clone(),
        found_at: now,
    }));
    Ok(())
}
