//! Who may see an order without an account: whoever shows its token, in the `Order-Token` header or in the cookie that a link was traded
//! for, or its cart's; and staff.
//!
//! A cookie an order, so that one browser keeps several, and [`MAX_ORDERS`] at most.

use crate::app::App;
use crate::web::http::call::Call;
use crate::web::http::cart_token::OwnCart;
use crate::web::http::guard;
use crate::web::http::reply::Reply;
use durable::Timestamp;
use shop::error::{Error, Result};
use shop::orders::links::{OrderLinks, opens_by_query};
use worker::url::form_urlencoded;

/// Name of the header.
pub const HEADER: &str = "Order-Token";

/// How the names of the cookies begin; the rest is the order's id.
const COOKIE: &str = "__Host-order-";

/// Orders that one browser keeps open.
const MAX_ORDERS: usize = 10;

/// Seconds for which it does.
const KEPT_SECS: u32 = 30 * 24 * 60 * 60;

/// Proof by which a caller sees the order of the address.
#[derive(Debug)]
pub struct Proof {
    by_token: bool,
    by_query: bool,
    cart_id: Option<String>,
}

impl Proof {
    /// Proof of this caller. Who shows nothing is not worth a look into the database.
    ///
    /// # Errors
    /// 404.
    pub fn of(call: &Call<'_>) -> Result<Self> {
        let id = call.param(0);
        let proof = Self {
            by_token: is_shown(call, id) || guard::is_staff(call),
            by_query: is_in_query(call, id),
            cart_id: OwnCart::of(call).ok().flatten().map(|own| own.id),
        };
        if proof.by_token || proof.by_query || proof.cart_id.is_some() {
            return Ok(proof);
        }
        Err(Error::NotFound("order"))
    }

    /// True when it is enough for an order of this cart that was placed then.
    #[must_use]
    pub fn opens(&self, cart_id: &str, placed_at: Timestamp, now: Timestamp) -> bool {
        self.by_token
            || self.cart_id.as_deref() == Some(cart_id)
            || (self.by_query && opens_by_query(placed_at, now))
    }
}

/// Whether the caller shows the token of this order, elsewhere than in the address.
#[must_use]
pub fn is_shown(call: &Call<'_>, order_id: &str) -> bool {
    let links = call.app.order_links();
    let shown = [
        call.header(HEADER),
        call.cookie(&format!("{COOKIE}{order_id}")),
    ];
    let mut shown = shown.into_iter().flatten();
    shown.any(|token| links.is_token_of(order_id, &token))
}

/// Whether the address shows the token of this order, as links of before do.
#[must_use]
pub fn is_in_query(call: &Call<'_>, order_id: &str) -> bool {
    let token = call.query("token").unwrap_or_default();
    call.app.order_links().is_token_of(order_id, &token)
}

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

/// Has the browser keep the order open; of too many that are open, the oldest are closed. Only for whoever may see it.
#[must_use]
pub fn keep_open(mut reply: Reply, call: &Call<'_>, order_id: &str) -> Reply {
    reply = reply.with("Set-Cookie", cookie(call.app, order_id));
    let own = format!("{COOKIE}{order_id}");
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
        "{COOKIE}{order_id}={token}; Path=/; Max-Age={KEPT_SECS}; Secure; HttpOnly; SameSite=Lax"
    )
}

fn is_of_an_order(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.strip_prefix(COOKIE)
        .is_some_and(|id| id.bytes().all(fits))
}
