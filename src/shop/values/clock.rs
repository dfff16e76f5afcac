//! Time, as a port of use cases.

use durable::Timestamp;

/// Clock and timer.
pub trait Clock {
    /// Returns the current time, for deadlines that must be judged at that moment: an event may
    /// have begun long ago.
    fn clock(&self) -> Timestamp;
    /// Waits for this many milliseconds, for paced work.
    async fn wait(&self, millis: u32);
}
