//! Time and entropy: the only file that reads them.

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

/// Pause that stores make before they retry.
pub(super) const PAUSE: Pause = Pause {
    entropy: random_number,
};

/// Returns a random number; 0 if the platform provides no entropy.
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
