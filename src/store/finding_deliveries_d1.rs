//! [`FindingDeliveries`] in SQL. One statement hands out what is due and makes it due again, later each time, so that of two runs at
//! once one has it, and of a run that dies nothing is lost.

use crate::error::Result;
use crate::shop::finding_deliveries::{
    DIGEST_SECS, Digest, FindingDeliveries, GIVE_UP_SECS, MAX_IN_DIGEST, Notice,
};
use crate::shop::findings::Channel;
use crate::store::sql::{Database, Statement, to_json, to_word};
use durable::Timestamp;
use serde::Deserialize;

/// Seconds that a finding may be old to be told: a channel that is set up later does not begin with a month of them.
const TOLD_WITHIN_SECS: u32 = 24 * 60 * 60;

/// [`FindingDeliveries`] on a database.
#[derive(Debug)]
pub struct FindingDeliveriesD1<D>(pub D);

impl<D: Database> FindingDeliveries for FindingDeliveriesD1<D> {
    async fn enlist(&self, channel: Channel, now: Timestamp) -> Result<()> {
        let enlist = Statement::new(ENLIST)
            .bind(to_word(&channel)?)
            .bind(now)
            .bind(now.plus_secs(GIVE_UP_SECS))
            .bind(now.minus_secs(TOLD_WITHIN_SECS));
        let forget = Statement::new(FORGET);
        Ok(self.0.repeatable_batch(vec![enlist, forget]).await?)
    }

    async fn take_due(&self, limit: u32, now: Timestamp) -> Result<Vec<Notice>> {
        let statement = Statement::new(TAKE_DUE).bind(now).bind(limit);
        let rows: Vec<Row> = self.0.query(statement).await?;
        Ok(notices(rows))
    }

    async fn take_digest(&self, now: Timestamp) -> Result<Option<Digest>> {
        let begin = Statement::new(BEGIN_DIGEST)
            .bind(now)
            .bind(now.minus_secs(DIGEST_SECS))
            .bind(MAX_IN_DIGEST)
            .bind(now.plus_secs(GIVE_UP_SECS));
        let take = Statement::new(TAKE_DIGEST).bind(now);
        let rows: Vec<Row> = self.0.batch_then_query(vec![begin], take).await?;
        let begun_at = rows.first().and_then(|row| row.digest);
        Ok(begun_at.map(|begun_at| Digest {
            begun_at: Timestamp::from_millis(begun_at),
            notices: notices(rows),
        }))
    }

    async fn delivered(&self, channel: Channel, ids: &[i64], now: Timestamp) -> Result<()> {
        let statement = Statement::new(DELIVERED)
            .bind(to_word(&channel)?)
            .bind(to_json(&ids)?)
            .bind(now);
        Ok(self.0.repeatable_batch(vec![statement]).await?)
    }

    async fn failed(
        &self,
        channel: Channel,
        ids: &[i64],
        error: &str,
        now: Timestamp,
    ) -> Result<()> {
        let statement = Statement::new(FAILED)
            .bind(to_word(&channel)?)
            .bind(to_json(&ids)?)
            .bind(now)
            .bind(error);
        Ok(self.0.repeatable_batch(vec![statement]).await?)
    }
}

fn notices(rows: Vec<Row>) -> Vec<Notice> {
    let mut notices: Vec<Notice> = rows.into_iter().filter_map(Row::into_notice).collect();
    notices.sort_by_key(|notice| notice.id);
    notices
}

/// Ids count up in the order in which findings are written, so that those above the last one told are those that were not.
const ENLIST: &str = "
INSERT INTO finding_deliveries (finding_id, channel, due_at, give_up_at)
SELECT id, ?1, ?2, ?3 FROM findings
WHERE kind NOT IN ('stuck_checkout', 'unseen_event', 'undone_tasks', 'overdue_order', 'undelivered_event')
    AND id > COALESCE((SELECT MAX(finding_id) FROM finding_deliveries WHERE channel = ?1), 0) AND found_at > ?4
ORDER BY id LIMIT 500
ON CONFLICT DO NOTHING";

/// A finding that is no longer kept needs none; the last one stays, as the mark of what was told.
const FORGET: &str = "
DELETE FROM finding_deliveries WHERE finding_id < (SELECT MIN(id) FROM findings)
    AND finding_id < (SELECT MAX(finding_id) FROM finding_deliveries AS newer WHERE newer.channel = finding_deliveries.channel)";

/// What a row tells, in the words of its finding.
macro_rules! returning_notices {
    () => {
        "
RETURNING finding_id AS id, digest, (
    SELECT json_object('kind', kind, 'subject', subject, 'found_at', found_at, 'number', (SELECT number FROM orders WHERE id = subject))
    FROM findings WHERE id = finding_id
) AS finding"
    };
}

/// Due again after a minute, then after twice as long each time, to an hour.
macro_rules! due_again {
    () => {
        "
UPDATE finding_deliveries SET attempts = attempts + 1, due_at = ?1 + 60000 * MIN(60, 1 << MIN(attempts, 6))"
    };
}

const TAKE_DUE: &str = concat!(
    due_again!(),
    "
WHERE channel = 'webhook' AND finding_id IN (
    SELECT finding_id FROM finding_deliveries WHERE channel = 'webhook' AND due_at <= ?1 ORDER BY due_at, finding_id LIMIT ?2
)",
    returning_notices!()
);

/// Not while one that was begun is not sent.
const BEGIN_DIGEST: &str = "
UPDATE finding_deliveries SET digest = ?1, due_at = ?1, give_up_at = ?4
WHERE channel = 'mail' AND finding_id IN (
    SELECT finding_id FROM finding_deliveries WHERE channel = 'mail' AND due_at IS NOT NULL AND digest IS NULL AND NOT EXISTS (
        SELECT 1 FROM finding_deliveries WHERE channel = 'mail' AND (digest > ?2 OR (digest IS NOT NULL AND due_at IS NOT NULL))
    )
    ORDER BY finding_id LIMIT ?3
)";

const TAKE_DIGEST: &str = concat!(
    due_again!(),
    "
WHERE channel = 'mail' AND digest = (SELECT MIN(digest) FROM finding_deliveries WHERE channel = 'mail' AND digest IS NOT NULL AND due_at <= ?1)",
    returning_notices!()
);

const DELIVERED: &str = "
UPDATE finding_deliveries SET delivered_at = ?3, due_at = NULL
WHERE channel = ?1 AND finding_id IN (SELECT value FROM json_each(?2)) AND delivered_at IS NULL";

const FAILED: &str = "
UPDATE finding_deliveries SET last_error = ?4, due_at = iif(?3 >= give_up_at, NULL, due_at), failed_at = iif(?3 >= give_up_at, ?3, NULL)
WHERE channel = ?1 AND finding_id IN (SELECT value FROM json_each(?2)) AND delivered_at IS NULL";

#[derive(Deserialize)]
struct Row {
    id: i64,
    digest: Option<i64>,
    finding: Option<String>,
}

#[derive(Deserialize)]
struct Told {
    kind: String,
    subject: String,
    found_at: i64,
    number: Option<i64>,
}

impl Row {
    /// None for a finding that is no longer kept.
    fn into_notice(self) -> Option<Notice> {
        let told: Told = durable::json::read(&self.finding?).ok()?;
        Some(Notice {
            id: self.id,
            kind: told.kind,
            subject: told.subject,
            order_number: told.number,
            found_at: Timestamp::from_millis(told.found_at),
        })
    }
}
