//! Errors for people: a page for who asked for one, a problem document for everyone else.

use crate::error::Error;
use crate::web::call::Call;
use crate::web::cart_token::forget_cookie;
use crate::web::pages::layout::{Visit, page};
use crate::web::reply::{Reply, headers_of};
use maud::html;

/// The answer to a request that was not carried out.
#[must_use]
pub fn show(call: &Call<'_>, error: &Error) -> Reply {
    let mut reply = if wants_page(call) {
        error_page(call, error)
    } else {
        Reply::problem(error, call.request_id)
    };
    if error.code() == "invalid_cart_token" && call.header("Cookie").is_some() {
        reply.headers.push(("Set-Cookie", forget_cookie()));
    }
    reply
}

fn wants_page(call: &Call<'_>) -> bool {
    let path = call.url.path();
    let for_machines =
        path.starts_with("/api/") || path.starts_with("/webhooks/") || path == "/readyz";
    !for_machines
        && call
            .header("Accept")
            .is_some_and(|accept| accept.contains("text/html"))
}

fn error_page(call: &Call<'_>, error: &Error) -> Reply {
    let Ok(visit) = Visit::in_default_currency(call) else {
        return Reply::problem(error, call.request_id);
    };
    let mut reply = page(
        error.status(),
        &visit,
        error.title(),
        &html! {
            section class="notice" {
                h1 { (error.title()) }
                p { (error.detail()) }
                p {
                    a class="button" href=(visit.link("/products")) { "Browse the shop" }
                    " "
                    a href=(visit.link("/cart")) { "Go to your cart" }
                }
                p class="quiet" { "Request " (call.request_id) }
            }
        },
    );
    reply.headers.extend(headers_of(error));
    reply
}
