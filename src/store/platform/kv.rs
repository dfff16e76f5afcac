//! KV. A read that fails is tried once more; what fails again is a 503, since the copies come back
//! by themselves.

use crate::store::platform::console;
use crate::store::platform::pause::Pause;
use serde_json::json;
use shop::error::{Error, Result};
use worker::{KvError, KvStore};

/// A namespace of KV.
#[derive(Clone, Debug)]
pub struct Kv {
    /// Its binding.
    pub store: KvStore,
    /// Before a read that failed is tried again.
    pub pause: Pause,
}

impl Kv {
    /// The bytes under `key`; none when there are none.
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
    /// When KV does not take it.
    pub async fn put(&self, key: &str, value: &str) -> Result<()> {
        let put = self.store.put(key, value).map_err(failed)?;
        put.execute().await.map_err(failed)
    }

    /// Deletes what is under `key`.
    ///
    /// # Errors
    /// When KV does not do it.
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
        code: "copies_unavailable",
        retry_after_secs: 1,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn failed(error: KvError) -> Error {
    Error::internal(format!("kv: {error}"))
}
