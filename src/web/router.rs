//! Routing: from a URL to the route that handles it.

use crate::app::App;
use crate::app::config::unset_secrets;
use crate::web::http::call::Call;
use crate::web::http::canonical::canonical_address;
use crate::web::http::idempotency::answer_once;
use crate::web::http::log::{RequestLine, log_failure, log_request};
use crate::web::http::reply::Reply;
use crate::web::http::route::{allow_header, decoded_segments, match_pattern};
use crate::web::http::{answers, guard};
use crate::web::pages;
use crate::web::routes::all_routes;
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::operations::production::how_to_configure;
use shop::pricing::settings::SettingsRecord;
use worker::web_sys::{Request, Response};
use worker::{Context, Env, Method};

/// Returns the isolate's cached response, if there is one. It is not logged: the platform's own log
/// contains the same, and a line would cost more than the response.
#[must_use]
pub fn serve_kept(request: &Request, env: &Env, context: &Context) -> Option<Response> {
    let app = App::new(env).ok()?;
    let answer = answers::kept(&app, request)?;
    let response = answer.response(request, &app.request_id()).ok()?;
    refresh_behind(&app, context);
    Some(response)
}

/// Response while the configuration is faulty. It names the secrets that are not set; what is wrong
/// with the others is only logged.
const NOT_CONFIGURED: Error = Error::Unavailable {
    code: Code::NotConfigured,
    retry_after_secs: 60,
};

/// Answers a request: routes it, turns an error into a problem document or a page, adds the headers
/// of every response, and logs one line.
///
/// # Errors
/// Only when the platform can't create a response.
pub async fn serve(request: Request, env: &Env, context: &Context) -> worker::Result<Response> {
    let app = match App::new(env) {
        Ok(app) => app,
        Err(error) => {
            log_failure("configuration", "app", &error);
            let mut problem = NOT_CONFIGURED.problem("");
            problem.detail = how_to_configure(&unset_secrets(env));
            return Reply::told(&NOT_CONFIGURED, &problem).response(false);
        }
    };
    let response = answer(&app, request).await?;
    refresh_behind(&app, context);
    Ok(response)
}

/// Routes, renders and logs.
pub(crate) async fn answer(app: &App, request: Request) -> worker::Result<Response> {
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

/// Refreshes the catalog's pointer and the settings after the response, so that no shopper waits
/// for them.
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
        .and_then(|segment| call.channel.languages.of_segment(segment));
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
    for route in all_routes().filter(|route| language.is_none() || route.is_page()) {
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

/// Returns the canonical form of `path`, with single slashes and none at the end; `None` means it
/// is canonical already. A link made from a path that begins with two slashes would lead to another
/// host.
fn canonical_path(path: &str) -> Option<String> {
    let is_canonical = path == "/" || !(path.contains("//") || path.ends_with('/'));
    if is_canonical {
        return None;
    }
    let segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
    Some(format!("/{}", segments.join("/")))
}

/// Redirects reads to the canonical path. A change must be sent to the right path, or it fails.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::http::route::Route;
    use crate::web::router::guard::Access;
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
        let pages = all_routes().filter(|route| route.is_page());
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
        let home = all_routes().find(|route| route.pattern == "/");
        assert!(home.is_some_and(Route::is_page));
    }

    #[test]
    fn broken_paths_are_refused() {
        for path in ["/%", "/%2", "/%zz", "/%ff", "/%00"] {
            assert_eq!(
                decoded_segments(path).unwrap_err().code(),
                Code::MalformedPath,
                "{path}"
            );
        }
    }

    #[test]
    fn no_route_stands_twice_and_admin_is_for_staff() {
        let mut seen = HashSet::new();
        for route in all_routes() {
            assert!(
                seen.insert((route.method.to_string(), route.pattern)),
                "{}",
                route.pattern
            );
            let changes_products =
                route.method != Method::Get && route.pattern.starts_with("/api/v1/products");
            let for_staff = changes_products || route.pattern.starts_with("/api/v1/admin/");
            assert!(
                !for_staff || matches!(route.access, Access::Staff(_)),
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
                for route in all_routes() {
                    let _ = match_pattern(route.pattern, &segments);
                }
            }
        }
    }
}
