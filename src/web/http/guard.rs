//! What stands before every handler: who may come in, from where, and what every answer says to
//! browsers.

use crate::app::config::Config;
use crate::web::http::call::Call;
use crate::web::http::log::log_failure;
use shop::checkout::pending::Visitor;
use shop::customers::challenge::Solution;
use shop::customers::limits;
use shop::customers::limits::{Limit, network_of};
use shop::customers::permissions::Permission;
use shop::error::{Error, Result};
use worker::Method;

/// Who a route is for; a route without one does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone. What belongs to a person is checked by the handler against the token shown.
    Anyone,
    /// Staff whose key grants this permission.
    Staff(Permission),
    /// A provider, by its signature under the body, which the handler verifies before anything
    /// else: it is asked nothing here.
    Signed,
    /// A developer on their own machine; to everyone else it is not there.
    Developer,
}

/// Lets the call in, or says why not.
///
/// # Errors
/// 401 `staff_only`, 403 `permission_required`, 403 `cross_site`; 404 for what is a developer's
/// alone.
pub fn check(access: Access, call: &Call<'_>) -> Result<()> {
    match access {
        Access::Staff(permission) => call.identity().check(permission)?,
        Access::Developer if !is_at_home(call) => return Err(Error::NotFound("page")),
        _ => {}
    }
    if access != Access::Signed && is_cross_site(call) {
        return Err(Error::Forbidden { code: "cross_site" });
    }
    Ok(())
}

/// Counts the call in its class, by the name of staff, else by the network it comes from.
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

/// Whoever calls, as their pending orders are counted; `token` is what solves the challenge, empty
/// where the call shows nothing.
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

/// The network that the call comes from, by the one header that nobody but the platform writes.
#[must_use]
pub fn network(call: &Call<'_>) -> String {
    network_of(&call.header("CF-Connecting-IP").unwrap_or_default())
}

/// Whether the shop runs on the caller's own machine.
fn is_at_home(call: &Call<'_>) -> bool {
    let host = call.url.host_str().unwrap_or_default();
    call.app.config.in_development && HOME.contains(&host)
}

/// Hosts that lead back to one's own machine.
const HOME: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// A change that a browser sends must come from the shop's own pages: by `Sec-Fetch-Site`, else by
/// `Origin`. Cookies do not matter: `SameSite` withholds them from another site's form, and what
/// such a form begins would still become the shopper's own, as a new cart does by its `Set-Cookie`.
/// Who sends neither header is no browser.
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

/// A page of a configured origin calls the API for itself, by tokens: it brings no one's cookies.
fn is_invited(call: &Call<'_>) -> bool {
    call.header("Cookie").is_none() && configured_origin(call).is_some()
}

/// The origin of the page that calls the API, where it is one that may.
fn configured_origin(call: &Call<'_>) -> Option<String> {
    let origin = call.header("Origin")?;
    let may = is_for_programs(call) && call.app.config.cors_origins.contains(&origin);
    may.then_some(origin)
}

fn is_for_programs(call: &Call<'_>) -> bool {
    call.url.path().starts_with("/api/")
}

/// Headers of every answer.
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

/// The policy of a page that shows a widget of `origin`: its script, and its frame.
#[must_use]
pub fn policy_with_widget(config: &Config, origin: &str) -> (&'static str, String) {
    let policy = content_security_policy(config, &format!(" {origin}"));
    (
        CONTENT_SECURITY_POLICY,
        format!("{policy}; frame-src {origin}"),
    )
}

const CONTENT_SECURITY_POLICY: &str = "Content-Security-Policy";

/// Nothing inline. Pictures may come from a merchant's image host; a form may lead to the payment
/// page, since Chromium checks `form-action` on the redirect that follows it too.
fn content_security_policy(config: &Config, more_scripts: &str) -> String {
    format!(
        "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; form-action 'self' {}; \
         frame-ancestors 'none'; img-src 'self' data: https:; manifest-src 'self'; script-src 'self'{more_scripts}; style-src 'self'",
        config.payment_origins
    )
}

/// What lets a page of another origin read the answer; nothing for origins that are not configured.
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
