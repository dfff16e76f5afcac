//! The SQL of findings. Each is written in the transaction of the change that it reports, and
//! counts up when it repeats within a day.

use crate::store::sql::{Database, Statement, from_json, from_word, json_chunks, to_json};
use durable::Timestamp;
use serde::Deserialize;
use shop::error::Result;
use shop::orders::findings::{
    Closing, Finding, FindingCount, FindingKind, FindingRecord, FindingStatus, KeptFinding,
};

/// [`FindingRecord`] on a database.
#[derive(Debug)]
pub struct FindingsD1<D>(pub D);

impl<D: Database> FindingRecord for FindingsD1<D> {
    async fn save_findings(&self, findings: &[Finding], forget_before: Timestamp) -> Result<()> {
        let mut batch = vec![Statement::new(FORGET).bind(forget_before)];
        batch.extend(save(findings)?);
        Ok(self.0.batch(batch).await?)
    }

    async fn findings(
        &self,
        status: FindingStatus,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<KeptFinding>> {
        let statement = Statement::new(LIST)
            .bind(before)
            .bind(limit)
            .bind(i64::from(status == FindingStatus::Open));
        let rows: Vec<FindingRow> = self.0.query(statement).await?;
        rows.into_iter().map(FindingRow::into_finding).collect()
    }

    async fn finding_counts(&self) -> Result<Vec<FindingCount>> {
        let rows: Vec<FindingCountRow> = self.0.query(Statement::new(COUNTS)).await?;
        rows.into_iter().map(FindingCountRow::into_count).collect()
    }

    async fn close_finding(&self, id: i64, closing: &Closing) -> Result<Option<KeptFinding>> {
        let close = Statement::new(CLOSE)
            .bind(id)
            .bind(closing.at)
            .bind(closing.by.as_str())
            .bind(closing.note.as_str());
        let read = Statement::new(READ).bind(id);
        let rows: Vec<FindingRow> = self.0.batch_then_query(vec![close], read).await?;
        let row = rows.into_iter().next();
        row.map(FindingRow::into_finding).transpose()
    }
}

/// Selects findings with what staff did about them.
macro_rules! select_findings {
    ($rest:literal) => {
        concat!(
            "
SELECT id, kind, subject, error, found_at, times, COALESCE(last_at, found_at) AS last_at, closed_at, closed_by, closing_note,
    (SELECT json_group_array(channel) FROM finding_deliveries WHERE finding_id = findings.id AND failed_at IS NOT NULL) AS untold
FROM findings ",
            $rest
        )
    };
}

const LIST: &str = select_findings!(
    "WHERE (?1 IS NULL OR id < ?1) AND (closed_at IS NULL AND error IS NOT NULL) = ?3 ORDER BY id DESC LIMIT ?2"
);

const READ: &str = select_findings!("WHERE id = ?1");

const COUNTS: &str = "
SELECT kind, SUM(times) AS found, COALESCE(SUM(times) FILTER (WHERE error IS NOT NULL), 0) AS unfinished FROM findings GROUP BY kind ORDER BY kind";

/// Clears the day, so that the closed finding does not stop another from being opened.
const CLOSE: &str = "
UPDATE findings SET closed_at = ?2, closed_by = ?3, closing_note = ?4, day = NULL WHERE id = ?1 AND closed_at IS NULL";

/// Inserts the findings of `?1` if the condition holds. A macro, because the text of a statement is
/// constant.
macro_rules! insert_findings {
    ($condition:literal) => {
        concat!(
            "
INSERT INTO findings (kind, subject, error, found_at, day, last_at)
SELECT value ->> 'kind', value ->> 'subject', value ->> 'error', value ->> 'found_at', value ->> 'found_at' / 86400000, value ->> 'found_at'
FROM json_each(?1) WHERE ",
            $condition,
            "
ON CONFLICT (kind, subject, COALESCE(error, ''), day) DO UPDATE SET times = times + 1, last_at = excluded.last_at"
        )
    };
}

/// Inserts findings.
pub(in crate::store) fn save(findings: &[Finding]) -> Result<Vec<Statement>> {
    let chunks = json_chunks(findings)?;
    let save = |chunk| Statement::new(insert_findings!("true")).bind(chunk);
    Ok(chunks.into_iter().map(save).collect())
}

/// Inserts one finding.
pub(in crate::store) fn save_one(finding: &Finding) -> Result<Statement> {
    let sql = insert_findings!("true");
    Ok(Statement::new(sql).bind(to_json(&[finding])?))
}

/// Inserts a finding unless the dead letter that it reports already exists. Must come before the
/// statement that inserts the letter.
pub(in crate::store) fn save_of_new_letter(
    finding: &Finding,
    letter_id: &str,
) -> Result<Statement> {
    let sql = insert_findings!("NOT EXISTS (SELECT 1 FROM dead_letters WHERE id = ?2)");
    Ok(Statement::new(sql)
        .bind(to_json(&[finding])?)
        .bind(letter_id))
}

/// Inserts a finding if the breaker is at the version before `version`. Must come before the
/// statement that writes that version.
pub(in crate::store) fn save_of_breaker(finding: &Finding, version: i64) -> Result<Statement> {
    let sql = insert_findings!(
        "COALESCE((SELECT version FROM circuit_breakers WHERE name = ?3), 0) = ?2 - 1"
    );
    Ok(Statement::new(sql)
        .bind(to_json(&[finding])?)
        .bind(version)
        .bind(finding.subject.as_str()))
}

#[derive(Deserialize)]
struct FindingRow {
    id: i64,
    kind: String,
    subject: String,
    error: Option<String>,
    found_at: i64,
    times: u32,
    last_at: i64,
    untold: String,
    closed_at: Option<i64>,
    closed_by: Option<String>,
    closing_note: Option<String>,
}

impl FindingRow {
    fn into_finding(self) -> Result<KeptFinding> {
        let closing = self.closed_at.map(|at| Closing {
            at: Timestamp::from_millis(at),
            by: self.closed_by.unwrap_or_default(),
            note: self.closing_note.unwrap_or_default(),
        });
        Ok(KeptFinding {
            id: self.id,
            finding: Finding {
                kind: from_word::<FindingKind>(&self.kind)?,
                subject: self.subject,
                error: self.error,
                found_at: Timestamp::from_millis(self.found_at),
            },
            times: self.times,
            last_at: Timestamp::from_millis(self.last_at),
            untold: from_json(&self.untold)?,
            closing,
        })
    }
}

#[derive(Deserialize)]
struct FindingCountRow {
    kind: String,
    found: u32,
    unfinished: u32,
}

impl FindingCountRow {
    fn into_count(self) -> Result<FindingCount> {
        Ok(FindingCount {
            kind: from_word::<FindingKind>(&self.kind)?,
            found: self.found,
            unfinished: self.unfinished,
        })
    }
}

const FORGET: &str = "DELETE FROM findings WHERE found_at < ?1";
