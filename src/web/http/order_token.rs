//! Cookies that keep orders accessible in a browser, so that no token has to stay in a URL.
//!
//! Each order has a cookie of its own, so that one browser can keep several, up to [`MAX_ORDERS`].

use crate::app::App;
use crate::web::http::call::Call;
use crate::web::http::identity::ORDER_COOKIE;
use crate::web::http::reply::Reply;
use shop::orders::links::OrderLinks;
use shop::values::ids::OrderId;
use worker::url::form_urlencoded;

/// Maximum number of orders that one browser keeps accessible.
const MAX_ORDERS: usize = 10;

/// Lifetime of the cookies in seconds.
const KEPT_SECS: u32 = 30 * 24 * 60 * 60;

/// Returns the URL of this call without its token.
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

/// Adds the cookie that keeps the order accessible in this browser, and deletes cookies of other
/// orders beyond the maximum. Call only for callers who may see the order.
#[must_use]
pub fn keep_open(mut reply: Reply, call: &Call<'_>, order_id: &OrderId) -> Reply {
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

fn cookie(app: &App, order_id: &OrderId) -> String {
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
