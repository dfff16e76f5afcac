//! Idempotency keys. The first response to a request is stored under its caller's key, and returned
//! for every repeat.
//!
//! Refusals and failures are not stored: the key becomes free again. A request that died keeps its
//! key for [`UNDER_WAY_SECS`]; after that a repeat is carried out, so such requests must be safe to
//! carry out twice.

use crate::codes::Code;
use crate::error::{Error, Result, key_reused};
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Seconds for which a response is stored.
pub const KEPT_SECS: u32 = 2 * 24 * 60 * 60;

/// Seconds after which a request without a response counts as dead.
pub const UNDER_WAY_SECS: u32 = 30;

/// A request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Caller; the key is valid for this caller only.
    pub caller: String,
    /// Key chosen by the caller for this request.
    pub key: String,
    /// Digest of the request's content.
    pub request_hash: String,
    /// Id that distinguishes requests with the same key.
    pub request_id: String,
}

/// A stored response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers stored with it.
    pub headers: BTreeMap<String, String>,
    /// Body in JSON.
    pub body: String,
}

/// Holder of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    /// Id of the request that holds it.
    pub request_id: String,
    /// Digest of that request's content.
    pub request_hash: String,
    /// Stored response. `None` means that the request is in progress.
    pub answer: Option<KeptAnswer>,
}

/// Claims the key of `request`. Returns `None` if the request is now to be carried out, or else the
/// stored response.
///
/// # Errors
/// 422 `idempotency_key_reused` if the key belongs to a different request, 503 `request_under_way`.
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
            code: Code::RequestUnderWay,
            retry_after_secs: 1,
        }),
    }
}

/// Store of idempotency keys and responses.
pub trait IdempotencyKeys {
    /// Claims a key unless another request holds it, and returns the current holder.
    async fn claim(&self, request: &KeyedRequest, now: Timestamp) -> Result<KeyHolder>;
    /// Stores the response of the request that holds the key.
    async fn keep(&self, request: &KeyedRequest, answer: &KeptAnswer) -> Result<()>;
    /// Releases the key of a request that failed.
    async fn release(&self, request: &KeyedRequest) -> Result<()>;
}
