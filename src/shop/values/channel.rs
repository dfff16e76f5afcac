//! Channel of a call: the storefront that a shopper visits, with everything that depends on it.
//!
//! A shop has one channel today. Anything that depends on the storefront is read from this value,
//! and everything that outlives a call (a cart's token, a quote, an order) records its channel, so
//! that more channels can be added.

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
    /// True for the channel that every shop has; its id is not stored.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0 == DEFAULT_CHANNEL
    }

    /// Purpose for which cart tokens of this channel are signed. A cart of one channel is unknown
    /// to the others, because it may contain items that they do not sell.
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

/// A storefront: its address and what it offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Id, stored with data that belongs to the channel.
    pub id: ChannelId,
    /// Scheme and host of its pages, without a trailing slash.
    pub origin: String,
    /// Languages of its pages.
    pub languages: Languages,
    /// Currency of prices unless another is requested.
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
