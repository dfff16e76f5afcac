//! Idempotency keys: the first answer to a request is kept under its caller's key and given again
//! to every repeat.
//!
//! Refusals and failures are not kept: the key is free again. A request that died keeps its key for
//! [`UNDER_WAY_SECS`]; then a repeat carries it out, so that what it does must bear being done
//! again.

use crate::error::{Error, Result, key_reused};
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Seconds that an answer is kept.
pub const KEPT_SECS: u32 = 2 * 24 * 60 * 60;

/// Seconds after which a request that has not answered has died.
pub const UNDER_WAY_SECS: u32 = 30;

/// A request under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Caller; a key is worth nothing to anyone else.
    pub caller: String,
    /// The caller's name for this one request.
    pub key: String,
    /// Digest of what is asked.
    pub request_hash: String,
    /// Tells the requests under one key from each other.
    pub request_id: String,
}

/// An answer as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// The headers that belong to it.
    pub headers: BTreeMap<String, String>,
    /// JSON.
    pub body: String,
}

/// Holder of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    /// The request that has it.
    pub request_id: String,
    /// Digest of the request that was sent with it.
    pub request_hash: String,
    /// Answer that was given. None means that the request is under way.
    pub answer: Option<KeptAnswer>,
}

/// Takes the key of `request`: none, when it is now to be carried out; else what was answered
/// before.
///
/// # Errors
/// 422 `idempotency_key_reused` for a key of another request, 503 `request_under_way`.
pub async fn begin(
    keys: &impl IdempotencyKeys,
    request: &KeyedRequest,
    now: Timestamp,
) -> Result<Option<KeptAnswer>> {
    let claim = keys.claim(request, now).await?;
    if claim.request_hash != request.request_hash {
        return Err(key_reused());
    }
    match claim.answer {
        Some(answer) => Ok(Some(answer)),
        None if claim.request_id == request.request_id => Ok(None),
        None => Err(Error::Unavailable {
            code: "request_under_way",
            retry_after_secs: 1,
        }),
    }
}

/// Keys of requests, and the first answers to them.
pub trait IdempotencyKeys {
    /// Takes a key, unless another request has it; who has it now.
    async fn claim(&self, request: &KeyedRequest, now: Timestamp) -> Result<KeyHolder>;
    /// Keeps the answer of the request that has the key.
    async fn keep(&self, request: &KeyedRequest, answer: &KeptAnswer) -> Result<()>;
    /// Frees the key of a request that came to nothing.
    async fn release(&self, request: &KeyedRequest) -> Result<()>;
}
