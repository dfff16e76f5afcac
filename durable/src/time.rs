//! Instants as stored throughout the shop: milliseconds since the Unix epoch.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC. Fits a JavaScript number (and so D1) for the next
/// 285,000 years.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Creates the instant `millis` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns whole seconds since the Unix epoch, the unit that Stripe uses.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Adds `secs` seconds; saturates at the end of time instead of overflowing.
    #[must_use]
    pub const fn plus_secs(self, secs: u32) -> Self {
        Self(self.0.saturating_add((secs as i64).saturating_mul(1000)))
    }

    /// Subtracts `secs` seconds; saturates likewise.
    #[must_use]
    pub const fn minus_secs(self, secs: u32) -> Self {
        Self(self.0.saturating_sub((secs as i64).saturating_mul(1000)))
    }
}
