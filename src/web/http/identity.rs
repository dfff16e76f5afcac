//! Identity of a caller, created once for each call and used wherever access is decided.
//!
//! A call may show several proofs: a staff key, the token of a cart, tokens of orders. None
//! outranks another; each question names the proof that it needs. Proofs are read at the first
//! question, and each is verified when a question needs it. A page that is the same for everyone
//! therefore costs neither.

use crate::app::App;
use crate::web::http::cart_token;
use crate::web::http::cart_token::OwnCart;
use crate::web::http::cookies::cookie;
use shop::codes::Code;
use shop::customers::permissions::Permission;
use shop::customers::staff::StaffMember;
use shop::error::{Error, Result};
use shop::orders::order::Actor;
use shop::values::ids::{OrderId, digest_of};
use shop::values::staff_name::StaffName;
use std::cell::OnceCell;
use worker::Headers;
use worker::url::Url;

/// Header with the token of an order.
pub const ORDER_TOKEN: &str = "Order-Token";

/// Prefix of the names of cookies with the token of an order, followed by the order's ID.
pub const ORDER_COOKIE: &str = "__Host-order-";

/// A caller, identified by the proofs that the call shows.
pub struct Identity<'a> {
    app: &'a App,
    shown: Shown,
    staff: OnceCell<Option<&'a StaffMember>>,
    cart: OnceCell<CartProof>,
}

/// Credentials as sent, before anything is verified.
struct Shown {
    authorization: Option<String>,
    cart_token: Option<String>,
    order_token: Option<String>,
    order_token_in_address: Option<String>,
    cookies: String,
}

enum CartProof {
    Missing,
    Forged,
    Of(OwnCart),
}

impl<'a> Identity<'a> {
    /// Returns the identity of a caller who sends these headers to this URL.
    #[must_use]
    pub fn of(app: &'a App, headers: &Headers, url: &Url) -> Self {
        let header = |name| headers.get(name).ok().flatten();
        let cookies = header("Cookie").unwrap_or_default();
        let cart_cookie = || cookie(&cookies, cart_token::COOKIE).map(str::to_owned);
        let token = url.query_pairs().find(|(key, _)| key == "token");
        let shown = Shown {
            authorization: header("Authorization"),
            cart_token: header(cart_token::HEADER).or_else(cart_cookie),
            order_token: header(ORDER_TOKEN),
            order_token_in_address: token.map(|(_, value)| value.into_owned()),
            cookies,
        };
        Self {
            app,
            shown,
            staff: OnceCell::new(),
            cart: OnceCell::new(),
        }
    }

    /// Returns the name of the staff member whose key is shown; `None` means that no valid staff
    /// key is.
    #[must_use]
    pub fn staff_name(&self) -> Option<&'a StaffName> {
        self.member().map(|member| &member.name)
    }

    /// Returns the name of the staff member, for records of their actions.
    ///
    /// # Errors
    /// 401 `staff_only`.
    pub fn staff(&self) -> Result<StaffName> {
        self.staff_name().cloned().ok_or(STAFF_ONLY)
    }

    /// Checks that a staff key is shown and that it grants `permission`.
    ///
    /// # Errors
    /// 401 `staff_only`, 403 `permission_required`.
    pub fn check(&self, permission: Permission) -> Result<()> {
        self.member().ok_or(STAFF_ONLY)?.check(permission)
    }

    /// Returns true for staff whose key grants `permission`.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.check(permission).is_ok()
    }

    /// Returns the actor to record in the history of an order: staff who may change orders, or else
    /// the shopper.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let staff = self.staff_name().cloned();
        staff
            .filter(|_| self.may(Permission::ChangeOrders))
            .map_or(Actor::Shopper, Actor::Staff)
    }

    /// Returns the caller's cart; `None` means that no cart token is shown.
    ///
    /// # Errors
    /// 401 `invalid_cart_token` for a token that the shop did not issue.
    pub fn cart(&self) -> Result<Option<OwnCart>> {
        match self.cart.get_or_init(|| self.cart_proof()) {
            CartProof::Missing => Ok(None),
            CartProof::Of(cart) => Ok(Some(cart.clone())),
            CartProof::Forged => Err(Error::Unauthorized {
                code: Code::InvalidCartToken,
            }),
        }
    }

    /// Returns the caller's cart, or a new one.
    ///
    /// # Errors
    /// Those of [`Self::cart`].
    pub fn cart_or_new(&self) -> Result<OwnCart> {
        match self.cart()? {
            Some(cart) => Ok(cart),
            None => OwnCart::new(self.app),
        }
    }

    /// Returns true if a cart token is shown, genuine or not.
    #[must_use]
    pub const fn shows_cart(&self) -> bool {
        self.shown.cart_token.is_some()
    }

    /// Returns true if the token of this order is shown in a header or cookie.
    #[must_use]
    pub fn holds_link_of(&self, order_id: &OrderId) -> bool {
        let kept = cookie(&self.shown.cookies, &format!("{ORDER_COOKIE}{order_id}"));
        let shown = [self.shown.order_token.as_deref(), kept];
        let mut shown = shown.into_iter().flatten();
        let links = self.app.order_links();
        shown.any(|token| links.is_token_of(order_id, token))
    }

    /// Returns true if the URL contains the token of this order, as links of earlier versions did.
    #[must_use]
    pub fn holds_old_link_of(&self, order_id: &OrderId) -> bool {
        let token = self.shown.order_token_in_address.as_deref();
        let links = self.app.order_links();
        token.is_some_and(|token| links.is_token_of(order_id, token))
    }

    /// Returns a digest of all credentials except order cookies, which stays the same when the call
    /// is repeated; `None` means that the call shows none.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        let shown = [
            &self.shown.authorization,
            &self.shown.cart_token,
            &self.shown.order_token,
            &self.shown.order_token_in_address,
        ];
        if shown.iter().all(|it| it.is_none()) {
            return None;
        }
        let shown = shown.map(|it| it.as_deref().unwrap_or_default());
        Some(digest_of(shown.join("\0").as_bytes()))
    }

    fn member(&self) -> Option<&'a StaffMember> {
        *self.staff.get_or_init(|| {
            let header = self.shown.authorization.as_deref()?;
            let key = header.strip_prefix("Bearer ")?;
            self.app.config.staff.member_of(key)
        })
    }

    fn cart_proof(&self) -> CartProof {
        let Some(token) = &self.shown.cart_token else {
            return CartProof::Missing;
        };
        OwnCart::of_token(self.app, token).map_or(CartProof::Forged, CartProof::Of)
    }
}

const STAFF_ONLY: Error = Error::Unauthorized {
    code: Code::StaffOnly,
};
