//! [`Mails`] in SQL: one statement claims an email, so that only one of several concurrent attempts
//! sends it.

use crate::store::sql::{Database, Statement, from_word, to_json, to_word};
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use shop::error::Result;
use shop::messages::email::{EmailJob, MailKind};
use shop::messages::mail::{CLAIM_SECS, Claim, KEY_KEPT_SECS, Mails, SENT_WITHIN_SECS};
use shop::orders::findings::{Finding, FindingKind};
use shop::values::ids::OrderId;

/// [`Mails`] on a database.
#[derive(Debug)]
pub struct MailsD1<D>(pub D);

impl<D: Database> Mails for MailsD1<D> {
    async fn claim(&self, letter: &EmailJob, now: Timestamp) -> Result<Claim> {
        let id = letter.id();
        let key_known_since = now.minus_secs(KEY_KEPT_SECS);
        let claim = Statement::new(CLAIM)
            .bind(id.as_str())
            .bind(letter.order_id.as_str())
            .bind(to_word(&letter.kind)?)
            .bind(letter.subject.as_str())
            .bind(to_word(&letter.language)?)
            .bind(now)
            .bind(now.minus_secs(CLAIM_SECS))
            .bind(is_queued_again(letter).then(|| now.plus_secs(SENT_WITHIN_SECS)))
            .bind(key_known_since);
        let claimed: Vec<ClaimRow> = self.0.query(claim).await?;
        if !claimed.is_empty() {
            return Ok(Claim::Yours);
        }
        let look =
            Statement::new("SELECT sent_at, given_up_at, unknown_since FROM mails WHERE id = ?1");
        let rows: Vec<ClaimRow> = self.0.query(look.bind(id)).await?;
        Ok(match rows.first() {
            Some(row) if row.sent_at.is_some() => Claim::Sent,
            Some(row) if row.given_up_at.is_some() => Claim::GivenUp,
            Some(row) if row.is_uncertain(key_known_since) => Claim::Uncertain,
            _ => Claim::Taken,
        })
    }

    async fn sent(&self, mail_id: &str, now: Timestamp) -> Result<()> {
        let statement =
            Statement::new("UPDATE mails SET sent_at = ?2, due_at = NULL WHERE id = ?1");
        let batch = vec![statement.bind(mail_id).bind(now)];
        Ok(self.0.repeatable_batch(batch).await?)
    }

    async fn failed(&self, mail_id: &str, error: &str, certain: bool) -> Result<()> {
        let statement = Statement::new(
            "UPDATE mails SET claimed_at = NULL, last_error = ?2, unknown_since = iif(?3, NULL, unknown_since) WHERE id = ?1",
        );
        let batch = vec![statement.bind(mail_id).bind(error).bind(i64::from(certain))];
        Ok(self.0.repeatable_batch(batch).await?)
    }

    async fn give_up(&self, letter: &EmailJob, reason: &str, now: Timestamp) -> Result<()> {
        let finding = Finding {
            kind: FindingKind::LetterFailed,
            subject: letter.order_id.as_str().to_owned(),
            error: Some(format!("{:?}: {reason}", letter.kind)),
            found_at: now,
        };
        let end = Statement::new(
            "UPDATE mails SET given_up_at = ?2, due_at = NULL, claimed_at = NULL, last_error = ?3
             WHERE id = ?1 AND sent_at IS NULL AND given_up_at IS NULL",
        );
        let tell = Statement::new(
            "INSERT INTO findings (kind, subject, error, found_at)
             SELECT value ->> 'kind', value ->> 'subject', value ->> 'error', value ->> 'found_at' FROM json_each(?1)
             WHERE EXISTS (SELECT 1 FROM mails WHERE id = ?2 AND sent_at IS NULL AND given_up_at IS NULL)",
        );
        let tell = tell.bind(to_json(&[finding])?).bind(letter.id());
        let batch = vec![tell, end.bind(letter.id()).bind(now).bind(reason)];
        Ok(self.0.batch(batch).await?)
    }

    async fn take_due(&self, limit: u32, now: Timestamp) -> Result<Vec<EmailJob>> {
        let statement = Statement::new(TAKE_DUE)
            .bind(now)
            .bind(limit)
            .bind(i64::from(SENT_WITHIN_SECS).saturating_mul(1000));
        let rows: Vec<LetterRow> = self.0.query(statement).await?;
        rows.into_iter().map(LetterRow::into_letter).collect()
    }
}

/// Returns the statements that insert the emails of an event, to be written in the same batch as
/// the record that they were queued.
///
/// # Errors
/// Fails if an email can't be written as JSON.
pub(in crate::store) fn insert_letters(
    letters: &[EmailJob],
    now: Timestamp,
) -> Result<Option<Statement>> {
    #[derive(Serialize)]
    struct Row<'a> {
        id: String,
        #[serde(flatten)]
        letter: &'a EmailJob,
    }
    if letters.is_empty() {
        return Ok(None);
    }
    let row_of = |letter| Row {
        id: EmailJob::id(letter),
        letter,
    };
    let rows: Vec<Row<'_>> = letters.iter().map(row_of).collect();
    Ok(Some(
        Statement::new(INSERT_LETTERS)
            .bind(to_json(&rows)?)
            .bind(now.plus_secs(SENT_WITHIN_SECS)),
    ))
}

/// Returns true when the sweep queues the email again. An order link that was requested is worth
/// nothing later: its owner requests it again.
fn is_queued_again(letter: &EmailJob) -> bool {
    letter.kind != MailKind::OrderLink
}

const CLAIM: &str = "
INSERT INTO mails (id, order_id, kind, subject, language, claimed_at, attempts, due_at, unknown_since)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?8, ?6)
ON CONFLICT (id) DO UPDATE SET claimed_at = ?6, attempts = attempts + 1, due_at = ?8, unknown_since = COALESCE(unknown_since, ?6)
WHERE sent_at IS NULL AND given_up_at IS NULL AND (claimed_at IS NULL OR claimed_at <= ?7)
    AND (unknown_since IS NULL OR unknown_since > ?9)
RETURNING sent_at, given_up_at, unknown_since";

/// Doubles the pause with every dozen attempts, which is the number of times that the queue tries
/// one message.
const TAKE_DUE: &str = "
UPDATE mails SET due_at = ?1 + (?3 << MIN(attempts / 12, 6)) WHERE id IN (
    SELECT id FROM mails WHERE sent_at IS NULL AND due_at IS NOT NULL AND due_at <= ?1 ORDER BY due_at LIMIT ?2
)
RETURNING order_id, kind, subject, language";

const INSERT_LETTERS: &str = "
INSERT INTO mails (id, order_id, kind, subject, language, due_at)
SELECT value ->> 'id', value ->> 'order_id', value ->> 'kind', value ->> 'subject', value ->> 'language', ?2
FROM json_each(?1) WHERE true
ON CONFLICT DO NOTHING";

#[derive(Deserialize)]
struct ClaimRow {
    sent_at: Option<i64>,
    given_up_at: Option<i64>,
    unknown_since: Option<i64>,
}

impl ClaimRow {
    fn is_uncertain(&self, key_known_since: Timestamp) -> bool {
        self.unknown_since
            .is_some_and(|since| since <= key_known_since.as_millis())
    }
}

#[derive(Deserialize)]
struct LetterRow {
    order_id: OrderId,
    kind: String,
    subject: String,
    language: String,
}

impl LetterRow {
    fn into_letter(self) -> Result<EmailJob> {
        Ok(EmailJob {
            kind: from_word(&self.kind)?,
            order_id: self.order_id,
            subject: self.subject,
            language: from_word(&self.language)?,
        })
    }
}
