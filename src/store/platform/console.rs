//! Lines of the log. Outside wasm there is none.

use serde_json::Value;
use worker::{console_error, console_log, console_warn};

/// Logs a line of what went well.
pub fn info(line: &Value) {
    if cfg!(target_arch = "wasm32") {
        console_log!("{line}");
    }
}

/// Logs a line of what staff may want to know.
pub fn warn(line: &Value) {
    if cfg!(target_arch = "wasm32") {
        console_warn!("{line}");
    }
}

/// Logs a line of what went wrong.
pub fn error(line: &Value) {
    if cfg!(target_arch = "wasm32") {
        console_error!("{line}");
    }
}
