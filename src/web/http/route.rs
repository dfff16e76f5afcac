//! One address of the shop: who it is for, how often, and what answers it.

use crate::web::http::call::Call;
use crate::web::http::guard::Access;
use crate::web::http::reply::Reply;
use percent_encoding::percent_decode_str;
use shop::customers::limits::Limit;
use shop::error::{Error, Result};
use std::future::Future;
use std::pin::Pin;
use worker::Method;

/// The place where the answer to a key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Here.
    Kept,
    /// The handler knows its repeats: the key names what it makes or the operation of an object, or
    /// the content names itself.
    Own,
    /// Nowhere but for what was asked: carrying it out again changes nothing, or makes what it made
    /// in its place, and the answer tells the present state.
    Again,
}

/// One address and method.
pub struct Route {
    /// The method; GET answers HEAD as well.
    pub method: Method,
    /// Path whose braces match one segment each.
    pub pattern: &'static str,
    /// The callers that it is for.
    pub access: Access,
    /// The limit of calls from one network.
    pub limit: Limit,
    /// Name of the function that answers, as the table has it.
    pub handler_name: &'static str,
    /// The treatment of an `Idempotency-Key`.
    pub keys: Keys,
    /// The function itself.
    pub handler: Handler,
}

impl Route {
    /// True for a page for people, in each of their languages.
    #[must_use]
    pub fn is_page(&self) -> bool {
        self.handler_name.starts_with("pages::")
    }

    /// True for a route for programs.
    #[must_use]
    pub fn is_api(&self) -> bool {
        self.pattern.starts_with("/api/v1/")
    }

    /// Carries out a call.
    ///
    /// # Errors
    /// The handler's.
    pub async fn answer(&self, call: &mut Call<'_>) -> Result<Reply> {
        (self.handler)(call).await
    }
}

/// The function that answers.
pub type Handler =
    for<'c> fn(&'c mut Call<'_>) -> Pin<Box<dyn Future<Output = Result<Reply>> + 'c>>;

/// The segments of a path, percent-decoded.
pub(crate) fn decoded_segments(path: &str) -> Result<Vec<String>> {
    path.strip_prefix('/')
        .unwrap_or(path)
        .split('/')
        .map(|segment| {
            let broken = || {
                Error::malformed(
                    "malformed_path",
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

/// Every percent sign is followed by two hexadecimal digits.
fn is_percent_encoded(segment: &str) -> bool {
    segment.split('%').skip(1).all(|rest| {
        rest.as_bytes()
            .get(..2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// The segments that the braces of `pattern` match. None means that the path is another.
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

/// A table of routes: method, pattern, access (for staff with a permission), limit, handler, and
/// what becomes of keys, a line each.
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
