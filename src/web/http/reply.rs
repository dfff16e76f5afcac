//! The reply of a face, before it becomes a response of the platform.

use serde::Serialize;
use shop::error::{Error, Problem, Result};
use worker::js_sys::Uint8Array;
use worker::web_sys::{Headers, ReadableStream, Response, ResponseInit};

/// A reply.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers, in order. A name may occur twice (`Set-Cookie`).
    pub headers: Vec<(&'static str, String)>,
    /// Body, which is not sent in response to HEAD.
    pub body: Vec<u8>,
}

impl Reply {
    /// Creates a reply without a body.
    #[must_use]
    pub const fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Creates a JSON reply that caches must not store.
    ///
    /// # Errors
    /// Fails if `value` can't be serialized.
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

    /// Creates a page that caches must not store.
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

    /// Creates a file that caches must not store.
    #[must_use]
    pub fn file(content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status: 200,
            headers: vec![
                ("Content-Type", content_type.to_owned()),
                ("Cache-Control", "no-store".to_owned()),
            ],
            body,
        }
    }

    /// Creates a text reply of another type than HTML and JSON.
    #[must_use]
    pub fn text(content_type: &'static str, text: String) -> Self {
        Self {
            status: 200,
            headers: vec![("Content-Type", content_type.to_owned())],
            body: text.into_bytes(),
        }
    }

    /// Creates a 303, which makes the client GET `location`.
    #[must_use]
    pub fn see_other(location: String) -> Self {
        Self::empty(303).with("Location", location)
    }

    /// Creates a 301: the resource is now at `location`, which may change again.
    #[must_use]
    pub fn moved(location: String) -> Self {
        Self::empty(301)
            .with("Location", location)
            .with("Cache-Control", "public, max-age=300")
    }

    /// Creates a 308: the resource has always been at `location`.
    #[must_use]
    pub fn moved_for_good(location: String) -> Self {
        Self::empty(308)
            .with("Location", location)
            .with("Cache-Control", "public, max-age=300")
    }

    /// Creates a problem document (RFC 9457).
    #[must_use]
    pub fn problem(error: &Error, request_id: &str) -> Self {
        Self::told(error, &error.problem(request_id))
    }

    /// Creates the reply to `error` with the content of `problem`.
    #[must_use]
    pub fn told(error: &Error, problem: &Problem) -> Self {
        let body = serde_json::to_vec(problem).unwrap_or_default();
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

    /// Returns true if the reply has a header of this name.
    #[must_use]
    pub fn says(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| *known == name)
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Lets any cache store the reply and revalidate it each time. The platform's cache serves it
    /// for a minute without revalidation, a while longer while it revalidates, and for a day if
    /// that fails. The reply must depend on nothing but its URL.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != "Cache-Control");
        let etag = self.etag();
        self.with("Cache-Control", PUBLIC)
            .with("CDN-Cache-Control", AT_THE_EDGE)
            .with("ETag", etag)
    }

    /// Adds `no-store` if the reply has no `Cache-Control`, because caches would guess.
    #[must_use]
    pub fn kept_by_nobody_unless_said(self) -> Self {
        if self
            .headers
            .iter()
            .any(|(name, _)| *name == "Cache-Control")
        {
            return self;
        }
        self.with("Cache-Control", "no-store")
    }

    /// Returns true if any cache may store the reply.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.headers
            .iter()
            .any(|(name, value)| *name == "Cache-Control" && value == PUBLIC)
    }

    /// Returns the strong tag of a public reply, or else one computed from its body.
    #[must_use]
    pub fn etag(&self) -> String {
        self.headers
            .iter()
            .find(|(name, _)| *name == "ETag")
            .map_or_else(
                || format!("\"{:016x}\"", fingerprint(&self.body)),
                |(_, etag)| etag.clone(),
            )
    }

    /// Returns the headers as the platform's type.
    ///
    /// # Errors
    /// Fails if a header can't be set.
    pub fn header_list(&self) -> worker::Result<Headers> {
        let headers = Headers::new()?;
        for (name, value) in &self.headers {
            headers.append(name, value)?;
        }
        Ok(headers)
    }

    /// Returns the platform's response.
    ///
    /// # Errors
    /// Fails if a header can't be set.
    pub fn response(self, bodyless: bool) -> worker::Result<Response> {
        let headers = self.header_list()?;
        self.response_with(&headers, bodyless)
    }

    /// Returns the platform's response with these headers and a streamed body, which the Worker
    /// does not read.
    ///
    /// # Errors
    /// Fails if the platform can't create one.
    pub fn streamed(&self, headers: &Headers, body: &ReadableStream) -> worker::Result<Response> {
        let init = ResponseInit::new();
        init.set_status(self.status);
        init.set_headers(headers);
        Ok(Response::new_with_opt_readable_stream_and_init(
            Some(body),
            &init,
        )?)
    }

    /// Returns the platform's response with these headers.
    ///
    /// # Errors
    /// Fails if the platform can't create one.
    pub fn response_with(self, headers: &Headers, bodyless: bool) -> worker::Result<Response> {
        let init = ResponseInit::new();
        init.set_status(self.status);
        init.set_headers(headers);
        if bodyless || self.body.is_empty() {
            return Ok(Response::new_with_opt_str_and_init(None, &init)?);
        }
        let body = Uint8Array::from(self.body.as_slice());
        Ok(Response::new_with_opt_buffer_source_and_init(
            Some(&body),
            &init,
        )?)
    }
}

const PUBLIC: &str = "public, max-age=0";

/// Sent in a header of its own: `s-maxage` or `must-revalidate` in either header would forbid
/// serving stale responses (RFC 9111, 4.2.4).
const AT_THE_EDGE: &str = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400";

/// Returns a hash that distinguishes bodies of one URL. Not meant to withstand someone who chooses
/// the bodies.
fn fingerprint(body: &[u8]) -> u64 {
    let mix =
        |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (words, rest) = body.as_chunks::<8>();
    let hash = words.iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        mix(hash, u64::from_le_bytes(*word))
    });
    let rest = rest
        .iter()
        .fold(hash, |hash, byte| mix(hash, u64::from(*byte)));
    mix(rest, u64::try_from(body.len()).unwrap_or(u64::MAX))
}

/// Returns the headers that an error's status requires.
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
