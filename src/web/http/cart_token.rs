//! Who a cart belongs to: whoever shows its signed id, in the `__Host-cart` cookie or the `Cart-Token` header.
//!
//! A cart can't be guessed (128 random bits) nor a token forged (keyed hash), so holding the token is owning the cart.

use crate::app::App;
use crate::web::http::call::Call;
use shop::error::{Error, Result};

/// Name of the header.
pub const HEADER: &str = "Cart-Token";

const COOKIE: &str = "__Host-cart";

/// A cart that the caller may see and change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCart {
    /// `cart_…`
    pub id: String,
    /// What proves it.
    pub token: String,
}

impl OwnCart {
    /// The caller's cart, by header or cookie, with its token as it is signed today; none when it shows neither.
    ///
    /// # Errors
    /// 401 `invalid_cart_token` for a token that the shop did not give out.
    pub fn of(call: &Call<'_>) -> Result<Option<Self>> {
        let Some(token) = shown_token(call) else {
            return Ok(None);
        };
        let known = token
            .split_once('.')
            .filter(|(id, signature)| call.app.config.signer.verify("cart", id, signature))
            .map(|(id, _)| id.to_owned());
        match known {
            Some(id) => Ok(Some(Self::signed(call.app, id))),
            None => Err(Error::Unauthorized {
                code: "invalid_cart_token",
            }),
        }
    }

    /// The caller's cart, or a new one.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn of_or_new(call: &Call<'_>) -> Result<Self> {
        match Self::of(call)? {
            Some(own) => Ok(own),
            None => Self::new(call.app),
        }
    }

    /// The cookie that keeps the cart in a browser.
    #[must_use]
    pub fn cookie(&self, app: &App) -> String {
        let secs = app.config.cart_kept_secs;
        format!(
            "{COOKIE}={}; Path=/; Max-Age={secs}; Secure; HttpOnly; SameSite=Lax",
            self.token
        )
    }

    /// A cart that nobody has yet.
    ///
    /// # Errors
    /// When the platform gives no entropy.
    pub fn new(app: &App) -> Result<Self> {
        app.new_id("cart").map(|id| Self::signed(app, id))
    }

    fn signed(app: &App, id: String) -> Self {
        let token = format!("{id}.{}", app.config.signer.sign("cart", &id));
        Self { id, token }
    }
}

/// The token that the caller shows, whatever it is worth.
#[must_use]
pub fn shown_token(call: &Call<'_>) -> Option<String> {
    call.header(HEADER).or_else(|| call.cookie(COOKIE))
}

/// The cookie that makes a browser forget a token that is worth nothing.
#[must_use]
pub fn forget_cookie() -> String {
    format!("{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
}
