//! HTTP calls to other services, each with a time limit.

use futures_util::future::{Either, select};
use std::fmt::{Display, Formatter};
use std::pin::pin;
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::{
    AbortController, Delay, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, Response,
};

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Outgoing<'a> {
    /// URL of the request.
    pub url: &'a str,
    /// Header names and values.
    pub headers: Vec<(&'a str, &'a str)>,
    /// Body of a `POST`; `None` means a `GET`.
    pub body: Option<&'a str>,
    /// True when redirects must not be followed.
    pub keeps_address: bool,
}

/// Response to a request.
pub struct Answer(Response);

/// Reason why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The request could not be sent at all.
    Unsent(String),
    /// No response arrived, but the request may have been carried out.
    Lost(String),
}

impl Display for NoAnswer {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unsent(reason) | Self::Lost(reason) => f.write_str(reason),
        }
    }
}

impl Answer {
    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status_code()
    }

    /// Returns the value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.0.headers().get(name).ok().flatten()
    }

    /// Returns the body.
    ///
    /// # Errors
    /// Fails if it breaks off.
    pub async fn text(mut self) -> Result<String, NoAnswer> {
        self.0.text().await.map_err(lost)
    }
}

/// Sends a request once, and reads what `read` takes from the response; stops when the time is up.
///
/// # Errors
/// Fails if there was no response in time.
pub async fn send<T>(
    request: &Outgoing<'_>,
    time: Duration,
    read: impl AsyncFnOnce(Answer) -> Result<T, NoAnswer>,
) -> Result<T, NoAnswer> {
    let request = request_of(request).map_err(|error| NoAnswer::Unsent(error.to_string()))?;
    let abort = AbortController::default();
    let signal = abort.signal();
    let answer = pin!(async {
        let fetch = Fetch::Request(request);
        read(Answer(fetch.send_with_signal(&signal).await.map_err(lost)?)).await
    });
    match select(answer, pin!(Delay::from(time))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => {
            abort.abort();
            Err(NoAnswer::Lost("no answer in time".to_owned()))
        }
    }
}

fn request_of(outgoing: &Outgoing<'_>) -> worker::Result<Request> {
    let headers = Headers::new();
    for (name, value) in &outgoing.headers {
        headers.set(name, value)?;
    }
    let mut init = RequestInit::new();
    init.with_headers(headers);
    if let Some(body) = outgoing.body {
        init.with_method(Method::Post)
            .with_body(Some(JsValue::from_str(body)));
    }
    if outgoing.keeps_address {
        init.with_redirect(RequestRedirect::Manual);
    }
    Request::new_with_init(outgoing.url, &init)
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn lost(error: worker::Error) -> NoAnswer {
    NoAnswer::Lost(error.to_string())
}
