//! Ownership of a cart, by its signed ID in the `__Host-cart` cookie or the `Cart-Token` header.
//!
//! A cart ID can't be guessed (128 random bits) and a token can't be forged (keyed hash), so
//! whoever holds the token owns the cart.

use crate::app::App;
use shop::error::Result;
use shop::values::ids::CartId;

/// Name of the header.
pub const HEADER: &str = "Cart-Token";

/// Name of the cookie.
pub const COOKIE: &str = "__Host-cart";

/// A cart that the caller may see and change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCart {
    /// ID of the cart, `cart_…`.
    pub id: CartId,
    /// Token that proves ownership.
    pub token: String,
}

impl OwnCart {
    /// Returns the cart of a token, with the token in its current signature. `None` means that the
    /// shop did not issue the token.
    #[must_use]
    pub fn of_token(app: &App, shown: &str) -> Option<Self> {
        let (id, signature) = shown.split_once('.')?;
        let is_genuine =
            app.config
                .signer
                .verify(&app.config.channel.id.cart_purpose(), id, signature);
        is_genuine.then(|| Self::signed(app, CartId::new(id.to_owned())))
    }

    /// Returns the cookie that keeps the cart in a browser.
    #[must_use]
    pub fn cookie(&self, app: &App) -> String {
        let secs = app.config.cart_kept_secs;
        format!(
            "{COOKIE}={}; Path=/; Max-Age={secs}; Secure; HttpOnly; SameSite=Lax",
            self.token
        )
    }

    /// Creates a new cart.
    ///
    /// # Errors
    /// Fails if the platform provides no entropy.
    pub fn new(app: &App) -> Result<Self> {
        let id = app.new_id("cart")?;
        Ok(Self::signed(app, CartId::new(id)))
    }

    fn signed(app: &App, id: CartId) -> Self {
        let token = format!(
            "{id}.{}",
            app.config
                .signer
                .sign(&app.config.channel.id.cart_purpose(), &id)
        );
        Self { id, token }
    }
}

/// Returns the cookie that makes a browser delete an invalid token.
#[must_use]
pub fn forget_cookie() -> String {
    format!("{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
}
