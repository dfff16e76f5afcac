//! Rate limits per network. They protect against floods and are never used for accounting: nothing
//! about money or stock depends on them.
//!
//! A network is an IPv4 address, or the first 64 bits of an IPv6 address, the smallest block that
//! one subscriber is given.

use crate::codes::Code;
use crate::error::{Error, Result};
use std::net::IpAddr;

/// A class of requests that are counted together. Its limits are set in wrangler.toml.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Not counted, because the response can be cached by anyone or costs next to nothing.
    Uncounted,
    /// A read of personal data, which asks an object or the database.
    Personal,
    /// A change to a cart; changes that create one are counted separately, as [`Limit::NewCart`].
    Cart,
    /// A change that creates a cart, which is stored for weeks.
    NewCart,
    /// A step of a checkout: a quote, an order, its cancellation.
    Checkout,
    /// A request for the link to an order, which may cause an email.
    Lookup,
    /// A promotion code that is rejected.
    FailedCode,
    /// A call by staff, counted per key.
    Staff,
}

/// Seconds until a retry makes sense; the period over which limiters count.
const PERIOD_SECS: u32 = 60;

/// Rate limiters, one for each class.
pub trait Limiters {
    /// Counts a request for `key`. Returns false if there were too many.
    async fn admits(&self, limit: Limit, key: &str) -> Result<bool>;
}

/// Counts a request for `key`. If the limiter itself fails, the request is admitted and the failure
/// is returned.
///
/// # Errors
/// 429 `too_many_requests`.
pub async fn count(limiters: &impl Limiters, limit: Limit, key: &str) -> Result<Option<Error>> {
    if limit == Limit::Uncounted {
        return Ok(None);
    }
    match limiters.admits(limit, key).await {
        Ok(true) => Ok(None),
        Ok(false) => Err(too_many_requests()),
        Err(failure) => Ok(Some(failure)),
    }
}

/// Returns the network of a client address. All clients whose address can't be parsed share one
/// network.
#[must_use]
pub fn network_of(address: &str) -> String {
    match address
        .parse::<IpAddr>()
        .map(|address| address.to_canonical())
    {
        Ok(IpAddr::V4(address)) => address.to_string(),
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Err(_) => "unknown".to_owned(),
    }
}

const fn too_many_requests() -> Error {
    Error::TooMany {
        code: Code::TooManyRequests,
        retry_after_secs: PERIOD_SECS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use proptest::prelude::*;
    use std::net::Ipv6Addr;

    struct Always(fn() -> Result<bool>);

    impl Limiters for Always {
        async fn admits(&self, _limit: Limit, _key: &str) -> Result<bool> {
            (self.0)()
        }
    }

    fn counted(answer: fn() -> Result<bool>, limit: Limit) -> Result<Option<Error>> {
        count(&Always(answer), limit, "key").now_or_never().unwrap()
    }

    #[test]
    fn a_full_class_refuses_and_a_limiter_that_fails_lets_pass_and_is_told() {
        let failing = || Err(Error::internal("away"));
        assert!(counted(|| Ok(true), Limit::Cart).unwrap().is_none());
        assert!(counted(failing, Limit::Cart).unwrap().is_some());
        let refusal = counted(|| Ok(false), Limit::Cart).unwrap_err();
        assert_eq!(refusal.code(), Code::TooManyRequests);
        assert!(refusal.retry_after_secs().is_some_and(|secs| secs >= 1));
        assert!(counted(|| Ok(false), Limit::Uncounted).unwrap().is_none());
    }

    #[test]
    fn a_network_is_told_by_what_its_subscriber_can_not_choose() {
        for (address, network) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:0db8:0001:0002::", "2001:db8:1:2::/64"),
            ("", "unknown"),
            ("192.0.2.7, 10.0.0.1", "unknown"),
            ("nonsense", "unknown"),
        ] {
            assert_eq!(network_of(address), network, "{address}");
        }
    }

    proptest! {
        #[test]
        fn all_addresses_of_a_subnet_are_one_network(prefix in any::<u64>(), one: u64, other: u64) {
            prop_assume!(prefix != 0);
            let network = |host: u64| {
                network_of(&Ipv6Addr::from((u128::from(prefix) << 64) | u128::from(host)).to_string())
            };
            prop_assert_eq!(network(one), network(other));
        }

        #[test]
        fn no_address_panics(address in ".{0,60}") {
            prop_assert!(!network_of(&address).is_empty());
        }
    }
}
