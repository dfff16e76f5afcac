//! KV. A failed read is retried once. If it fails again, it is a 503, because the copies recover by
//! themselves.

use crate::store::platform::console;
use crate::store::platform::pause::Pause;
use serde_json::json;
use shop::codes::Code;
use shop::error::{Error, Result};
use worker::{KvError, KvStore};

/// A KV namespace.
#[derive(Clone, Debug)]
pub struct Kv {
    /// Binding of the namespace.
    pub store: KvStore,
    /// Pause before a failed read is retried.
    pub pause: Pause,
}

impl Kv {
    /// Reads the bytes under `key`; `None` means there are none.
    ///
    /// # Errors
    /// 503 `copies_unavailable`.
    pub async fn read(&self, key: &str) -> Result<Option<Vec<u8>>> {
        if let Ok(bytes) = self.store.get(key).bytes().await {
            return Ok(bytes);
        }
        self.pause.wait().await;
        self.store.get(key).bytes().await.map_err(unavailable)
    }

    /// Writes `value` under `key`.
    ///
    /// # Errors
    /// Fails if KV rejects the write.
    pub async fn put(&self, key: &str, value: &str) -> Result<()> {
        let put = self.store.put(key, value).map_err(failed)?;
        put.execute().await.map_err(failed)
    }

    /// Deletes the value under `key`.
    ///
    /// # Errors
    /// Fails if KV rejects the deletion.
    pub async fn delete(&self, key: &str) -> Result<()> {
        self.store.delete(key).await.map_err(failed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn unavailable(error: KvError) -> Error {
    console::warn(
        &json!({"level": "warn", "event": "copies_unavailable", "error": error.to_string()}),
    );
    Error::Unavailable {
        code: Code::CopiesUnavailable,
        retry_after_secs: 1,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn failed(error: KvError) -> Error {
    Error::internal(format!("kv: {error}"))
}
