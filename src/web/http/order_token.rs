//! Cookies that keep orders open in a browser, so that no token stays in an address.
//!
//! A cookie an order, so that one browser keeps several, and [`MAX_ORDERS`] at most.

use crate::app::App;
use crate::web::http::call::Call;
use crate::web::http::identity::ORDER_COOKIE;
use crate::web::http::reply::Reply;
use shop::orders::links::OrderLinks;
use worker::url::form_urlencoded;

/// Orders that one browser keeps open.
const MAX_ORDERS: usize = 10;

/// Seconds for which it does.
const KEPT_SECS: u32 = 30 * 24 * 60 * 60;

/// The address of this call without its token.
#[must_use]
pub fn address_without(call: &Call<'_>) -> String {
    let others = call.url.query_pairs().filter(|(key, _)| key != "token");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(others)
        .finish();
    if query.is_empty() {
        return call.url.path().to_owned();
    }
    format!("{}?{query}", call.url.path())
}

/// Has the browser keep the order open; of too many that are open, the oldest are closed. Only for
/// whoever may see it.
#[must_use]
pub fn keep_open(mut reply: Reply, call: &Call<'_>, order_id: &str) -> Reply {
    reply = reply.with("Set-Cookie", cookie(call.app, order_id));
    let own = format!("{ORDER_COOKIE}{order_id}");
    let others: Vec<String> = call
        .cookie_names()
        .into_iter()
        .filter(|name| is_of_an_order(name) && *name != own)
        .collect();
    let too_many = others.len().saturating_sub(MAX_ORDERS.saturating_sub(1));
    for name in others.iter().take(too_many) {
        let closed = format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
        reply = reply.with("Set-Cookie", closed);
    }
    reply
}

fn cookie(app: &App, order_id: &str) -> String {
    let token = OrderLinks::token(&app.order_links(), order_id);
    format!(
        "{ORDER_COOKIE}{order_id}={token}; Path=/; Max-Age={KEPT_SECS}; Secure; HttpOnly; SameSite=Lax"
    )
}

fn is_of_an_order(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.strip_prefix(ORDER_COOKIE)
        .is_some_and(|id| id.bytes().all(fits))
}
