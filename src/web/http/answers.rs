//! Finished responses of public pages, cached by the isolate. Body and headers are already the
//! platform's own objects, so that a cached response costs little more than a constant one.
//!
//! Promises: a response belongs to one complete URL and is only cached if it depends on nothing
//! else. It is served for as long as the catalog version that it was made from, but at most
//! [`KEPT_SECS`], because a page may also show what is not part of that version.

use crate::app::App;
use crate::bounded::Bounded;
use crate::web::http::reply::Reply;
use durable::Timestamp;
use std::cell::RefCell;
use std::rc::Rc;
use worker::js_sys::Uint8Array;
use worker::web_sys::{Headers, Request, Response, ResponseInit};

/// Seconds that a response is cached: as long as the isolate trusts the availability that a page
/// shows.
const KEPT_SECS: u32 = 5;

/// Bytes of a response apart from its body.
const OVERHEAD_BYTES: usize = 2048;

thread_local! {
    static ANSWERS: RefCell<Bounded<Rc<Answer>>> = RefCell::default();
}

/// A finished response with status 200.
#[derive(Debug)]
pub struct Answer {
    seq: i64,
    until: Timestamp,
    etag: String,
    headers: Headers,
    /// Options of a response with these headers.
    init: ResponseInit,
    body: Uint8Array,
}

/// Returns the cached response to a request; `None` if there is none, or if the caller may see
/// something other than what everyone sees.
#[must_use]
pub fn kept(app: &App, request: &Request) -> Option<Rc<Answer>> {
    let max_bytes = app.config.isolate_cache_bytes;
    let answer = ANSWERS.with_borrow_mut(|answers| answers.get(&request.url(), max_bytes))?;
    let current = app.now < answer.until && app.catalog_seq() == Some(answer.seq);
    let plain = request.method() == "GET"
        && (app.config.cors_origins.is_empty() || header(request, "Origin").is_none());
    (current && plain).then_some(answer)
}

/// Caches the response of a URL, made from catalog version `seq`.
///
/// # Errors
/// Fails if the platform rejects a header.
pub fn keep(
    app: &App,
    address: &str,
    seq: i64,
    reply: &Reply,
    headers: &Headers,
) -> worker::Result<()> {
    let headers = Headers::new_with_headers(headers)?;
    let init = ResponseInit::new();
    init.set_headers(&headers);
    let answer = Answer {
        seq,
        until: app.now.plus_secs(KEPT_SECS),
        etag: reply.etag(),
        headers,
        init,
        body: Uint8Array::from(reply.body.as_slice()),
    };
    let bytes = reply.body.len().saturating_add(OVERHEAD_BYTES);
    ANSWERS.with_borrow_mut(|answers| {
        answers.put(
            address.to_owned(),
            Rc::new(answer),
            bytes,
            app.config.isolate_cache_bytes,
        );
    });
    Ok(())
}

impl Answer {
    /// Returns the response to one request; 304 if the client already has it.
    ///
    /// # Errors
    /// Fails if the platform can't create a response.
    pub fn response(&self, request: &Request, request_id: &str) -> worker::Result<Response> {
        // The platform copies the headers into the response, so one list can serve every request in
        // turn.
        self.headers.set("X-Request-Id", request_id)?;
        let known = header(request, "If-None-Match").is_some_and(|tags| names(&tags, &self.etag));
        if known {
            let init = ResponseInit::new();
            init.set_headers(&self.headers);
            init.set_status(304);
            return Ok(Response::new_with_opt_str_and_init(None, &init)?);
        }
        Ok(Response::new_with_opt_buffer_source_and_init(
            Some(self.body.as_ref()),
            &self.init,
        )?)
    }
}

/// Returns true if an `If-None-Match` names the tag. The comparison is weak, because compression
/// weakens tags on the way.
#[must_use]
pub fn names(tags: &str, etag: &str) -> bool {
    tags.split(',')
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn header(request: &Request, name: &str) -> Option<String> {
    request.headers().get(name).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly() {
        for tags in ["\"a\"", "W/\"a\"", "\"b\", W/\"a\"", "*"] {
            assert!(names(tags, "\"a\""), "{tags}");
        }
        for tags in ["", "a", "\"b\"", "W/a"] {
            assert!(!names(tags, "\"a\""), "{tags}");
        }
    }
}
