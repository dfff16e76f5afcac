//! The merchant's account at Stripe: keys, where the API is, and what limits calls to it.

use crate::store::payments::stripe::patience::Patience;
use durable::Timestamp;
use std::cell::Cell;
use std::rc::Rc;

/// Pages that one event of the Worker may read: of the thousand requests that the platform lets it
/// make, the others are for what it does beside. As many sessions are opened in forty minutes of a
/// thousand orders each.
pub const MAX_PAGES: u32 = 400;

/// The way to reach Stripe, and the secrets of its deliveries.
#[derive(Clone)]
pub struct StripeConfig {
    /// `https://api.stripe.com`, or a sandbox.
    pub api_base: String,
    /// `sk_live_…` or `sk_test_…`.
    pub secret_key: String,
    /// `whsec_…`; two while one is being rolled.
    pub webhook_secrets: Vec<String>,
}

/// The API that takes real money.
pub const STRIPE_API: &str = "https://api.stripe.com";

/// Characters behind its prefix that a real key or secret has at least.
const MIN_SECRET_CHARS: usize = 16;

impl StripeConfig {
    /// True if payments can be taken and deliveries verified: with `real_money`, by a live key and
    /// a secret that is no placeholder, at Stripe alone.
    #[must_use]
    pub fn is_usable(&self, real_money: bool) -> bool {
        let given = !self.secret_key.is_empty() && !self.webhook_secrets.is_empty();
        let is_real = || {
            let of_endpoint = |secret: &String| is_secret(secret, "whsec_");
            self.api_base == STRIPE_API
                && LIVE_KEYS
                    .iter()
                    .any(|prefix| is_secret(&self.secret_key, prefix))
                && self.webhook_secrets.iter().all(of_endpoint)
        };
        given && (!real_money || is_real())
    }

    /// The origin to which a shopper's browser is sent to pay.
    #[must_use]
    pub fn payment_origin(&self) -> &str {
        if self.api_base == STRIPE_API {
            "https://checkout.stripe.com"
        } else {
            &self.api_base
        }
    }
}

/// Beginnings of keys of real money.
const LIVE_KEYS: [&str; 2] = ["sk_live_", "rk_live_"];

fn is_secret(text: &str, prefix: &str) -> bool {
    let fits = |rest: &str| {
        rest.len() >= MIN_SECRET_CHARS && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text.strip_prefix(prefix).is_some_and(fits)
}

/// [`Payments`](shop::payments::Payments) on Stripe.
#[derive(Clone)]
pub struct Stripe {
    /// The way to reach it.
    pub config: StripeConfig,
    /// Pages of lists that may still be read in this event; [`MAX_PAGES`] at its beginning.
    pub pages_left: Rc<Cell<u32>>,
    /// Number of times that this event may still send something again.
    pub patience: Rc<Patience>,
    /// The time: calls take long, so that the event's beginning won't do.
    pub clock: fn() -> Timestamp,
    /// A random number, to spread what would happen at once.
    pub entropy: fn() -> u32,
}

impl Stripe {
    pub(crate) fn is_live(&self) -> bool {
        LIVE_KEYS
            .iter()
            .any(|prefix| self.config.secret_key.starts_with(prefix))
    }
}
