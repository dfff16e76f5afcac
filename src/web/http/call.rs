//! A request as handlers read it. Every part that can be malformed yields an error, never a panic.

use crate::app::App;
use crate::web::http::cookies;
use crate::web::http::identity::Identity;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use shop::checkout::quoting::accept_currency;
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::values::channel::Channel;
use shop::values::ids::{OrderId, digest_of};
use shop::values::languages::Language;
use shop::values::money::Currency;
use std::cell::OnceCell;
use std::rc::Rc;
use worker::url::{Url, form_urlencoded};
use worker::web_sys::ReadableStream;
use worker::{Method, Request, WebSocket};

/// Maximum size of a request body, unless the route sets another.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Maximum length of an `Idempotency-Key` in bytes.
const MAX_KEY_BYTES: usize = 255;

/// A request on its way through a handler.
pub struct Call<'a> {
    /// Bindings, configuration and time.
    pub app: &'a App,
    /// ID of the request, also sent with the response.
    pub request_id: &'a str,
    /// Path segments that the braces of the pattern matched, decoded and in order.
    pub params: Vec<String>,
    /// Complete URL of the request.
    pub url: Url,
    /// Storefront that the URL belongs to.
    pub channel: Rc<Channel>,
    /// Language of the URL.
    pub language: Language,
    request: Request,
    identity: OnceCell<Identity<'a>>,
    body: Option<Vec<u8>>,
    socket: Option<WebSocket>,
    stream: Option<ReadableStream>,
}

impl<'a> Call<'a> {
    /// Creates the call of a request.
    #[must_use]
    pub fn new(app: &'a App, request_id: &'a str, url: Url, request: Request) -> Self {
        Self {
            app,
            request_id,
            params: Vec::new(),
            url,
            channel: Rc::clone(&app.config.channel),
            language: app.config.channel.languages.default,
            request,
            identity: OnceCell::new(),
            body: None,
            socket: None,
            stream: None,
        }
    }

    /// Returns the identity of the caller.
    #[must_use]
    pub fn identity(&self) -> &Identity<'a> {
        self.identity
            .get_or_init(|| Identity::of(self.app, self.request.headers(), &self.url))
    }

    /// Responds with a WebSocket instead of the reply.
    pub fn switch_to(&mut self, socket: WebSocket) {
        self.socket = Some(socket);
    }

    /// Takes the WebSocket to respond with.
    pub fn take_socket(&mut self) -> Option<WebSocket> {
        self.socket.take()
    }

    /// Responds with the content of a stream as the body of the reply.
    pub fn send(&mut self, stream: ReadableStream) {
        self.stream = Some(stream);
    }

    /// Takes the stream to respond with.
    pub fn take_stream(&mut self) -> Option<ReadableStream> {
        self.stream.take()
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.request.method()
    }

    /// Returns the path without its language prefix.
    #[must_use]
    pub fn path(&self) -> &str {
        let path = self.url.path();
        if self.language == self.channel.languages.default {
            return path;
        }
        path.trim_start_matches('/')
            .split_once('/')
            .and_then(|(language, _)| path.get(language.len().saturating_add(1)..))
            .unwrap_or("/")
    }

    /// Returns the path segment that the `at`-th braces of the pattern matched.
    #[must_use]
    pub fn param(&self, at: usize) -> &str {
        self.params.get(at).map_or("", String::as_str)
    }

    /// Returns the order's id in the URL, which the first braces of the pattern matched.
    #[must_use]
    pub fn order_id(&self) -> OrderId {
        OrderId::new(self.param(0).to_owned())
    }

    /// Returns the value of a header; `None` means it is absent or unreadable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).ok().flatten()
    }

    /// Returns the first query parameter of this name.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        self.url
            .query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Returns the names of all cookies.
    #[must_use]
    pub fn cookie_names(&self) -> Vec<String> {
        let header = self.header("Cookie").unwrap_or_default();
        let names = cookies::cookies(&header).map(|(name, _)| name.to_owned());
        names.collect()
    }

    /// Returns the currency of `?currency=`, or the shop's default.
    ///
    /// # Errors
    /// 422 `unknown_currency`.
    pub fn currency(&self) -> Result<Currency> {
        match self.query("currency") {
            Some(code) => accept_currency(&code, &self.channel.currencies),
            None => Ok(self.channel.default_currency),
        }
    }

    /// Returns the version that `If-Match` names. A weak tag is accepted, because compression
    /// weakens tags on the way.
    ///
    /// # Errors
    /// 400 when it is not a version that the shop could have sent.
    pub fn if_match(&self) -> Result<Option<u64>> {
        let Some(header) = self.header("If-Match") else {
            return Ok(None);
        };
        let tag = header.strip_prefix("W/").unwrap_or(&header);
        tag.strip_prefix('"')
            .and_then(|tag| tag.strip_suffix('"'))
            .and_then(|tag| tag.parse().ok())
            .map(Some)
            .ok_or_else(|| {
                Error::malformed(
                    Code::MalformedHeader,
                    "If-Match must be a version in quotes, such as \"3\".",
                )
            })
    }

    /// Returns the `Idempotency-Key`.
    ///
    /// # Errors
    /// 400 when it is empty, too long, or has characters outside printable ASCII.
    pub fn idempotency_key(&self) -> Result<Option<String>> {
        self.header("Idempotency-Key")
            .map(|key| idempotency_key(&key))
            .transpose()
    }

    /// Returns the operation ID of a change to an object: the caller's key, or a new one.
    ///
    /// # Errors
    /// Those of [`Self::idempotency_key`].
    pub fn operation_id(&self) -> Result<String> {
        match self.idempotency_key()? {
            Some(key) => Ok(format!("key:{key}")),
            None => self.app.new_id("op"),
        }
    }

    /// Returns the raw body of at most `max` bytes, and keeps it for later readers.
    ///
    /// # Errors
    /// 413 as soon as it is longer.
    pub async fn body(&mut self, max: usize) -> Result<&[u8]> {
        let body = self.bytes(max).await?;
        Ok(self.body.insert(body))
    }

    /// Takes the raw body of at most `max` bytes.
    ///
    /// # Errors
    /// 413 as soon as it is longer.
    pub async fn bytes(&mut self, max: usize) -> Result<Vec<u8>> {
        if let Some(body) = self.body.take() {
            return Ok(body);
        }
        let announced = self
            .header("Content-Length")
            .and_then(|length| length.parse::<usize>().ok());
        if announced.is_some_and(|length| length > max) {
            return Err(Error::TooLarge(max));
        }
        if announced.is_some() {
            return self.request.bytes().await.map_err(unreadable);
        }
        let mut body = Vec::new();
        let Ok(mut chunks) = self.request.stream() else {
            return Ok(body);
        };
        while let Some(chunk) = chunks.next().await {
            body.extend(chunk.map_err(unreadable)?);
            if body.len() > max {
                return Err(Error::TooLarge(max));
            }
        }
        Ok(body)
    }

    /// Reads a JSON body. Returns the value and a digest of the body.
    ///
    /// # Errors
    /// 415 for another content type, 400 when it can't be parsed, `unknown_field` for a field that
    /// the type doesn't have.
    pub async fn json<T: DeserializeOwned>(&mut self) -> Result<(T, String)> {
        self.json_up_to(MAX_BODY_BYTES).await
    }

    /// Reads a JSON body of at most `max` bytes. Returns the value and a digest of the body.
    ///
    /// # Errors
    /// Those of [`Self::json`]; 413 as soon as it is longer.
    pub async fn json_up_to<T: DeserializeOwned>(&mut self, max: usize) -> Result<(T, String)> {
        self.content_type("application/json")?;
        let body = self.bytes(max).await?;
        let value = durable::json::read(&body).map_err(|error| {
            let code = if error.is_unknown_field() {
                Code::UnknownField
            } else {
                Code::MalformedJson
            };
            Error::malformed(code, error.to_string())
        })?;
        Ok((value, digest_of(&body)))
    }

    /// Reads the fields of a form.
    ///
    /// # Errors
    /// 415 for another content type.
    pub async fn form(&mut self) -> Result<Form> {
        self.content_type("application/x-www-form-urlencoded")?;
        let body = self.bytes(MAX_BODY_BYTES).await?;
        Ok(Form(form_urlencoded::parse(&body).into_owned().collect()))
    }

    /// Checks the media type of the body, ignoring its parameters.
    ///
    /// # Errors
    /// 415.
    pub fn content_type(&self, wanted: &'static str) -> Result<()> {
        let given = self.header("Content-Type").unwrap_or_default();
        let given = given.split(';').next().unwrap_or_default().trim();
        if given.eq_ignore_ascii_case(wanted) {
            return Ok(());
        }
        Err(Error::UnsupportedMediaType(wanted))
    }
}

/// The fields of a form, in order.
pub struct Form(pub Vec<(String, String)>);

impl Form {
    /// Returns the field of this name without surrounding whitespace; empty if it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.trim())
    }
}

/// Returns `key` if it is a valid idempotency key.
///
/// # Errors
/// 400 when it is empty, too long, or has characters outside printable ASCII.
pub fn idempotency_key(key: &str) -> Result<String> {
    let fits = (1..=MAX_KEY_BYTES).contains(&key.len())
        && key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if fits {
        return Ok(key.to_owned());
    }
    Err(Error::malformed(
        Code::MalformedHeader,
        format!("An idempotency key must be 1 to {MAX_KEY_BYTES} printable ASCII characters long."),
    ))
}

fn unreadable(_: worker::Error) -> Error {
    Error::malformed(
        Code::MalformedBody,
        "The body could not be read completely.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_another_script_reads_as_the_platform_gives_it() {
        let url = Url::parse("https://xn--bcher-kva.example/products?q=%C3%BC").unwrap();
        assert_eq!(url.host_str(), Some("xn--bcher-kva.example"));
        assert_eq!(url.path(), "/products");
    }
}
