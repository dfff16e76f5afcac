//! [`Limiters`] on the platform's rate limits, which are approximate and counted separately in each
//! location.

use shop::customers::limits::{Limit, Limiters};
use shop::error::{Error, Result};
use std::rc::Rc;
use worker::RateLimiter;

/// One binding for each class of limit.
#[derive(Clone)]
pub struct RateLimits(pub Rc<Classes>);

/// Bindings by class of limit.
pub struct Classes {
    /// [`Limit::Personal`]
    pub personal: RateLimiter,
    /// [`Limit::Cart`]
    pub carts: RateLimiter,
    /// [`Limit::NewCart`]
    pub new_carts: RateLimiter,
    /// [`Limit::Checkout`]
    pub checkouts: RateLimiter,
    /// [`Limit::Lookup`]
    pub lookups: RateLimiter,
    /// [`Limit::FailedCode`]
    pub failed_codes: RateLimiter,
    /// [`Limit::Staff`]
    pub staff: RateLimiter,
}

impl Limiters for RateLimits {
    async fn admits(&self, limit: Limit, key: &str) -> Result<bool> {
        let classes = &self.0;
        let limiter = match limit {
            Limit::Uncounted => return Ok(true),
            Limit::Personal => &classes.personal,
            Limit::Cart => &classes.carts,
            Limit::NewCart => &classes.new_carts,
            Limit::Checkout => &classes.checkouts,
            Limit::Lookup => &classes.lookups,
            Limit::FailedCode => &classes.failed_codes,
            Limit::Staff => &classes.staff,
        };
        let outcome = limiter.limit(key.to_owned()).await;
        Ok(outcome.map_err(Error::internal)?.success)
    }
}
