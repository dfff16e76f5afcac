//! What a face answers, before it becomes a response of the platform.

use crate::error::{Error, Result};
use serde::Serialize;
use worker::{Headers, Response, ResponseBody};

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// In order; a name may stand twice (`Set-Cookie`).
    pub headers: Vec<(&'static str, String)>,
    /// What is sent, but for HEAD.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub const fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// JSON that is nobody else's to keep.
    ///
    /// # Errors
    /// When `value` does not write as JSON.
    pub fn json(status: u16, value: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(value).map_err(Error::internal)?;
        Ok(Self {
            status,
            headers: vec![
                ("Content-Type", "application/json".to_owned()),
                ("Cache-Control", "no-store".to_owned()),
            ],
            body,
        })
    }

    /// A page that is nobody else's to keep.
    #[must_use]
    pub fn html(status: u16, html: String) -> Self {
        Self {
            status,
            headers: vec![
                ("Content-Type", "text/html; charset=utf-8".to_owned()),
                ("Cache-Control", "no-store".to_owned()),
            ],
            body: html.into_bytes(),
        }
    }

    /// 303: go there with GET.
    #[must_use]
    pub fn see_other(location: String) -> Self {
        Self::empty(303).with("Location", location)
    }

    /// A problem document (RFC 9457).
    #[must_use]
    pub fn problem(error: &Error, request_id: &str) -> Self {
        let body = serde_json::to_vec(&error.problem(request_id)).unwrap_or_default();
        let mut reply = Self {
            status: error.status(),
            headers: vec![
                ("Content-Type", "application/problem+json".to_owned()),
                ("Cache-Control", "no-store".to_owned()),
            ],
            body,
        };
        reply.headers.extend(headers_of(error));
        reply
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Anyone may keep the answer for a minute, and show it a while longer while asking anew.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != "Cache-Control");
        self.with(
            "Cache-Control",
            "public, max-age=0, s-maxage=60, stale-while-revalidate=600",
        )
    }

    /// The platform's response.
    ///
    /// # Errors
    /// When a header can't be set.
    pub fn into_response(self, bodyless: bool) -> worker::Result<Response> {
        let headers = Headers::new();
        for (name, value) in &self.headers {
            headers.append(name, value)?;
        }
        let body = if bodyless || self.body.is_empty() {
            ResponseBody::Empty
        } else {
            ResponseBody::Body(self.body)
        };
        Ok(Response::from_body(body)?
            .with_status(self.status)
            .with_headers(headers))
    }
}

/// What the status of an error asks for beside its body.
#[must_use]
pub fn headers_of(error: &Error) -> Vec<(&'static str, String)> {
    let retry_after = error
        .retry_after_secs()
        .map(|secs| ("Retry-After", secs.to_string()));
    let special = match error {
        Error::MethodNotAllowed(allow) => Some(("Allow", allow.clone())),
        Error::Unauthorized { .. } => Some(("WWW-Authenticate", "Bearer".to_owned())),
        _ => None,
    };
    retry_after.into_iter().chain(special).collect()
}
