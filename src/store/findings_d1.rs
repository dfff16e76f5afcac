//! The SQL of findings: each is written in the transaction of what it tells of, and counts when it repeats within a day.

use crate::error::Result;
use crate::shop::sweep::Finding;
use crate::store::sql::{Statement, json_chunks, to_json};

/// Writes the findings of `?1`, if the condition holds. A macro, since a statement's text is constant.
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

/// Writes findings.
pub(super) fn save(findings: &[Finding]) -> Result<Vec<Statement>> {
    let chunks = json_chunks(findings)?;
    let save = |chunk| Statement::new(insert_findings!("true")).bind(chunk);
    Ok(chunks.into_iter().map(save).collect())
}

/// Writes one finding.
pub(super) fn save_one(finding: &Finding) -> Result<Statement> {
    let sql = insert_findings!("true");
    Ok(Statement::new(sql).bind(to_json(&[finding])?))
}

/// Writes a finding, unless the dead letter that it tells of is kept already; to stand before the statement that keeps it.
pub(super) fn save_of_new_letter(finding: &Finding, letter_id: &str) -> Result<Statement> {
    let sql = insert_findings!("NOT EXISTS (SELECT 1 FROM dead_letters WHERE id = ?2)");
    Ok(Statement::new(sql)
        .bind(to_json(&[finding])?)
        .bind(letter_id))
}

/// Writes a finding, if the breaker has the version before `version`; to stand before the statement that writes that one.
pub(super) fn save_of_breaker(finding: &Finding, version: i64) -> Result<Statement> {
    let sql = insert_findings!(
        "COALESCE((SELECT version FROM circuit_breakers WHERE name = 'payments'), 0) = ?2 - 1"
    );
    Ok(Statement::new(sql).bind(to_json(&[finding])?).bind(version))
}
