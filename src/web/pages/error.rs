//! Errors: a page for clients that accept HTML, a problem document for all others.

use crate::web::http::call::{Call, Form};
use crate::web::http::cart_token::forget_cookie;
use crate::web::http::order_token::keep_open;
use crate::web::http::reply::{Reply, headers_of};
use crate::web::pages::cart::change_cart_form;
use crate::web::pages::fields::fault_text;
use crate::web::pages::layout::{page, search_form};
use crate::web::pages::locale::texts::Texts;
use crate::web::pages::visit::{PageContext, order_path};
use maud::{Markup, html};
use serde_json::Value;
use shop::checkout::freezing::order_in_the_way;
use shop::codes::Code;
use shop::error::Error;
use worker::Method;

/// Maximum number of categories shown on an error page.
const SECTIONS: usize = 6;

/// Returns the response to a failed request.
pub async fn show(call: &mut Call<'_>, error: &Error) -> Reply {
    let mut reply = if wants_page(call) {
        let unsent = unsent_form(call, error).await;
        error_page(call, error, unsent.as_ref()).await
    } else {
        Reply::problem(error, call.request_id)
    };
    if error.code() == Code::InvalidCartToken && call.header("Cookie").is_some() {
        reply.headers.push(("Set-Cookie", forget_cookie()));
    }
    reply
}

fn wants_page(call: &Call<'_>) -> bool {
    let path = call.path();
    let for_machines =
        path.starts_with("/api/") || path.starts_with("/webhooks/") || path == "/readyz";
    !for_machines
        && call
            .header("Accept")
            .is_some_and(|accept| accept.contains("text/html"))
}

/// Returns the values of a form that was rejected by a rate limit, before any handler had read it.
async fn unsent_form(call: &mut Call<'_>, error: &Error) -> Option<Form> {
    let came_too_soon = matches!(error, Error::TooMany { .. }) && call.method() == Method::Post;
    if !came_too_soon {
        return None;
    }
    call.form().await.ok().filter(|form| !form.0.is_empty())
}

async fn error_page(call: &Call<'_>, error: &Error, unsent: Option<&Form>) -> Reply {
    let visit = PageContext::of_or_in(call, call.channel.default_currency).await;
    let texts = visit.texts();
    let title = title_of(texts, error);
    let content = html! {
        section class="empty" {
            h1 { (title) }
            @for sentence in sentences_of(texts, error) { p { (sentence) } }
            @if let Some(form) = unsent { (again(call, texts, form)) }
            @match order_in_the_way(error) {
                Some(order_id) => p class="actions" {
                    a class="button" href=(order_path(&visit, &order_id)) { (texts.see_the_order) }
                    (change_cart_form(&visit, &order_id))
                },
                None if error.status() == 404 => (ways_on(&visit)),
                None => p class="actions" {
                    a class="button" href=(visit.link("/cart")) { (texts.go_to_cart) }
                    a class="button secondary" href=(visit.link("/products")) { (texts.browse_all) }
                },
            }
            p class="quiet" { (texts.request) " " code { (call.request_id) } }
        }
    };
    let mut reply = page(error.status(), &visit, title, &content);
    reply.headers.extend(headers_of(error));
    match order_in_the_way(error) {
        Some(order_id) => keep_open(reply, call, &order_id),
        None => reply,
    }
}

/// Renders the same form again behind a single button.
fn again(call: &Call<'_>, texts: &Texts, form: &Form) -> Markup {
    let query = call.url.query().map(|query| format!("?{query}"));
    html! {
        form method="post" action=(format!("{}{}", call.url.path(), query.unwrap_or_default())) {
            @for (name, value) in &form.0 { input type="hidden" name=(name) value=(value); }
            button { (texts.try_again) }
        }
    }
}

/// Renders a search form and links to the main categories.
fn ways_on(visit: &PageContext) -> Markup {
    let texts = visit.texts();
    html! {
        (search_form(visit, "search-again", ""))
        ul class="chips" {
            li { a href=(visit.link("/products")) { (texts.browse_all) } }
            @for (path, title) in visit.sections().take(SECTIONS) { li { a href=(path) { (title) } } }
        }
        p { a href=(visit.link("/orders")) { (texts.find_your_order) } }
    }
}

/// Returns the title of an error, worded for a visitor who pressed a button.
fn title_of(texts: &Texts, error: &Error) -> &'static str {
    match error.code() {
        Code::InvalidCartToken => texts.error_cart_token,
        Code::SoldOut => texts.error_sold_out,
        Code::Contended | Code::PromotionContended => texts.error_contended,
        _ => match error {
            Error::Conflict { .. } | Error::Invalid(_) => texts.error_refused,
            Error::NotFound(_) => texts.error_not_found,
            Error::Unavailable { .. } => texts.error_unavailable,
            Error::TooMany { .. } => texts.error_too_many,
            Error::Internal(_) => texts.error_internal,
            Error::Gone(_) => texts.error_gone,
            _ => texts.error_request,
        },
    }
}

/// Returns the explanation for a visitor: what happened, and what to do.
pub fn sentences_of(texts: &Texts, error: &Error) -> Vec<String> {
    let explained = (texts.explained)(error.code()).map(str::to_owned);
    match error {
        Error::Invalid(errors) => errors
            .iter()
            .map(|error| fault_text(texts, error))
            .collect(),
        Error::Conflict { detail, data, .. } => {
            std::iter::once(explained.unwrap_or_else(|| detail.clone()))
                .chain(short_lines(texts, data))
                .collect()
        }
        Error::TooMany {
            retry_after_secs, ..
        }
        | Error::Unavailable {
            retry_after_secs, ..
        } => explained
            .into_iter()
            .chain([(texts.try_again_in)(*retry_after_secs)])
            .collect(),
        Error::NotFound(_) => vec![texts.not_found_hint.to_owned()],
        Error::Internal(_) => vec![texts.internal_hint.to_owned()],
        _ => vec![explained.unwrap_or_else(|| error.detail())],
    }
}

/// Returns a sentence for each line that is short of stock.
fn short_lines(texts: &Texts, data: &Value) -> Vec<String> {
    let lines = data.get("lines").and_then(Value::as_array);
    lines
        .into_iter()
        .flatten()
        .filter_map(|line| {
            let most = line.get("max_quantity")?.as_i64()?;
            let titles = ["title", "variant_title"].map(|name| line.get(name)?.as_str());
            let titles: Vec<&str> = titles
                .into_iter()
                .flatten()
                .filter(|title| !title.is_empty())
                .collect();
            Some((texts.at_most_of)(&titles.join(", "), most))
        })
        .collect()
}
