//! Time and entropy: the only place that reads them.

use crate::store::platform::pause::Pause;
use durable::Timestamp;
use shop::error::{Error, Result};
use shop::values::ids::Entropy;
use worker::js_sys::Date;

#[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
#[expect(
    clippy::cast_possible_truncation,
    reason = "whole milliseconds since 1970 fit for 285,000 years"
)]
pub(super) fn now() -> Timestamp {
    Timestamp::from_millis(Date::now() as i64)
}

/// Pauses that stores make before they try again.
pub(super) const PAUSE: Pause = Pause {
    entropy: random_number,
};

/// A random number; 0 when the platform gives no entropy.
pub(super) fn random_number() -> u32 {
    let bytes = entropy().unwrap_or_default();
    bytes
        .iter()
        .take(4)
        .fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where entropy comes from"
)]
pub(super) fn entropy() -> Result<Entropy> {
    let mut entropy = Entropy::default();
    getrandom::fill(&mut entropy).map_err(Error::internal)?;
    Ok(entropy)
}
