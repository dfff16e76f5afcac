//! Checks before every handler (access, origin, rate limits), and the security headers of every
//! response.

use crate::app::config::Config;
use crate::web::http::call::Call;
use crate::web::http::log::log_failure;
use shop::checkout::pending::Visitor;
use shop::codes::Code;
use shop::customers::challenge::Solution;
use shop::customers::limits;
use shop::customers::limits::{Limit, network_of};
use shop::customers::permissions::Permission;
use shop::error::{Error, Result};
use worker::Method;

/// Audience of a route. A route without one does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone. The handler checks access to personal data by the token that the caller shows.
    Anyone,
    /// Staff whose key grants this permission.
    Staff(Permission),
    /// A provider, identified by the signature of the body. The handler verifies it before anything
    /// else; nothing is checked here.
    Signed,
    /// A developer on their own machine; for everyone else the route does not exist.
    Developer,
}

/// Admits or refuses the call.
///
/// # Errors
/// 401 `staff_only`, 403 `permission_required`, 403 `cross_site`; 404 for routes that are for
/// developers only.
pub fn check(access: Access, call: &Call<'_>) -> Result<()> {
    match access {
        Access::Staff(permission) => call.identity().check(permission)?,
        Access::Developer if !is_at_home(call) => return Err(Error::NotFound("page")),
        _ => {}
    }
    if access != Access::Signed && is_cross_site(call) {
        return Err(Error::Forbidden {
            code: Code::CrossSite,
        });
    }
    Ok(())
}

/// Counts the call toward its rate limit, by the name of the staff member or else by the caller's
/// network.
///
/// # Errors
/// 429 `too_many_requests`.
pub async fn count(limit: Limit, call: &Call<'_>) -> Result<()> {
    let (limit, key) = class_of(limit, call);
    let failure = limits::count(&call.app.limiters(), limit, &key).await?;
    if let Some(failure) = failure {
        log_failure("limiter_failed", call.request_id, &failure);
    }
    Ok(())
}

fn class_of(limit: Limit, call: &Call<'_>) -> (Limit, String) {
    if limit == Limit::Uncounted {
        return (limit, String::new());
    }
    if let Some(name) = call.identity().staff_name() {
        return (Limit::Staff, name.to_string());
    }
    let begins_cart = limit == Limit::Cart && !call.identity().shows_cart();
    let limit = if begins_cart { Limit::NewCart } else { limit };
    (limit, network(call))
}

/// Returns the caller, by whom pending orders are counted. `token` is the solution of the
/// challenge; empty means that the call carries none.
#[must_use]
pub fn visitor(call: &Call<'_>, token: &str) -> Visitor {
    let config = &call.app.config;
    let address = call.header("CF-Connecting-IP").unwrap_or_default();
    Visitor {
        network: config.signer.sign("network", &network(call)),
        limits: config.pending,
        solution: Solution::read(token, address),
    }
}

/// Returns the network that the call comes from, according to the only header that nobody but the
/// platform can set.
#[must_use]
pub fn network(call: &Call<'_>) -> String {
    network_of(&call.header("CF-Connecting-IP").unwrap_or_default())
}

/// Returns true if the shop runs on the caller's own machine.
fn is_at_home(call: &Call<'_>) -> bool {
    let host = call.url.host_str().unwrap_or_default();
    call.app.config.in_development && HOME.contains(&host)
}

/// Hosts that refer to the caller's own machine.
const HOME: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Returns true for a change that a browser sends from another site, according to `Sec-Fetch-Site`
/// or else `Origin`. Cookies don't matter: `SameSite` withholds them from another site's form, but
/// whatever such a form starts could still become the shopper's own, as a new cart does through its
/// `Set-Cookie`. A client that sends neither header is not a browser.
fn is_cross_site(call: &Call<'_>) -> bool {
    let safe = matches!(call.method(), Method::Get | Method::Head | Method::Options);
    if safe || is_invited(call) {
        return false;
    }
    match (call.header("Sec-Fetch-Site"), call.header("Origin")) {
        (Some(site), _) => site != "same-origin" && site != "none",
        (None, Some(origin)) => origin != call.url.origin().ascii_serialization(),
        (None, None) => false,
    }
}

/// Returns true for a page of a configured origin, which calls the API with tokens and therefore
/// without anyone's cookies.
fn is_invited(call: &Call<'_>) -> bool {
    call.header("Cookie").is_none() && configured_origin(call).is_some()
}

/// Returns the origin of the calling page, if it is configured.
fn configured_origin(call: &Call<'_>) -> Option<String> {
    let origin = call.header("Origin")?;
    let may = is_for_programs(call) && call.app.config.cors_origins.contains(&origin);
    may.then_some(origin)
}

fn is_for_programs(call: &Call<'_>) -> bool {
    call.url.path().starts_with("/api/")
}

/// Returns the headers of every response.
#[must_use]
pub fn security_headers(config: &Config) -> [(&'static str, String); 6] {
    [
        (
            "Strict-Transport-Security",
            "max-age=63072000; includeSubDomains".to_owned(),
        ),
        (CONTENT_SECURITY_POLICY, content_security_policy(config, "")),
        ("X-Content-Type-Options", "nosniff".to_owned()),
        (
            "Referrer-Policy",
            "strict-origin-when-cross-origin".to_owned(),
        ),
        (
            "Permissions-Policy",
            "camera=(), geolocation=(), microphone=(), payment=()".to_owned(),
        ),
        ("X-Frame-Options", "DENY".to_owned()),
    ]
}

/// Returns the content security policy of a page with a widget from `origin`, which allows its
/// script and its frame.
#[must_use]
pub fn policy_with_widget(config: &Config, origin: &str) -> (&'static str, String) {
    let policy = content_security_policy(config, &format!(" {origin}"));
    (
        CONTENT_SECURITY_POLICY,
        format!("{policy}; frame-src {origin}"),
    )
}

const CONTENT_SECURITY_POLICY: &str = "Content-Security-Policy";

/// Returns a content security policy that allows nothing inline. Pictures may come from a
/// merchant's image host. A form may lead to the payment page, because Chromium also applies
/// `form-action` to the redirect that follows.
fn content_security_policy(config: &Config, more_scripts: &str) -> String {
    format!(
        "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; form-action 'self' {}; \
         frame-ancestors 'none'; img-src 'self' data: https:; manifest-src 'self'; script-src 'self'{more_scripts}; style-src 'self'",
        config.payment_origins
    )
}

/// Returns the headers that let a page of another origin read the response; none for origins that
/// are not configured.
#[must_use]
pub fn cors_headers(call: &Call<'_>) -> Vec<(&'static str, String)> {
    if !is_for_programs(call) {
        return vec![];
    }
    let vary = ("Vary", "Origin".to_owned());
    let Some(origin) = configured_origin(call) else {
        return vec![vary];
    };
    let mut headers = vec![
        vary,
        ("Access-Control-Allow-Origin", origin),
        (
            "Access-Control-Expose-Headers",
            "Cart-Token, ETag, Idempotent-Replayed, Retry-After, X-Request-Id".to_owned(),
        ),
    ];
    if call.method() == Method::Options {
        headers.push((
            "Access-Control-Allow-Methods",
            "GET, HEAD, POST, PUT, DELETE".to_owned(),
        ));
        headers.push((
            "Access-Control-Allow-Headers",
            "Authorization, Cart-Token, Challenge-Token, Content-Type, Idempotency-Key, If-Match, If-None-Match, Order-Token"
                .to_owned(),
        ));
        headers.push(("Access-Control-Max-Age", "86400".to_owned()));
    }
    headers
}
