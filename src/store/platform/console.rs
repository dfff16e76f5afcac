//! Log lines. Outside wasm there is no log.

use serde_json::Value;
use worker::{console_error, console_log, console_warn};

/// Logs a line about normal operation.
pub fn info(line: &Value) {
    if cfg!(target_arch = "wasm32") {
        console_log!("{line}");
    }
}

/// Logs a line that staff may want to know about.
pub fn warn(line: &Value) {
    if cfg!(target_arch = "wasm32") {
        console_warn!("{line}");
    }
}

/// Logs a line about a failure.
pub fn error(line: &Value) {
    if cfg!(target_arch = "wasm32") {
        console_error!("{line}");
    }
}
