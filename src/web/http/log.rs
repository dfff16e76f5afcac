//! Structured logs: one JSON object per line, one line per request. Email addresses, tokens and
//! bodies are never logged.

use serde::Serialize;
use serde_json::json;
use shop::error::Error;
use worker::{console_error, console_log};

#[derive(Serialize)]
struct Entry<'a> {
    level: &'a str,
    event: &'a str,
    #[serde(flatten)]
    line: &'a RequestLine<'a>,
}

/// Log line of a request.
#[derive(Serialize)]
pub struct RequestLine<'a> {
    /// ID of the request, also sent with the response.
    pub request_id: &'a str,
    /// Method, such as `GET`.
    pub method: &'a str,
    /// Path without the query, which may contain a token.
    pub path: &'a str,
    /// Status of the response.
    pub status: u16,
    /// Wall time in milliseconds. In production, the clock stands still during CPU work.
    #[serde(rename = "ms")]
    pub millis: i64,
    /// Reason why the request failed; `None` means it succeeded.
    pub error: Option<&'a str>,
}

/// Logs a request.
pub fn log_request(line: &RequestLine<'_>) {
    let failed = line.status >= 500;
    let entry = Entry {
        level: if failed { "error" } else { "info" },
        event: "request",
        line,
    };
    let entry = serde_json::to_string(&entry).unwrap_or_default();
    if failed {
        console_error!("{entry}");
    } else {
        console_log!("{entry}");
    }
}

/// Logs a failure outside a request.
pub fn log_failure(event: &str, subject: &str, error: &Error) {
    let entry =
        json!({"level": "error", "event": event, "subject": subject, "error": error.to_string()});
    console_error!("{entry}");
}

/// Logs the result of a job.
pub fn log_event(event: &str, data: &serde_json::Value) {
    let entry = json!({"level": "info", "event": event, "data": data});
    console_log!("{entry}");
}

/// Installs a hook that logs a panic before it takes the isolate's instance down.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let entry = json!({"level": "fatal", "event": "panic", "error": info.to_string()});
        console_error!("{entry}");
    }));
}
