//! Idempotency keys in SQL. Claiming a key and reading its owner is one transaction, so that only
//! one of two concurrent requests gets it.

use crate::store::sql::{Database, Statement, from_json, to_json};
use durable::Timestamp;
use serde::Deserialize;
use shop::error::{Error, Result};
use shop::operations::idempotency::{
    IdempotencyKeys, KEPT_SECS, KeptAnswer, KeyHolder, KeyedRequest, UNDER_WAY_SECS,
};

/// [`IdempotencyKeys`] on a database.
#[derive(Debug)]
pub struct IdempotencyD1<D>(pub D);

impl<D: Database> IdempotencyKeys for IdempotencyD1<D> {
    async fn claim(&self, request: &KeyedRequest, now: Timestamp) -> Result<KeyHolder> {
        let claim = Statement::new(CLAIM)
            .bind(request.caller.as_str())
            .bind(request.key.as_str())
            .bind(request.request_hash.as_str())
            .bind(request.request_id.as_str())
            .bind(now)
            .bind(now.minus_secs(UNDER_WAY_SECS))
            .bind(now.minus_secs(KEPT_SECS));
        let holder = Statement::new(
            "SELECT request_id, request_hash, answer FROM idempotency_keys WHERE caller = ?1 AND key = ?2",
        )
        .bind(request.caller.as_str())
        .bind(request.key.as_str());
        let rows: Vec<HolderRow> = self.0.batch_then_query(vec![claim], holder).await?;
        rows.into_iter()
            .next()
            .ok_or_else(|| Error::internal("a key that was claimed is not there"))?
            .into_holder()
    }

    async fn keep(&self, request: &KeyedRequest, answer: &KeptAnswer) -> Result<()> {
        let statement = Statement::new(
            "UPDATE idempotency_keys SET answer = ?4 WHERE caller = ?1 AND key = ?2 AND request_id = ?3",
        );
        let statement = of_holder(statement, request).bind(to_json(answer)?);
        Ok(self.0.repeatable_batch(vec![statement]).await?)
    }

    async fn release(&self, request: &KeyedRequest) -> Result<()> {
        let statement = Statement::new(
            "DELETE FROM idempotency_keys WHERE caller = ?1 AND key = ?2 AND request_id = ?3 AND answer IS NULL",
        );
        Ok(self
            .0
            .repeatable_batch(vec![of_holder(statement, request)])
            .await?)
    }
}

fn of_holder(statement: Statement, request: &KeyedRequest) -> Statement {
    statement
        .bind(request.caller.as_str())
        .bind(request.key.as_str())
        .bind(request.request_id.as_str())
}

/// A key is free if nobody has claimed it, if it has expired, or if an earlier request with the
/// same content died before it answered.
const CLAIM: &str = "
INSERT INTO idempotency_keys (caller, key, request_hash, request_id, claimed_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (caller, key) DO UPDATE SET request_hash = ?3, request_id = ?4, claimed_at = ?5, answer = NULL
WHERE claimed_at <= ?7 OR (claimed_at <= ?6 AND answer IS NULL AND request_hash = ?3)";

#[derive(Deserialize)]
struct HolderRow {
    request_id: String,
    request_hash: String,
    answer: Option<String>,
}

impl HolderRow {
    fn into_holder(self) -> Result<KeyHolder> {
        Ok(KeyHolder {
            request_id: self.request_id,
            request_hash: self.request_hash,
            answer: self.answer.as_deref().map(from_json).transpose()?,
        })
    }
}
