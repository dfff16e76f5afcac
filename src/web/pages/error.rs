//! Errors for people: a page for who asked for one, a problem document for everyone else.

use crate::error::Error;
use crate::web::call::Call;
use crate::web::cart_token::forget_cookie;
use crate::web::pages::layout::{Visit, page};
use crate::web::reply::{Reply, headers_of};
use maud::html;
use serde_json::Value;

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
    let title = title_of(error);
    let mut reply = page(
        error.status(),
        &visit,
        title,
        &html! {
            section class="notice" {
                h1 { (title) }
                @for sentence in sentences_of(error) { p { (sentence) } }
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

/// What went wrong, to someone who sent no request but pressed a button.
fn title_of(error: &Error) -> &'static str {
    match error.code() {
        "invalid_cart_token" => "Your cart could not be opened",
        "sold_out" => "Not enough is left",
        "contended" => "Someone is faster right now",
        _ => match error {
            Error::Conflict { .. } | Error::Invalid(_) => "That did not work",
            _ => error.title(),
        },
    }
}

fn sentences_of(error: &Error) -> Vec<String> {
    match error {
        Error::Unauthorized {
            code: "invalid_cart_token",
        } => vec![
            "It was not one of ours and has been set aside. You can start a new one.".to_owned(),
        ],
        Error::Invalid(errors) => errors.iter().map(|error| error.detail.clone()).collect(),
        Error::Conflict { detail, data, .. } => std::iter::once(detail.clone())
            .chain(short_lines(data))
            .collect(),
        _ => vec![error.detail()],
    }
}

/// A sentence for each line that a refusal of stock names.
fn short_lines(data: &Value) -> Vec<String> {
    let lines = data.get("lines").and_then(Value::as_array);
    lines
        .into_iter()
        .flatten()
        .filter_map(|line| {
            let sku = line.get("sku")?.as_str()?;
            let most = line.get("max_quantity")?.as_i64()?;
            Some(format!("Of {sku} you can have {most}."))
        })
        .collect()
}
