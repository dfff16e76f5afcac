//! Pauses before a retry.

use std::time::Duration;
use worker::Delay;

/// Milliseconds of the shortest pause.
const SHORTEST_MS: u32 = 100;

/// Difference in milliseconds between the longest and the shortest pause.
const SPREAD_MS: u32 = 300;

/// A pause of random length, so that callers that failed together don't retry together.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    /// Source of random numbers.
    pub entropy: fn() -> u32,
}

impl Pause {
    /// Waits for 100 to 400 ms.
    pub async fn wait(self) {
        let millis = SHORTEST_MS.saturating_add((self.entropy)().rem_euclid(SPREAD_MS));
        wait(millis).await;
    }
}

/// Waits for this many milliseconds.
pub async fn wait(millis: u32) {
    wait_for(Duration::from_millis(millis.into())).await;
}

/// Waits for this long.
pub async fn wait_for(time: Duration) {
    Delay::from(time).await;
}
