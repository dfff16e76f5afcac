//! What a face answers, before it becomes a response of the platform.

use serde::Serialize;
use shop::error::{Error, Problem, Result};
use worker::js_sys::Uint8Array;
use worker::web_sys::{Headers, ReadableStream, Response, ResponseInit};

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

    /// A file that is nobody else's to keep.
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

    /// A text of another kind than pages and JSON.
    #[must_use]
    pub fn text(content_type: &'static str, text: String) -> Self {
        Self {
            status: 200,
            headers: vec![("Content-Type", content_type.to_owned())],
            body: text.into_bytes(),
        }
    }

    /// 303: go there with GET.
    #[must_use]
    pub fn see_other(location: String) -> Self {
        Self::empty(303).with("Location", location)
    }

    /// 301: it is there by now, under an address that may change again.
    #[must_use]
    pub fn moved(location: String) -> Self {
        Self::empty(301)
            .with("Location", location)
            .with("Cache-Control", "public, max-age=300")
    }

    /// 308: it never was here, and is there.
    #[must_use]
    pub fn moved_for_good(location: String) -> Self {
        Self::empty(308)
            .with("Location", location)
            .with("Cache-Control", "public, max-age=300")
    }

    /// A problem document (RFC 9457).
    #[must_use]
    pub fn problem(error: &Error, request_id: &str) -> Self {
        Self::told(error, &error.problem(request_id))
    }

    /// An error, told as `problem` says.
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

    /// Whether it has a header of this name.
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

    /// Anyone may keep the answer and ask each time whether it still is the one; the platform's
    /// cache gives it out for a minute without asking, a while longer while it asks anew, and for a
    /// day when that fails. It must depend on nothing but its address.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != "Cache-Control");
        let etag = self.etag();
        self.with("Cache-Control", PUBLIC)
            .with("CDN-Cache-Control", AT_THE_EDGE)
            .with("ETag", etag)
    }

    /// The answer, with the word that no cache is to keep it where it says nothing: caches would
    /// guess.
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

    /// Whether anyone may keep the answer.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.headers
            .iter()
            .any(|(name, value)| *name == "Cache-Control" && value == PUBLIC)
    }

    /// The strong tag of a public answer; else one that its body would have.
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

    /// The headers as the platform has them.
    ///
    /// # Errors
    /// When a header can't be set.
    pub fn header_list(&self) -> worker::Result<Headers> {
        let headers = Headers::new()?;
        for (name, value) in &self.headers {
            headers.append(name, value)?;
        }
        Ok(headers)
    }

    /// The platform's response.
    ///
    /// # Errors
    /// When a header can't be set.
    pub fn response(self, bodyless: bool) -> worker::Result<Response> {
        let headers = self.header_list()?;
        self.response_with(&headers, bodyless)
    }

    /// The platform's response with these headers and a body that the Worker does not look at.
    ///
    /// # Errors
    /// When the platform can't make one.
    pub fn streamed(&self, headers: &Headers, body: &ReadableStream) -> worker::Result<Response> {
        let init = ResponseInit::new();
        init.set_status(self.status);
        init.set_headers(headers);
        Ok(Response::new_with_opt_readable_stream_and_init(
            Some(body),
            &init,
        )?)
    }

    /// The platform's response with these headers.
    ///
    /// # Errors
    /// When the platform can't make one.
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

/// In a header of its own: `s-maxage` or `must-revalidate` in either would forbid to give out what
/// is stale (RFC 9111, 4.2.4).
const AT_THE_EDGE: &str = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400";

/// Tells bodies of one address apart; not meant against anyone who chooses them.
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
