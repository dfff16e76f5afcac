//! Publishing the record as one immutable version, switching back to an earlier one, and forgetting
//! old ones.
//!
//! A publish goes step by step, each bounded by what one request may do and begun again safely
//! where another stopped: the documents of the products, a hundred at a time, with their price
//! rows; then directories and lists; then the switch, in the database first, for orders, then of
//! the pointer that shoppers follow. Until the switch nobody sees any of it, and a publish that
//! can't end is given up without a trace. Documents are named by content and by the publish that
//! first wrote them: what has not changed is not written again, and a deletion can never hit a
//! later document.

pub mod record;
pub mod steps;

use crate::error::{Error, Result};
use crate::publishing::publish::record::{
    CatalogCopy, Pointer, Publish, PublishQueue, PublishRecord, PublishState,
};
use crate::publishing::publish::steps::{advance, follow, get_publish};
use crate::values::written::Written;
use durable::Timestamp;

/// The queue that carries publishes on; its messages are their numbers.
pub const PUBLISHES_QUEUE: &str = "catalog-publishes";

/// Failures in a row after which a publish is given up.
const MAX_FAILURES: u32 = 8;

/// Seconds without progress after which a publish is taken up again.
const STUCK_SECS: u32 = 60;

/// Seconds that a version is kept after it was last shown, for cursors, carts and switching back.
pub const KEPT_SECS: u32 = 48 * 60 * 60;

/// Documents that one sweep deletes.
const DELETIONS_A_SWEEP: u32 = 500;

/// Begins a publish and goes as far as one request may; the queue does the rest. Joins one that is
/// under way, or that has just ended: no change of the catalog came in between.
///
/// # Errors
/// A store's failure; what shoppers and orders see stays as it was, and asking again carries on.
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

/// Goes on with publish `seq` as far as one request may, and asks the queue for the rest. Running
/// twice is safe: a step that finds the publish elsewhere than where it began is lost.
///
/// # Errors
/// A store's failure; trying again carries on. After [`MAX_FAILURES`] in a row the publish is given
/// up.
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

/// Gives the publish up, if it is under way.
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
        "publish_ended",
        "This publish has ended already.",
        serde_json::json!({}),
    ))
}

/// Shows shoppers an earlier version again, and prices orders from it: that of publish `seq`, or
/// the one shown before.
///
/// # Errors
/// 404 `not_found` without such a publish; 409 `already_shown`; 409 `version_not_kept` when it made
/// no version, or that is no longer kept; 409 `not_now` while a publish is under way or within a
/// second of another switch.
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
        // Where a crash came between the switch and its pointer, shoppers don't see yet what is
        // called shown.
        follow(record, copy).await?;
    }
    check_shown_again(&get_publish(record, seq).await?, current)?;
    if record.switch_back(seq, now).await? == Written::Lost {
        return Err(Error::conflict(
            "not_now",
            "A publish is under way, or the last switch is less than a second ago.",
            serde_json::json!({"retry_after_secs": 1}),
        ));
    }
    follow(record, copy).await?;
    get_publish(record, seq).await
}

/// Takes up a publish that has stopped, begins one for scheduled prices whose time has begun or
/// ended, mends a pointer that a crash left behind, and deletes what is no longer kept.
///
/// # Errors
/// A store's failure; the next sweep goes on.
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
        return refused("already_shown", "Shoppers see this version already.");
    }
    match publish.state {
        PublishState::Done if publish.collected => refused(
            "version_not_kept",
            "Nobody has been shown this version for two days: it is no longer kept.",
        ),
        PublishState::Done => Ok(()),
        _ => refused("version_not_kept", "This publish made no version."),
    }
}

#[cfg(test)]
mod tests;
