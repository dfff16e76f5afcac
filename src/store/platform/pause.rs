//! The pause before something is tried again.

use std::time::Duration;
use worker::Delay;

/// Milliseconds of the shortest pause.
const SHORTEST_MS: u32 = 100;

/// Milliseconds by which the longest pause is longer.
const SPREAD_MS: u32 = 300;

/// A pause of another length each time, so that those who failed together do not come back
/// together.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    /// A random number.
    pub entropy: fn() -> u32,
}

impl Pause {
    /// Ends after 100 to 400 ms.
    pub async fn wait(self) {
        let millis = SHORTEST_MS.saturating_add((self.entropy)().rem_euclid(SPREAD_MS));
        wait(millis).await;
    }
}

/// Ends after so many milliseconds.
pub async fn wait(millis: u32) {
    wait_for(Duration::from_millis(millis.into())).await;
}

/// Ends after this time.
pub async fn wait_for(time: Duration) {
    Delay::from(time).await;
}
