//! Structured logs: one JSON object a line, one line a request. Never a mail address, a token or a
//! body.

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

/// What is logged of a request.
#[derive(Serialize)]
pub struct RequestLine<'a> {
    /// The id that the answer carries.
    pub request_id: &'a str,
    /// `GET`
    pub method: &'a str,
    /// Without the query, which may hold a token.
    pub path: &'a str,
    /// The answer's.
    pub status: u16,
    /// Wall time; the clock stands still during CPU work in production.
    #[serde(rename = "ms")]
    pub millis: i64,
    /// Why it was not carried out.
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

/// Logs that something outside a request failed.
pub fn log_failure(event: &str, subject: &str, error: &Error) {
    let entry =
        json!({"level": "error", "event": event, "subject": subject, "error": error.to_string()});
    console_error!("{entry}");
}

/// Logs what a job did.
pub fn log_event(event: &str, data: &serde_json::Value) {
    let entry = json!({"level": "info", "event": event, "data": data});
    console_log!("{entry}");
}

/// Makes a panic leave a line before it takes the isolate's instance with it.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let entry = json!({"level": "fatal", "event": "panic", "error": info.to_string()});
        console_error!("{entry}");
    }));
}
