//! The channel of a call: the storefront that a shopper visits, with what depends on it.
//!
//! A shop has one channel today. Whatever depends on a storefront is read from this value, and what
//! outlives a call (a cart's token, a quote, an order) says which channel it belongs to, so that
//! further channels are an addition.

use crate::values::languages::Languages;
use crate::values::money::Currency;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Id of the channel that every shop has.
pub const DEFAULT_CHANNEL: &str = "default";

/// Id of a channel, as stored with quotes and orders.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelId(Cow<'static, str>);

impl ChannelId {
    /// True for the channel that every shop has. It is left out where it would be stored.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0 == DEFAULT_CHANNEL
    }

    /// Purpose that the tokens of this channel's carts are signed for: a cart of one channel is
    /// unknown to the others, as it may hold what they don't sell.
    #[must_use]
    pub fn cart_purpose(&self) -> Cow<'static, str> {
        if self.is_default() {
            return Cow::Borrowed("cart");
        }
        Cow::Owned(format!("cart:{}", self.0))
    }
}

impl Default for ChannelId {
    fn default() -> Self {
        Self(Cow::Borrowed(DEFAULT_CHANNEL))
    }
}

/// A storefront: its address, and what it offers there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Id stored with what belongs to the channel.
    pub id: ChannelId,
    /// Scheme and host of its pages, without a slash at the end.
    pub origin: String,
    /// Languages of its pages.
    pub languages: Languages,
    /// Currency of prices unless another is asked for.
    pub default_currency: Currency,
    /// Currencies that it sells in, the default first.
    pub currencies: Vec<Currency>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cart_of_one_channel_is_none_of_another() {
        let other: ChannelId = serde_json::from_str("\"outlet\"").unwrap();
        assert_eq!(ChannelId::default().cart_purpose(), "cart");
        assert_eq!(other.cart_purpose(), "cart:outlet");
        assert!(!other.is_default());
    }
}
