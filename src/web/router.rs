//! The table of contents: every address of the shop, who it is for, and what answers it.

use crate::app::App;
use crate::error::{Error, Result};
use crate::web::api::{
    admin_catalog, admin_dead_letters, admin_payments, admin_stock, cart, health, orders, products,
};
use crate::web::call::Call;
use crate::web::guard::{self, Access};
use crate::web::log::{RequestLine, log_failure, log_request};
use crate::web::reply::Reply;
use crate::web::{pages, webhooks};
use percent_encoding::percent_decode_str;
use std::future::Future;
use std::pin::Pin;
use worker::{Env, Method, Request, Response};

/// One address and method.
pub struct Route {
    /// The method; GET answers HEAD as well.
    pub method: Method,
    /// Path whose braces match one segment each.
    pub pattern: &'static str,
    /// Who it is for.
    pub access: Access,
    handler: Handler,
}

type Handler = for<'c> fn(&'c mut Call<'_>) -> Pin<Box<dyn Future<Output = Result<Reply>> + 'c>>;

macro_rules! routes {
    ($($method:ident $pattern:literal $access:ident $handler:path;)*) => {
        &[$(Route {
            method: Method::$method,
            pattern: $pattern,
            access: Access::$access,
            handler: |call| Box::pin($handler(call)),
        }),*]
    };
}

/// Every route. The first that matches answers.
pub static ROUTES: &[Route] = routes! {
    Get    "/"                              Anyone pages::home::show;
    Get    "/products"                      Anyone pages::products::list;
    Get    "/products/{handle}"             Anyone pages::products::show;
    Get    "/collections/{category}"        Anyone pages::products::list_category;
    Get    "/cart"                          Anyone pages::cart::show;
    Post   "/cart/items"                    Anyone pages::cart::add;
    Post   "/cart/items/{sku}"              Anyone pages::cart::set;
    Get    "/checkout"                      Anyone pages::checkout::ask;
    Post   "/checkout"                      Anyone pages::checkout::quote;
    Get    "/checkout/{quote_id}"           Anyone pages::checkout::review;
    Post   "/checkout/{quote_id}"           Anyone pages::checkout::place;
    Get    "/orders/{id}"                   Anyone pages::orders::show;

    Get    "/api/v1/products"               Anyone products::list_products;
    Get    "/api/v1/products/{handle}"      Anyone products::get_product;
    Get    "/api/v1/cart"                   Anyone cart::get_cart;
    Post   "/api/v1/cart/items"             Anyone cart::add_cart_item;
    Put    "/api/v1/cart/items/{sku}"       Anyone cart::set_cart_item;
    Delete "/api/v1/cart/items/{sku}"       Anyone cart::remove_cart_item;
    Post   "/api/v1/cart/quote"             Anyone cart::create_quote;
    Post   "/api/v1/orders"                 Anyone orders::create_order;
    Get    "/api/v1/orders/{id}"            Anyone orders::get_order;

    Post   "/api/v1/admin/catalog/import"   Staff  admin_catalog::import_products;
    Post   "/api/v1/admin/catalog/publish"  Staff  admin_catalog::publish_catalog;
    Get    "/api/v1/admin/stock/{sku}"      Staff  admin_stock::get_stock;
    Post   "/api/v1/admin/stock/{sku}"      Staff  admin_stock::receive_stock;

    Get    "/api/v1/admin/dead-letters"              Staff  admin_dead_letters::list_dead_letters;
    Post   "/api/v1/admin/dead-letters/replay"       Staff  admin_dead_letters::replay_letters;
    Get    "/api/v1/admin/dead-letters/{id}"         Staff  admin_dead_letters::get_dead_letter;
    Post   "/api/v1/admin/dead-letters/{id}/replay"  Staff  admin_dead_letters::replay_letter;
    Post   "/api/v1/admin/dead-letters/{id}/discard" Staff  admin_dead_letters::discard_letter;
    Get    "/api/v1/admin/payments/provider"         Staff  admin_payments::get_payment_provider;

    Post   "/webhooks/stripe"               Anyone webhooks::receive;
    Get    "/healthz"                       Anyone health::live;
    Get    "/readyz"                        Anyone health::ready;
};

/// Answers a request: routes it, turns an error into a problem or a page, adds the headers of every answer, logs one line.
///
/// # Errors
/// Only when the platform can't make a response.
pub async fn serve(request: Request, env: &Env) -> worker::Result<Response> {
    let method = request.method();
    let app = match App::new(env) {
        Ok(app) => app,
        Err(error) => {
            log_failure("configuration", "app", &error);
            return Reply::problem(&error, "").into_response(method == Method::Head);
        }
    };
    let url = request.url()?;
    let path = url.path().to_owned();
    let request_id = app.new_id("req").unwrap_or_default();
    let mut call = Call::new(&app, &request_id, url, request);

    let outcome = dispatch(&mut call).await;
    let error = outcome.as_ref().err().map(ToString::to_string);
    let mut reply = match outcome {
        Ok(reply) => reply,
        Err(error) => pages::error::show(&call, &error),
    };
    reply.headers.extend(guard::security_headers(&app.config));
    reply.headers.extend(guard::cors_headers(&call));
    reply.headers.push(("X-Request-Id", request_id.clone()));
    log_request(&RequestLine {
        request_id: &request_id,
        method: method.as_ref(),
        path: &path,
        status: reply.status,
        millis: app.millis_since(),
        error: error.as_deref(),
    });
    reply.into_response(method == Method::Head)
}

async fn dispatch(call: &mut Call<'_>) -> Result<Reply> {
    let segments = decoded_segments(call.url.path())?;
    let method = match call.method() {
        Method::Head => Method::Get,
        method => method,
    };
    let mut allowed = Vec::new();
    for route in ROUTES {
        let Some(params) = match_pattern(route.pattern, &segments) else {
            continue;
        };
        if route.method != method {
            allowed.push(&route.method);
            continue;
        }
        call.params = params;
        guard::check(route.access, call)?;
        return (route.handler)(call).await;
    }
    if allowed.is_empty() {
        return Err(Error::NotFound("page"));
    }
    let allow = allow_header(&allowed);
    if method == Method::Options {
        return Ok(Reply::empty(204).with("Allow", allow));
    }
    Err(Error::MethodNotAllowed(allow))
}

/// The segments of a path, percent-decoded; a trailing slash is none.
fn decoded_segments(path: &str) -> Result<Vec<String>> {
    path.trim_matches('/')
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

/// What the braces of `pattern` match, or none when the path is another.
fn match_pattern(pattern: &str, segments: &[String]) -> Option<Vec<String>> {
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

fn allow_header(methods: &[&Method]) -> String {
    let mut names: Vec<&str> = methods.iter().map(|method| (*method).as_ref()).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn matched(pattern: &str, path: &str) -> Option<Vec<String>> {
        match_pattern(pattern, &decoded_segments(path).unwrap())
    }

    #[test]
    fn braces_match_one_decoded_segment() {
        assert_eq!(matched("/", "/"), Some(vec![]));
        assert_eq!(
            matched("/products/{handle}", "/products/a%20b"),
            Some(vec!["a b".into()])
        );
        assert_eq!(
            matched("/products/{handle}", "/products/a%2Fb"),
            Some(vec!["a/b".into()])
        );
        assert_eq!(matched("/products/{handle}", "/products/a/b"), None);
        assert_eq!(matched("/products/{handle}", "/products/"), None);
        assert_eq!(matched("/products", "/products/"), Some(vec![]));
    }

    #[test]
    fn broken_paths_are_refused() {
        for path in ["/%", "/%2", "/%zz", "/%ff", "/%00"] {
            assert_eq!(
                decoded_segments(path).unwrap_err().code(),
                "malformed_path",
                "{path}"
            );
        }
    }

    #[test]
    fn no_route_stands_twice_and_admin_is_for_staff() {
        let mut seen = HashSet::new();
        for route in ROUTES {
            assert!(
                seen.insert((route.method.to_string(), route.pattern)),
                "{}",
                route.pattern
            );
            assert_eq!(
                route.access == Access::Staff,
                route.pattern.starts_with("/api/v1/admin/"),
                "{}",
                route.pattern
            );
        }
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "/.{0,80}") {
            if let Ok(segments) = decoded_segments(&path) {
                for route in ROUTES {
                    let _ = match_pattern(route.pattern, &segments);
                }
            }
        }
    }
}
