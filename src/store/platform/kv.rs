//! Reads of KV. One that fails is tried once more; what fails again is a 503, since the copies come
//! back by themselves.

use crate::store::platform::pause::Pause;
use shop::error::{Error, Result};
use worker::{KvError, KvStore, console_warn};

/// The bytes under `key`; none when there are none.
///
/// # Errors
/// 503 `copies_unavailable`.
pub async fn read(kv: &KvStore, key: &str, pause: Pause) -> Result<Option<Vec<u8>>> {
    if let Ok(bytes) = kv.get(key).bytes().await {
        return Ok(bytes);
    }
    pause.wait().await;
    kv.get(key).bytes().await.map_err(unavailable)
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn unavailable(error: KvError) -> Error {
    let line = serde_json::json!({"level": "warn", "event": "copies_unavailable", "error": error.to_string()});
    console_warn!("{line}");
    Error::Unavailable {
        code: "copies_unavailable",
        retry_after_secs: 1,
    }
}
