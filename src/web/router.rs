//! The table of contents: every address of the shop, who it is for, and what answers it.

use crate::app::App;
use crate::error::{Error, Result};
use crate::shop::languages::Language;
use crate::shop::limits::Limit;
use crate::shop::ports::SettingsRecord;
use crate::web::api::{
    admin_catalog, admin_dead_letters, admin_findings, admin_media, admin_payments, admin_products,
    admin_settings, admin_stock, cart, health, order_status, orders, products, refunds, stock,
};
use crate::web::call::Call;
use crate::web::canonical::canonical_address;
use crate::web::guard::{self, Access};
use crate::web::idempotency::{Keys, answer_once};
use crate::web::log::{RequestLine, log_failure, log_request};
use crate::web::reply::Reply;
use crate::web::{answers, assets, media, pages, product_feed, sitemap, webhooks};
use percent_encoding::percent_decode_str;
use std::future::Future;
use std::pin::Pin;
use worker::web_sys::{Request, Response};
use worker::{Context, Env, Method};

/// One address and method.
pub struct Route {
    /// The method; GET answers HEAD as well.
    pub method: Method,
    /// Path whose braces match one segment each.
    pub pattern: &'static str,
    /// Who it is for.
    pub access: Access,
    /// How often one network may ask.
    pub limit: Limit,
    /// Which function answers, as the table names it.
    pub handler_name: &'static str,
    /// What becomes of an `Idempotency-Key`.
    pub keys: Keys,
    handler: Handler,
}

impl Route {
    /// Whether it is for people, in each of their languages.
    #[must_use]
    pub fn is_page(&self) -> bool {
        self.handler_name.starts_with("pages::")
    }

    /// Whether it is for programs.
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

type Handler = for<'c> fn(&'c mut Call<'_>) -> Pin<Box<dyn Future<Output = Result<Reply>> + 'c>>;

macro_rules! routes {
    (@keys) => { Keys::Kept };
    (@keys $keys:ident) => { Keys::$keys };
    ($($method:ident $pattern:literal $access:ident $limit:ident $handler:path $(, $keys:ident)?;)*) => {
        &[$(Route {
            method: Method::$method,
            pattern: $pattern,
            access: Access::$access,
            limit: Limit::$limit,
            handler_name: stringify!($handler),
            keys: routes!(@keys $($keys)?),
            handler: |call| Box::pin($handler(call)),
        }),*]
    };
}

/// Every route. The first that matches answers.
pub static ROUTES: &[Route] = routes! {
    Get    "/"                              Anyone Uncounted pages::home::show;
    Get    "/products"                      Anyone Uncounted pages::lists::list;
    Get    "/products/{handle}"             Anyone Uncounted pages::products::show;
    Get    "/collections/{category}"        Anyone Uncounted pages::lists::list_category;
    Get    "/cart"                          Anyone Personal  pages::cart::show;
    Post   "/cart/items"                    Anyone Cart      pages::cart::add;
    Post   "/cart/items/{sku}"              Anyone Cart      pages::cart::set;
    Get    "/checkout"                      Anyone Personal  pages::checkout::ask;
    Post   "/checkout"                      Anyone Checkout  pages::checkout::quote;
    Get    "/checkout/{quote_id}"           Anyone Personal  pages::checkout::review;
    Post   "/checkout/{quote_id}"           Anyone Checkout  pages::checkout::place;
    Get    "/_design"                       Developer Uncounted pages::design::show;
    Get    "/policies/{name}"               Anyone Uncounted pages::policies::show;
    Get    "/orders"                        Anyone Uncounted pages::lookup::ask;
    Post   "/orders"                        Anyone Lookup    pages::lookup::send;
    Post   "/orders/code"                   Anyone Lookup    pages::lookup::open;
    Get    "/orders/{id}"                   Anyone Personal  pages::orders::show;
    Get    "/orders/{id}/invoice"           Anyone Personal  pages::orders::show_invoice;
    Post   "/orders/{id}/open"              Anyone Personal  pages::orders::open;
    Post   "/orders/{id}/cancel"            Anyone Checkout  pages::orders::cancel;

    Get    "/api/v1/products"               Anyone Uncounted products::list_products;
    Get    "/api/v1/products/{handle}"      Anyone Uncounted products::get_product;
    Post   "/api/v1/products"               Staff  Staff     admin_products::create_product;
    Put    "/api/v1/products/{id}"          Staff  Staff     admin_products::update_product;
    Delete "/api/v1/products/{id}"          Staff  Staff     admin_products::delete_product;
    Get    "/api/v1/categories"             Anyone Uncounted products::list_categories;
    Get    "/api/v1/stock"                  Anyone Uncounted stock::list_stocks;
    Get    "/api/v1/stock/{sku}"            Anyone Uncounted stock::get_stock;
    Get    "/api/v1/stock/{sku}/live"       Anyone Personal  stock::watch_stock;
    Get    "/api/v1/cart"                   Anyone Personal  cart::get_cart;
    Post   "/api/v1/cart/items"             Anyone Cart      cart::add_cart_item, Own;
    Put    "/api/v1/cart/items/{sku}"       Anyone Cart      cart::set_cart_item;
    Delete "/api/v1/cart/items/{sku}"       Anyone Cart      cart::remove_cart_item;
    Delete "/api/v1/cart"                   Anyone Cart      cart::clear_cart;
    Put    "/api/v1/cart/note"              Anyone Cart      cart::set_cart_note;
    Get    "/api/v1/cart/shipping-methods"  Anyone Personal  cart::list_shipping_methods;
    Post   "/api/v1/cart/quote"             Anyone Checkout  cart::create_quote, Again;
    Post   "/api/v1/orders"                 Anyone Checkout  orders::create_order, Own;
    Get    "/api/v1/orders"                 Anyone Personal  orders::list_orders;
    Get    "/api/v1/orders/{id}"            Anyone Personal  orders::get_order;
    Get    "/api/v1/orders/{id}/status"     Anyone Personal  order_status::get_order_status;
    Put    "/api/v1/orders/{id}/status"     Staff  Staff     orders::set_order_status;
    Post   "/api/v1/orders/{id}/cancel"     Anyone Checkout  orders::cancel_order, Again;
    Post   "/api/v1/orders/{id}/fulfillments" Staff  Staff     orders::create_fulfillment, Own;
    Post   "/api/v1/orders/{id}/fulfillments/{fulfillment_id}/delivered" Staff  Staff     orders::deliver_fulfillment, Again;
    Post   "/api/v1/orders/{id}/returns"    Staff  Staff     orders::create_return, Own;
    Post   "/api/v1/orders/{id}/refunds"    Staff  Staff     refunds::create_refund, Own;

    Get    "/api/v1/admin/findings"         Staff  Staff     admin_findings::list_findings;
    Post   "/api/v1/admin/findings/{id}/close" Staff  Staff  admin_findings::close_finding, Again;
    Post   "/api/v1/admin/catalog/import"   Staff  Staff     admin_catalog::import_products, Own;
    Get    "/api/v1/admin/catalog/export"   Staff  Staff     admin_catalog::export_products;
    Post   "/api/v1/admin/catalog/publish"  Staff  Staff     admin_catalog::publish_catalog;
    Get    "/api/v1/admin/catalog/publishes/{seq}" Staff  Staff     admin_catalog::get_publish;
    Delete "/api/v1/admin/catalog/publishes/{seq}" Staff  Staff     admin_catalog::cancel_publish;
    Post   "/api/v1/admin/catalog/rollback" Staff  Staff     admin_catalog::rollback_catalog;
    Get    "/api/v1/admin/media"            Staff  Staff     admin_media::list_media;
    Post   "/api/v1/admin/media"            Staff  Staff     admin_media::create_media, Own;
    Delete "/api/v1/admin/media/{name}"     Staff  Staff     admin_media::remove_media;
    Get    "/api/v1/admin/products/{id}"    Staff  Staff     admin_products::get_recorded_product;
    Get    "/api/v1/admin/stock/{sku}"      Staff  Staff     admin_stock::get_stock;
    Post   "/api/v1/admin/stock/{sku}"      Staff  Staff     admin_stock::change_stock, Own;
    Get    "/api/v1/admin/stock/{sku}/movements" Staff  Staff     admin_stock::list_stock_movements;
    Get    "/api/v1/admin/stock/{sku}/check" Staff  Staff     admin_stock::check_stock;
    Post   "/api/v1/admin/stock/{sku}/repair" Staff  Staff     admin_stock::repair_stock, Again;

    Get    "/api/v1/admin/settings"         Staff  Staff     admin_settings::get_settings;
    Put    "/api/v1/admin/settings"         Staff  Staff     admin_settings::set_settings;
    Get    "/api/v1/admin/settings/currencies" Staff  Staff     admin_settings::get_currencies;
    Put    "/api/v1/admin/settings/currencies" Staff  Staff     admin_settings::set_currencies;
    Get    "/api/v1/admin/settings/markets" Staff  Staff     admin_settings::get_markets;
    Put    "/api/v1/admin/settings/markets" Staff  Staff     admin_settings::set_markets;
    Get    "/api/v1/admin/settings/tax-zones" Staff  Staff     admin_settings::get_tax_zones;
    Put    "/api/v1/admin/settings/tax-zones" Staff  Staff     admin_settings::set_tax_zones;
    Get    "/api/v1/admin/settings/shipping-zones" Staff  Staff     admin_settings::get_shipping_zones;
    Put    "/api/v1/admin/settings/shipping-zones" Staff  Staff     admin_settings::set_shipping_zones;
    Get    "/api/v1/admin/settings/promotions" Staff  Staff     admin_settings::get_promotions;
    Put    "/api/v1/admin/settings/promotions" Staff  Staff     admin_settings::set_promotions;
    Get    "/api/v1/admin/scheduled-prices/{sku}" Staff  Staff     admin_settings::get_scheduled_prices;
    Put    "/api/v1/admin/scheduled-prices/{sku}" Staff  Staff     admin_settings::set_scheduled_prices;

    Get    "/api/v1/admin/dead-letters"              Staff  Staff     admin_dead_letters::list_dead_letters;
    Post   "/api/v1/admin/dead-letters/replay"       Staff  Staff     admin_dead_letters::replay_letters;
    Get    "/api/v1/admin/dead-letters/{id}"         Staff  Staff     admin_dead_letters::get_dead_letter;
    Post   "/api/v1/admin/dead-letters/{id}/replay"  Staff  Staff     admin_dead_letters::replay_letter;
    Post   "/api/v1/admin/dead-letters/{id}/discard" Staff  Staff     admin_dead_letters::discard_letter;
    Get    "/api/v1/admin/payments/provider"         Staff  Staff     admin_payments::get_payment_provider;
    Get    "/api/v1/admin/payments/{order_id}"       Staff  Staff     admin_payments::get_payment;

    Get    "/assets/{name}"                 Anyone Uncounted assets::show_outdated;
    Get    "/assets/{folder}/{name}"        Anyone Uncounted assets::show_outdated;
    Get    "/media/{name}"                  Anyone Uncounted media::show;
    Get    "/media/{width}/{name}"          Anyone Uncounted media::show_at_width;
    Get    "/offline"                       Anyone Uncounted pages::offline::show;
    Get    "/offline/kept"                  Anyone Uncounted pages::offline::show_kept;
    Get    "/service-worker.js"             Anyone Uncounted pages::offline::service_worker;
    Get    "/speculation-rules.json"        Anyone Uncounted pages::offline::speculation_rules;
    Get    "/robots.txt"                    Anyone Uncounted sitemap::robots;
    Get    "/sitemap.xml"                   Anyone Uncounted sitemap::index;
    Get    "/sitemaps/{part}"               Anyone Uncounted sitemap::part;
    Get    "/feeds/google.xml"              Anyone Uncounted product_feed::show;
    Post   "/webhooks/stripe"               Signed Uncounted webhooks::receive;
    Get    "/healthz"                       Anyone Uncounted health::live;
    Get    "/readyz"                        Anyone Uncounted health::ready;
};

/// The answer that the isolate keeps, if it keeps one. It is not logged: the platform's own log of it says as much, and a line would
/// cost more than the answer.
#[must_use]
pub fn serve_kept(request: &Request, env: &Env, context: &Context) -> Option<Response> {
    let app = App::new(env).ok()?;
    let answer = answers::kept(&app, request)?;
    let response = answer.response(request, &app.request_id()).ok()?;
    refresh_behind(&app, context);
    Some(response)
}

/// The answer while the configuration is at fault: what is wrong with it stands in the log alone.
const NOT_CONFIGURED: Error = Error::Unavailable {
    code: "not_configured",
    retry_after_secs: 60,
};

/// Answers a request: routes it, turns an error into a problem or a page, adds the headers of every answer, logs one line.
///
/// # Errors
/// Only when the platform can't make a response.
pub async fn serve(request: Request, env: &Env, context: &Context) -> worker::Result<Response> {
    let app = match App::new(env) {
        Ok(app) => app,
        Err(error) => {
            log_failure("configuration", "app", &error);
            return Reply::problem(&NOT_CONFIGURED, "").response(false);
        }
    };
    let response = answer(&app, request).await?;
    refresh_behind(&app, context);
    Ok(response)
}

/// Routes, renders and logs.
async fn answer(app: &App, request: Request) -> worker::Result<Response> {
    let address = request.url();
    let request_id = app.request_id();
    let seq = app.catalog_seq();
    let request = worker::Request::from(request);
    let method = request.method();
    let mut call = Call::new(app, &request_id, request.url()?, request);

    let outcome = dispatch(&mut call).await;
    let error = outcome.as_ref().err().map(ToString::to_string);
    let mut reply = match outcome {
        Ok(reply) => reply,
        Err(error) => pages::error::show(&mut call, &error).await,
    };
    reply = reply.kept_by_nobody_unless_said();
    let of_all = guard::security_headers(&app.config)
        .into_iter()
        .filter(|(name, _)| !reply.says(name));
    let of_all: Vec<_> = of_all.collect();
    reply.headers.extend(of_all);
    reply.headers.extend(guard::cors_headers(&call));
    let known = reply.is_public()
        && reply.status == 200
        && call
            .header("If-None-Match")
            .is_some_and(|tags| answers::names(&tags, &reply.etag()));
    let headers = reply.header_list()?;
    if let Some(seq) = seq.or_else(|| app.catalog_seq())
        && reply.is_public()
        && reply.status == 200
        && method == Method::Get
    {
        answers::keep(app, &address, seq, &reply, &headers)?;
    }
    if known {
        reply.status = 304;
    }
    headers.set("X-Request-Id", &request_id)?;
    log_request(&RequestLine {
        request_id: &request_id,
        method: method.as_ref(),
        path: call.url.path(),
        status: reply.status,
        millis: app.millis_since(),
        error: error.as_deref(),
    });
    match (call.take_socket(), call.take_stream()) {
        (Some(socket), _) => Ok(worker::Response::from_websocket(socket)?.into()),
        (None, Some(stream)) if method != Method::Head => reply.streamed(&headers, &stream),
        _ => reply.response_with(&headers, known || method == Method::Head),
    }
}

/// The pointer of the catalog and the settings are looked at behind an answer, so that no shopper waits for them.
fn refresh_behind(app: &App, context: &Context) {
    if let Some(catalog) = app.catalog_to_refresh() {
        context.wait_until(async move {
            if let Err(error) = catalog.refresh().await {
                log_failure("catalog_not_refreshed", "pointer", &error);
            }
        });
    }
    if let Some(settings) = app.settings_to_refresh() {
        context.wait_until(async move {
            if let Err(error) = settings.current_settings().await {
                log_failure("settings_not_refreshed", "settings", &error);
            }
        });
    }
}

async fn dispatch(call: &mut Call<'_>) -> Result<Reply> {
    if let Some(path) = canonical_path(call.url.path()) {
        return to_canonical(call, path);
    }
    let mut segments = decoded_segments(call.url.path())?;
    let language = segments
        .first()
        .and_then(|segment| Language::of_segment(segment));
    if let Some(language) = language {
        call.language = language;
        segments.remove(0);
        if segments.is_empty() {
            segments.push(String::new());
        }
    }
    let method = match call.method() {
        Method::Head => Method::Get,
        method => method,
    };
    let mut allowed = Vec::new();
    for route in ROUTES
        .iter()
        .filter(|route| language.is_none() || route.is_page())
    {
        let Some(params) = match_pattern(route.pattern, &segments) else {
            continue;
        };
        if route.method != method {
            allowed.push(&route.method);
            continue;
        }
        call.params = params;
        if method == Method::Get
            && let Some(address) = canonical_address(route.pattern, &call.url)
        {
            return Ok(Reply::moved(address));
        }
        guard::check(route.access, call)?;
        guard::count(route.limit, call).await?;
        return answer_once(route, call).await;
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

/// The address that `path` means, with single slashes and none at its end; none when it is that already. Links made of a path that
/// begins with two would lead to another host.
fn canonical_path(path: &str) -> Option<String> {
    let is_canonical = path == "/" || !(path.contains("//") || path.ends_with('/'));
    if is_canonical {
        return None;
    }
    let segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
    Some(format!("/{}", segments.join("/")))
}

/// Who looks is sent on; what changes something is sent to its own address or nowhere.
fn to_canonical(call: &Call<'_>, path: String) -> Result<Reply> {
    if !matches!(call.method(), Method::Get | Method::Head) {
        return Err(Error::NotFound("page"));
    }
    let location = match call.url.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    Ok(Reply::moved_for_good(location))
}

/// The segments of a path, percent-decoded.
fn decoded_segments(path: &str) -> Result<Vec<String>> {
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
        assert_eq!(matched("/products", "/products"), Some(vec![]));
    }

    #[test]
    fn a_path_has_single_slashes_and_none_at_its_end() {
        for (path, canonical) in [
            ("//evil.example/x", "/evil.example/x"),
            ("/de//evil.example", "/de/evil.example"),
            ("/products/", "/products"),
            ("///", "/"),
            ("//", "/"),
            ("/de/", "/de"),
        ] {
            assert_eq!(canonical_path(path).as_deref(), Some(canonical), "{path}");
            assert_eq!(canonical_path(canonical), None, "{canonical}");
        }
        for path in ["/", "/products", "/products/a%2F%2Fb"] {
            assert_eq!(canonical_path(path), None, "{path}");
        }
    }

    #[test]
    fn pages_are_what_people_see() {
        let pages = ROUTES.iter().filter(|route| route.is_page());
        for route in pages {
            let for_machines = ["/api/", "/webhooks/", "/healthz", "/readyz"];
            assert!(
                for_machines
                    .iter()
                    .all(|start| !route.pattern.starts_with(start)),
                "{}",
                route.pattern
            );
        }
        let home = ROUTES.iter().find(|route| route.pattern == "/");
        assert!(home.is_some_and(Route::is_page));
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
            let changes_products =
                route.method != Method::Get && route.pattern.starts_with("/api/v1/products");
            let for_staff = changes_products || route.pattern.starts_with("/api/v1/admin/");
            assert!(
                !for_staff || route.access == Access::Staff,
                "{}",
                route.pattern
            );
        }
    }

    proptest! {
        #[test]
        fn no_canonical_path_leads_to_another_host(path in "/[/a.%5C]{0,20}") {
            let canonical = canonical_path(&path).unwrap_or(path);
            prop_assert!(!canonical.starts_with("//") && !canonical.contains("//"));
            prop_assert_eq!(canonical_path(&canonical), None);
        }

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
