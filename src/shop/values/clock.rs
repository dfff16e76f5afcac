//! Time, as use cases ask for it.

use durable::Timestamp;

/// Time, and waiting.
pub trait Clock {
    /// The time as it is now, for a deadline that must be judged when it counts: an event may have
    /// begun long ago.
    fn clock(&self) -> Timestamp;
    /// Ends after so many milliseconds, for work that is paced.
    async fn wait(&self, millis: u32);
}
