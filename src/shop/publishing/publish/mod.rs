//! Publishing the record as one immutable version, rolling back to an earlier one, and deleting old
//! ones.
//!
//! A publish proceeds in steps. Each stays within the limits of one request and can safely be
//! repeated if another request stopped: the documents of the products with their price rows, a
//! hundred at a time; then directories and lists; then the switch, first in the database, for
//! orders, then of the pointer that shoppers follow. Nothing is visible before the switch, and a
//! publish that can't finish is abandoned without a trace. Documents are named by their content and
//! by the publish that first wrote them: unchanged documents are not written again, and a deletion
//! can never remove a later document.

pub mod record;
pub mod steps;

use crate::codes::Code;
use crate::error::{Error, Result};
use crate::publishing::publish::record::{
    CatalogCopy, Pointer, Publish, PublishQueue, PublishRecord, PublishState,
};
use crate::publishing::publish::steps::{advance, follow, get_publish};
use crate::values::written::Written;
use durable::Timestamp;

/// Queue that continues publishes; its messages are their sequence numbers.
pub const PUBLISHES_QUEUE: &str = "catalog-publishes";

/// Number of consecutive failures after which a publish is abandoned.
const MAX_FAILURES: u32 = 8;

/// Seconds without progress after which a publish is resumed.
const STUCK_SECS: u32 = 60;

/// Seconds for which a version is kept after it was last shown, for cursors, carts and rollbacks.
pub const KEPT_SECS: u32 = 48 * 60 * 60;

/// Maximum number of documents deleted by one sweep.
const DELETIONS_A_SWEEP: u32 = 500;

/// Begins a publish and advances it as far as one request may; the queue does the rest. Joins a
/// publish that is in progress, or that has just ended without any change in between.
///
/// # Errors
/// A failure of the store; the versions that shoppers and orders see are unchanged, and another
/// call continues.
pub async fn publish_catalog(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    queue: &impl PublishQueue,
    now: Timestamp,
) -> Result<Publish> {
    let begun = record.begin_publish(now).await?;
    let publish = record
        .last_publish()
        .await?
        .ok_or_else(|| Error::internal("there is no publish"))?;
    if begun == Written::Lost && !publish.is_left_alone(now) {
        return Ok(publish);
    }
    continue_publish(record, copy, queue, publish.seq, now).await
}

/// Advances publish `seq` as far as one request may, and asks the queue for the rest. Running it
/// twice at once is safe: a step that does not find the publish where it began has no effect.
///
/// # Errors
/// A failure of the store; another call continues. After [`MAX_FAILURES`] in a row the publish is
/// abandoned.
pub async fn continue_publish(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    queue: &impl PublishQueue,
    seq: i64,
    now: Timestamp,
) -> Result<Publish> {
    match advance(record, copy, queue, seq, now).await {
        Err(error) if record.publish_failed(seq, &error.to_string()).await? >= MAX_FAILURES => {
            record.abandon_publish(seq, &error.to_string(), now).await?;
            get_publish(record, seq).await
        }
        outcome => outcome,
    }
}

/// Abandons the publish, if it is in progress.
///
/// # Errors
/// 404; 409 `publish_ended`.
pub async fn cancel_publish(
    record: &impl PublishRecord,
    seq: i64,
    now: Timestamp,
) -> Result<Publish> {
    if get_publish(record, seq).await?.state == PublishState::Running {
        record
            .abandon_publish(seq, "cancelled by staff", now)
            .await?;
        return get_publish(record, seq).await;
    }
    Err(Error::conflict(
        Code::PublishEnded,
        "This publish has already ended.",
        serde_json::json!({}),
    ))
}

/// Shows an earlier version to shoppers again, and prices orders from it: the version of publish
/// `seq`, or the previous one.
///
/// # Errors
/// 404 `not_found` if there is no such publish; 409 `already_shown`; 409 `version_not_kept` if it
/// made no version or the version was deleted; 409 `not_now` during a publish or within a second of
/// another switch.
pub async fn rollback_catalog(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    seq: Option<i64>,
    now: Timestamp,
) -> Result<Publish> {
    let current = record.current_publish().await?;
    let seq = seq
        .or_else(|| current.and_then(|current| current.previous))
        .ok_or(Error::NotFound("earlier version"))?;
    if current.is_some_and(|current| current.seq == seq) {
        // If a crash came between the switch and its pointer, shoppers do not see the current
        // version yet.
        follow(record, copy).await?;
    }
    check_shown_again(&get_publish(record, seq).await?, current)?;
    if record.switch_back(seq, now).await? == Written::Lost {
        return Err(Error::conflict(
            Code::NotNow,
            "A publish is in progress, or the version was switched less than a second ago. Try again in a moment.",
            serde_json::json!({"retry_after_secs": 1}),
        ));
    }
    follow(record, copy).await?;
    get_publish(record, seq).await
}

/// Resumes a publish that has stopped, begins one if the period of a scheduled price has begun or
/// ended, repairs a pointer left behind by a crash, and deletes what is no longer kept.
///
/// # Errors
/// A failure of the store; the next sweep continues.
pub async fn sweep_catalog(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    queue: &impl PublishQueue,
    now: Timestamp,
) -> Result<()> {
    if let Some(running) = record.last_publish().await?
        && running.state == PublishState::Running
        && running.moved_at < now.minus_secs(STUCK_SECS)
    {
        queue.enqueue_publish(running.seq, 0).await?;
    }
    if record.is_price_due(now).await? {
        publish_catalog(record, copy, queue, now).await?;
    }
    follow(record, copy).await?;
    record.condemn_documents(now.minus_secs(KEPT_SECS)).await?;
    let keys = record.condemned_documents(DELETIONS_A_SWEEP).await?;
    if !keys.is_empty() {
        copy.delete_documents(&keys).await?;
        record.documents_deleted(&keys).await?;
    }
    Ok(())
}

fn check_shown_again(publish: &Publish, current: Option<Pointer>) -> Result<()> {
    let refused = |code, detail| Err(Error::conflict(code, detail, serde_json::json!({})));
    if current.is_some_and(|current| current.seq == publish.seq) {
        return refused(Code::AlreadyShown, "This version is already live.");
    }
    match publish.state {
        PublishState::Done if publish.collected => refused(
            Code::VersionNotKept,
            "This version has not been live for two days and is no longer kept.",
        ),
        PublishState::Done => Ok(()),
        _ => refused(
            Code::VersionNotKept,
            "This publish did not produce a version.",
        ),
    }
}

#[cfg(test)]
mod tests;
