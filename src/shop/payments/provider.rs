//! Names of payment providers.

use serde::{Deserialize, Serialize};

/// A payment provider. A payment records its provider, and only that one is asked about it later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProviderId {
    /// Stripe.
    Stripe,
    /// A second provider, for tests only.
    #[cfg(any(test, feature = "testing"))]
    Second,
}

impl ProviderId {
    const ALL: &[Self] = &[
        Self::Stripe,
        #[cfg(any(test, feature = "testing"))]
        Self::Second,
    ];

    /// Name used in URLs, rows and keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            #[cfg(any(test, feature = "testing"))]
            Self::Second => "second",
        }
    }

    /// Returns the provider with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.as_str() == name)
    }

    /// Returns `name` in a form that is unique across providers. Stripe's names stay as they are,
    /// as they were when it was the only provider.
    #[must_use]
    pub fn key_of(self, name: &str) -> String {
        match self {
            Self::Stripe => name.to_owned(),
            #[cfg(any(test, feature = "testing"))]
            Self::Second => format!("{}:{name}", self.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_written_by_its_name() {
        for provider in ProviderId::ALL {
            assert_eq!(ProviderId::named(provider.as_str()), Some(*provider));
            let written = serde_json::to_string(provider).unwrap();
            assert_eq!(written, format!("\"{}\"", provider.as_str()));
            assert_eq!(
                serde_json::from_str::<ProviderId>(&written).unwrap(),
                *provider
            );
        }
        for name in ["", "Stripe", "stripe ", "paypal"] {
            assert_eq!(ProviderId::named(name), None, "{name}");
        }
    }

    #[test]
    fn keys_of_two_providers_differ_and_those_of_stripe_are_as_before() {
        assert_eq!(ProviderId::Stripe.key_of("evt_1"), "evt_1");
        assert_eq!(ProviderId::Second.key_of("evt_1"), "second:evt_1");
    }
}
