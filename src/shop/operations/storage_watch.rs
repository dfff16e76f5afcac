//! Daily check of the database size and the dead letters.

use crate::error::Result;
use crate::operations::dead_letters::{DeadLetters, LetterStatus};
use crate::orders::findings::{Finding, FindingKind, FindingRecord, KEPT_SECS};
use crate::settlement::reconciliation::record::Jobs;
use durable::Timestamp;

const JOB: &str = "storage_watch";

const DAY_SECS: u32 = 24 * 60 * 60;

/// Seconds after which an unfinished run counts as lost.
const LOST_SECS: u32 = 10 * 60;

/// Size in bytes from which staff are notified: 70 % of D1's limit.
const TOLD_BYTES: i64 = 7_000_000_000;

const BYTES_OF_MB: i64 = 1_000_000;

/// Reports to staff the size of the database, if it is large, and the number of waiting dead
/// letters; `size` returns the size in bytes.
///
/// # Errors
/// Fails if the database can't be read or written; the check is repeated once the run counts as
/// lost.
pub async fn watch_storage(
    findings: &impl FindingRecord,
    letters: &impl DeadLetters,
    jobs: &impl Jobs,
    size: impl AsyncFnOnce() -> Result<i64>,
    now: Timestamp,
) -> Result<()> {
    let lost_at = now.plus_secs(LOST_SECS);
    if jobs.take_turn::<()>(JOB, lost_at, now).await?.is_none() {
        return Ok(());
    }
    let mut found = Vec::from_iter(told_of_size(size().await?, now));
    found.extend(told_of_letters(
        letters.count(LetterStatus::Dead).await?,
        now,
    ));
    if !found.is_empty() {
        let forget_before = now.minus_secs(KEPT_SECS);
        findings.save_findings(&found, forget_before).await?;
    }
    jobs.end_turn(JOB, lost_at, &(), now.plus_secs(DAY_SECS))
        .await?;
    Ok(())
}

fn told_of_size(bytes: i64, now: Timestamp) -> Option<Finding> {
    let megabytes = bytes.div_euclid(BYTES_OF_MB);
    let error = format!("it holds {megabytes} MB of at most 10,000");
    (bytes > TOLD_BYTES).then(|| Finding::for_staff(FindingKind::Storage, "database", error, now))
}

fn told_of_letters(waiting: u32, now: Timestamp) -> Option<Finding> {
    let error = format!("{waiting} dead letters are waiting: replay or discard them");
    (waiting > 0).then(|| Finding::for_staff(FindingKind::DeadLetter, "all queues", error, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    #[test]
    fn a_database_is_told_of_beyond_seven_tenths() {
        assert_eq!(told_of_size(7_000_000_000, NOW), None);
        let told = told_of_size(7_000_000_001, NOW).unwrap();
        assert_eq!(told.kind, FindingKind::Storage);
        assert_eq!(told.error.unwrap(), "it holds 7000 MB of at most 10,000");
    }

    #[test]
    fn letters_are_told_of_while_they_wait() {
        assert_eq!(told_of_letters(0, NOW), None);
        let told = told_of_letters(3, NOW).unwrap();
        assert!(told.error.unwrap().starts_with("3 dead letters"));
    }
}
