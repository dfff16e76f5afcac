//! A route of the shop: its audience, its rate limit, and its handler.

use crate::web::http::call::Call;
use crate::web::http::guard::Access;
use crate::web::http::reply::Reply;
use percent_encoding::percent_decode_str;
use shop::codes::Code;
use shop::customers::limits::Limit;
use shop::error::{Error, Result};
use std::future::Future;
use std::pin::Pin;
use worker::Method;

/// Treatment of repeated requests with the same `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// The response is stored and replayed.
    Kept,
    /// The handler recognizes repeats: the key names the record that it creates or the operation of
    /// an object, or the content identifies itself.
    Own,
    /// Only a digest of the request is stored. A repeat is carried out again, which changes nothing
    /// or replaces the earlier result, and its response shows the current state.
    Again,
}

/// A path and a method.
pub struct Route {
    /// Method; GET also answers HEAD.
    pub method: Method,
    /// Path, in which each pair of braces matches one segment.
    pub pattern: &'static str,
    /// Audience.
    pub access: Access,
    /// Rate limit for calls from one network.
    pub limit: Limit,
    /// Name of the handler as written in the table.
    pub handler_name: &'static str,
    /// Treatment of repeated requests.
    pub keys: Keys,
    /// The handler.
    pub handler: Handler,
}

impl Route {
    /// Returns true for a page for people, which exists in each of the shop's languages.
    #[must_use]
    pub fn is_page(&self) -> bool {
        self.handler_name.starts_with("pages::")
    }

    /// Returns true for a route for programs.
    #[must_use]
    pub fn is_api(&self) -> bool {
        self.pattern.starts_with("/api/v1/")
    }

    /// Carries out a call.
    ///
    /// # Errors
    /// Those of the handler.
    pub async fn answer(&self, call: &mut Call<'_>) -> Result<Reply> {
        (self.handler)(call).await
    }
}

/// Handler of a route.
pub type Handler =
    for<'c> fn(&'c mut Call<'_>) -> Pin<Box<dyn Future<Output = Result<Reply>> + 'c>>;

/// Returns the segments of a path, percent-decoded.
pub(crate) fn decoded_segments(path: &str) -> Result<Vec<String>> {
    path.strip_prefix('/')
        .unwrap_or(path)
        .split('/')
        .map(|segment| {
            let broken = || {
                Error::malformed(
                    Code::MalformedPath,
                    "The path is not valid percent-encoded UTF-8.",
                )
            };
            if !is_percent_encoded(segment) {
                return Err(broken());
            }
            let decoded = percent_decode_str(segment)
                .decode_utf8()
                .map_err(|_| broken())?;
            if decoded.contains('\0') {
                return Err(broken());
            }
            Ok(decoded.into_owned())
        })
        .collect()
}

/// Returns true if every percent sign is followed by two hexadecimal digits.
fn is_percent_encoded(segment: &str) -> bool {
    segment.split('%').skip(1).all(|rest| {
        rest.as_bytes()
            .get(..2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Returns the segments that the braces of `pattern` match; `None` means that the path doesn't
/// match.
pub(crate) fn match_pattern(pattern: &str, segments: &[String]) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut given = segments.iter();
    for wanted in pattern.trim_matches('/').split('/') {
        let segment = given.next()?;
        if wanted.starts_with('{') {
            if segment.is_empty() {
                return None;
            }
            params.push(segment.clone());
        } else if wanted != segment {
            return None;
        }
    }
    given.next().is_none().then_some(params)
}

pub(crate) fn allow_header(methods: &[&Method]) -> String {
    let mut names: Vec<&str> = methods.iter().map(|method| (*method).as_ref()).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.join(", ")
}

/// Builds a table of routes: one line each with method, pattern, access (for staff with a
/// permission), limit, handler, and treatment of repeated requests.
macro_rules! routes {
    (@keys) => { Keys::Kept };
    (@keys $keys:ident) => { Keys::$keys };
    ($($method:ident $pattern:literal $access:ident $(($permission:ident))? $limit:ident $handler:path $(, $keys:ident)?;)*) => {
        &[$(Route {
            method: Method::$method,
            pattern: $pattern,
            access: Access::$access $((Permission::$permission))?,
            limit: Limit::$limit,
            handler_name: stringify!($handler),
            keys: routes!(@keys $($keys)?),
            handler: |call| Box::pin($handler(call)),
        }),*]
    };
}
pub(crate) use routes;
