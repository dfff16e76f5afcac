//! [`FindingDeliveries`] in SQL. One statement both takes what is due and sets when it is due
//! again, a longer pause each time. Of two concurrent runs only one gets it, and nothing is lost if
//! a run dies.

use crate::store::sql::{Database, Statement, to_json, to_word};
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use shop::error::Result;
use shop::operations::finding_deliveries::{
    DIGEST_SECS, Digest, FindingDeliveries, GIVE_UP_SECS, MAX_IN_DIGEST, Notice,
};
use shop::operations::sweep::bounds::MAX_PAUSE_SECS;
use shop::orders::findings::{Channel, FindingKind};

/// Maximum age in seconds of a finding that is still delivered, so that a new channel does not
/// begin with a month of findings.
const TOLD_WITHIN_SECS: u32 = 24 * 60 * 60;

/// Milliseconds of a day, by which repeated findings are merged.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Seconds within which a problem must have been found again to count as still stuck; a little more
/// than the longest pause of a sweep.
const STUCK_WITHIN_SECS: u32 = MAX_PAUSE_SECS + 5 * 60;

/// [`FindingDeliveries`] on a database.
#[derive(Debug)]
pub struct FindingDeliveriesD1<D>(pub D);

impl<D: Database> FindingDeliveries for FindingDeliveriesD1<D> {
    async fn enlist(&self, channel: Channel, now: Timestamp) -> Result<()> {
        Ok(self.0.repeatable_batch(enlist(channel, now)?).await?)
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

fn enlist(channel: Channel, now: Timestamp) -> Result<Vec<Statement>> {
    let of_channel = |sql| -> Result<Statement> {
        Ok(Statement::new(sql)
            .bind(to_word(&channel)?)
            .bind(now)
            .bind(now.plus_secs(GIVE_UP_SECS)))
    };
    Ok(vec![
        of_channel(ENLIST)?.bind(now.minus_secs(TOLD_WITHIN_SECS)),
        of_channel(ENLIST_STUCK)?
            .bind(now.minus_secs(STUCK_WITHIN_SECS))
            .bind(rules_of_the_sweep()?)
            .bind(now.as_millis().div_euclid(DAY_MS)),
        Statement::new(FORGET),
    ])
}

/// Returns the kinds that are delivered only after they repeat, each with the number of
/// repetitions.
fn rules_of_the_sweep() -> Result<String> {
    #[derive(Serialize)]
    struct Rule {
        kind: FindingKind,
        times: u32,
    }
    let rules = FindingKind::OF_THE_SWEEP.into_iter().filter_map(|kind| {
        let times = kind.told_from()?;
        Some(Rule { kind, times })
    });
    to_json(&rules.collect::<Vec<_>>())
}

fn notices(rows: Vec<Row>) -> Vec<Notice> {
    let mut notices: Vec<Notice> = rows.into_iter().filter_map(Row::into_notice).collect();
    notices.sort_by_key(|notice| notice.id);
    notices
}

/// IDs follow the order in which findings are written, so the findings above the last delivered one
/// are those not delivered yet. Problems that are delivered once they are stuck were found earlier,
/// so they don't count as the last delivered one.
const ENLIST: &str = "
INSERT INTO finding_deliveries (finding_id, channel, due_at, give_up_at)
SELECT id, ?1, ?2, ?3 FROM findings
WHERE kind NOT IN ('stuck_checkout', 'unseen_event', 'undone_tasks', 'overdue_order', 'undelivered_event')
    AND id > COALESCE((
        SELECT finding_id FROM finding_deliveries WHERE channel = ?1 AND NOT EXISTS (
            SELECT 1 FROM findings WHERE id = finding_id
                AND kind IN ('stuck_checkout', 'unseen_event', 'undone_tasks', 'overdue_order', 'undelivered_event')
        )
        ORDER BY finding_id DESC LIMIT 1
    ), 0) AND found_at > ?4 AND closed_at IS NULL
ORDER BY id LIMIT 500
ON CONFLICT DO NOTHING";

/// The first finding of the day stands for all of the same subject, whatever the error was each
/// time, so there is one delivery a day.
const ENLIST_STUCK: &str = "
INSERT INTO finding_deliveries (finding_id, channel, due_at, give_up_at)
SELECT MIN(findings.id), ?1, ?2, ?3 FROM findings JOIN json_each(?5) AS rule ON kind = rule.value ->> 'kind'
WHERE error IS NOT NULL AND kind IN ('unseen_event', 'undone_tasks', 'overdue_order', 'undelivered_event') AND day = ?6
GROUP BY kind, subject HAVING SUM(times) >= rule.value ->> 'times' AND MAX(last_at) > ?4
ON CONFLICT DO NOTHING";

/// Deletes deliveries whose finding is no longer kept. The last delivery stays: it marks how far
/// delivery has come.
const FORGET: &str = "
DELETE FROM finding_deliveries WHERE finding_id < (SELECT MIN(id) FROM findings)
    AND finding_id < (SELECT MAX(finding_id) FROM finding_deliveries AS newer WHERE newer.channel = finding_deliveries.channel)";

/// Returns the content of a notice with each row, in the words of its finding.
macro_rules! returning_notices {
    () => {
        "
RETURNING finding_id AS id, digest, (
    SELECT json_object('kind', kind, 'subject', subject, 'found_at', found_at, 'number', (SELECT number FROM orders WHERE id = subject))
    FROM findings WHERE id = finding_id
) AS finding"
    };
}

/// Schedules the next attempt after a minute, then after twice as long each time, up to an hour.
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

/// Begins a digest, unless an earlier one has not been sent yet.
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
    /// Returns the notice; `None` means its finding is no longer kept.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::orders::findings;
    use crate::store::orders::sqlite::{database, values};
    use rusqlite::{Connection, params_from_iter};
    use shop::orders::findings::Finding;

    const NOON: Timestamp = Timestamp::from_millis(20_000 * DAY_MS + DAY_MS / 2);

    /// Kinds of findings that staff are notified of at once.
    const AT_ONCE: [FindingKind; 10] = [
        FindingKind::RefundFailed,
        FindingKind::PaymentReview,
        FindingKind::DisputeOpened,
        FindingKind::DisputeLost,
        FindingKind::DeadLetter,
        FindingKind::Storage,
        FindingKind::ProviderBreaker,
        FindingKind::StrayPayment,
        FindingKind::LetterFailed,
        FindingKind::BalanceDiffers,
    ];

    fn run(database: &Connection, statement: &Statement) {
        let parameters = params_from_iter(values(statement));
        database.execute(statement.sql, parameters).unwrap();
    }

    fn find(database: &Connection, kind: FindingKind, error: Option<&str>, at: Timestamp) {
        let finding = Finding {
            kind,
            subject: format!("{kind:?}"),
            error: error.map(str::to_owned),
            found_at: at,
        };
        run(database, &findings::save_one(&finding).unwrap());
    }

    /// Returns the lines delivered about the subjects found, in the order of their rows.
    fn told(database: &Connection, now: Timestamp) -> Vec<String> {
        for statement in enlist(Channel::Mail, now).unwrap() {
            run(database, &statement);
        }
        let sql =
            "SELECT subject FROM finding_deliveries JOIN findings ON id = finding_id ORDER BY id";
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn named(kinds: &[FindingKind]) -> Vec<String> {
        kinds.iter().map(|kind| format!("{kind:?}")).collect()
    }

    #[test]
    fn a_kind_is_told_once_it_was_found_often_enough() {
        let kinds = [&AT_ONCE[..], &FindingKind::OF_THE_SWEEP].concat();
        let database = database();
        for times in 1..=6 {
            for kind in &kinds {
                find(&database, *kind, Some("it fails"), NOON);
            }
            let due = |kind: &FindingKind| kind.told_from().is_some_and(|from| from <= times);
            let expected: Vec<FindingKind> = kinds.iter().copied().filter(due).collect();
            assert_eq!(told(&database, NOON), named(&expected), "{times} times");
        }
    }

    #[test]
    fn what_the_sweep_finished_is_not_told() {
        let database = database();
        for kind in FindingKind::OF_THE_SWEEP {
            for _ in 0..10 {
                find(&database, kind, None, NOON);
            }
        }
        find(&database, FindingKind::UndoneTasks, Some("it fails"), NOON);
        assert!(told(&database, NOON).is_empty());
        for _ in 0..10 {
            find(&database, FindingKind::UndoneTasks, Some("it fails"), NOON);
        }
        let later = NOON.plus_secs(STUCK_WITHIN_SECS);
        assert!(told(&database, later).is_empty(), "it was not found again");
    }

    #[test]
    fn what_stays_stuck_is_told_once_a_day_whatever_its_error_is() {
        let database = database();
        for nth in 0..20 {
            find(
                &database,
                FindingKind::UndoneTasks,
                Some(&format!("error {nth}")),
                NOON,
            );
            let times = told(&database, NOON).len();
            assert_eq!(times, usize::from(nth >= 4), "{nth}");
        }
    }

    #[test]
    fn what_is_stuck_hides_nothing_that_was_found_before_or_comes_after() {
        let database = database();
        for _ in 0..5 {
            find(&database, FindingKind::UndoneTasks, Some("it fails"), NOON);
        }
        assert_eq!(told(&database, NOON).len(), 1);
        database
            .execute_batch(
                "UPDATE findings SET id = 100; UPDATE finding_deliveries SET finding_id = 100;",
            )
            .unwrap();
        let earlier = "INSERT INTO findings (id, kind, subject, error, found_at) VALUES (50, 'refund_failed', 'RefundFailed', 'e', ?1)";
        database.execute(earlier, [NOON.as_millis()]).unwrap();
        assert_eq!(told(&database, NOON), ["RefundFailed", "UndoneTasks"]);
        find(&database, FindingKind::Storage, Some("it fills"), NOON);
        assert_eq!(told(&database, NOON).len(), 3);
    }

    #[test]
    fn every_minute_reads_no_more_than_what_is_new() {
        let database = database();
        for (statement, index) in enlist(Channel::Mail, NOON)
            .unwrap()
            .iter()
            .zip(["findings_for_staff", "findings_left_undone"])
        {
            let sql = format!("EXPLAIN QUERY PLAN {}", statement.sql);
            let mut prepared = database.prepare(&sql).unwrap();
            let parameters = params_from_iter(values(statement));
            let plan = prepared.query_map(parameters, |row| row.get("detail"));
            let plan: Vec<String> = plan.unwrap().map(Result::unwrap).collect();
            assert!(plan.iter().any(|step| step.contains(index)), "{plan:#?}");
            assert!(
                !plan.iter().any(|step| step == "SCAN findings"),
                "{plan:#?}"
            );
        }
    }
}
