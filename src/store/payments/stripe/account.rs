//! The merchant's Stripe account: keys, API address, and limits on calls.

use crate::store::payments::stripe::patience::Patience;
use durable::Timestamp;
use std::cell::Cell;
use std::rc::Rc;

/// Maximum number of list pages that one event of the Worker reads. The rest of the thousand
/// requests that the platform allows is left for other work. This many pages hold the sessions of
/// forty minutes at a thousand orders a minute.
pub const MAX_PAGES: u32 = 400;

/// Access to Stripe, and the secrets of its webhooks.
#[derive(Clone)]
pub struct StripeConfig {
    /// `https://api.stripe.com`, or a sandbox.
    pub api_base: String,
    /// API key: `sk_live_…` or `sk_test_…`.
    pub secret_key: String,
    /// Webhook signing secrets `whsec_…`; two while one is being rolled.
    pub webhook_secrets: Vec<String>,
}

/// The API that takes real money.
pub const STRIPE_API: &str = "https://api.stripe.com";

/// Minimum number of characters after the prefix of a real key or secret.
const MIN_SECRET_CHARS: usize = 16;

impl StripeConfig {
    /// Returns true if payments can be taken and webhooks verified. With `real_money`, this
    /// requires a live key, a secret that is not a placeholder, and Stripe's own API.
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

    /// Returns the origin to which a shopper's browser is sent to pay.
    #[must_use]
    pub fn payment_origin(&self) -> &str {
        if self.api_base == STRIPE_API {
            "https://checkout.stripe.com"
        } else {
            &self.api_base
        }
    }
}

/// Prefixes of live keys.
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
    /// Access to Stripe.
    pub config: StripeConfig,
    /// Number of list pages that this event may still read; [`MAX_PAGES`] at its beginning.
    pub pages_left: Rc<Cell<u32>>,
    /// Number of retries left for this event.
    pub patience: Rc<Patience>,
    /// Current time. The time at which the event began is too early, because calls take long.
    pub clock: fn() -> Timestamp,
    /// Source of random numbers, which spread retries over time.
    pub entropy: fn() -> u32,
}

impl Stripe {
    pub(crate) fn is_live(&self) -> bool {
        LIVE_KEYS
            .iter()
            .any(|prefix| self.config.secret_key.starts_with(prefix))
    }
}
