//! Circuit breaker. After several failures in a row, calls to a provider are paused; later a single
//! call probes it, and its outcome decides. An outage then costs callers nothing, and its end is
//! noticed within a bounded time. Pure: time is an argument.

use crate::error::Result;
use crate::payments::provider::ProviderId;
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// Number of consecutive failures that open the breaker.
const THRESHOLD: u32 = 5;

/// Seconds for which it first stays open; doubled after each failed probe.
const FIRST_OPEN_SECS: u32 = 5;

/// Maximum seconds for which it stays open, and thus the time within which the end of an outage is
/// noticed.
pub const MAX_OPEN_SECS: u32 = 30;

/// Seconds after which a probe without an outcome counts as lost and another is allowed.
const PROBE_SECS: u32 = 15;

/// State of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
    /// Calls are made.
    Closed {
        /// Consecutive failures.
        failures: u32,
    },
    /// Calls are paused.
    Open {
        /// End of the pause.
        until: Timestamp,
        /// Number of consecutive times that it opened.
        trips: u32,
    },
    /// A single call probes the provider.
    HalfOpen {
        /// Time at which the probe counts as lost.
        until: Timestamp,
        /// Number of consecutive times that it opened.
        trips: u32,
    },
}

/// Health of a provider, as shown to staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// State of the circuit breaker.
    pub breaker: Breaker,
    /// Time of the last change. `None` means that it has never failed.
    pub changed_at: Option<Timestamp>,
    /// Last error that opened the breaker.
    pub last_error: Option<String>,
}

/// Permission for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Make the call and report its outcome.
    Go,
    /// Make no call until this time.
    Wait(Timestamp),
}

/// Outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider answered, even if it refused.
    Answered,
    /// The provider is overloaded. For a probe that counts as an answer; otherwise it changes
    /// nothing.
    NoRoom,
    /// The provider did not answer.
    Failed,
}

impl Breaker {
    /// Initial state: no failures.
    pub const CLOSED: Self = Self::Closed { failures: 0 };

    /// Returns whether a call may be made, and the state after asking.
    #[must_use]
    pub const fn ask(self, now: Timestamp) -> (Self, Permit) {
        match self {
            Self::Closed { .. } => (self, Permit::Go),
            Self::Open { until, .. } | Self::HalfOpen { until, .. }
                if now.as_millis() < until.as_millis() =>
            {
                (self, Permit::Wait(until))
            }
            Self::Open { trips, .. } | Self::HalfOpen { trips, .. } => {
                let until = now.plus_secs(PROBE_SECS);
                (Self::HalfOpen { until, trips }, Permit::Go)
            }
        }
    }

    /// Returns the state after a call.
    #[must_use]
    pub const fn record(self, outcome: Outcome, now: Timestamp) -> Self {
        match (self, outcome) {
            (_, Outcome::Answered) | (Self::HalfOpen { .. }, Outcome::NoRoom) => Self::CLOSED,
            (_, Outcome::NoRoom) => self,
            (Self::Closed { failures }, Outcome::Failed) => {
                let failures = failures.saturating_add(1);
                if failures < THRESHOLD {
                    Self::Closed { failures }
                } else {
                    opened(1, now)
                }
            }
            (Self::Open { .. }, Outcome::Failed) => self,
            (Self::HalfOpen { trips, .. }, Outcome::Failed) => opened(trips.saturating_add(1), now),
        }
    }

    /// True if both are in the same kind of state; other components learn only of changes between
    /// kinds.
    #[must_use]
    pub const fn is_like(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Closed { .. }, Self::Closed { .. })
                | (Self::Open { .. }, Self::Open { .. })
                | (Self::HalfOpen { .. }, Self::HalfOpen { .. })
        )
    }
}

const fn opened(trips: u32, now: Timestamp) -> Breaker {
    let doublings = trips.saturating_sub(1);
    let secs = match FIRST_OPEN_SECS.checked_shl(doublings) {
        Some(secs) if doublings < 5 && secs < MAX_OPEN_SECS => secs,
        _ => MAX_OPEN_SECS,
    };
    Breaker::Open {
        until: now.plus_secs(secs),
        trips,
    }
}

/// Store of the payment providers' health.
pub trait ProviderHealth {
    /// Returns a provider's health as last recorded.
    async fn health(&self, provider: ProviderId) -> Result<Health>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn failed_times(times: u32) -> Breaker {
        (0..times).fold(Breaker::CLOSED, |breaker, _| {
            breaker.record(Outcome::Failed, START)
        })
    }

    #[test]
    fn five_failures_in_a_row_open_it() {
        assert_eq!(failed_times(4).ask(START).1, Permit::Go);
        assert_eq!(
            failed_times(4)
                .record(Outcome::Answered, START)
                .record(Outcome::Failed, START),
            Breaker::Closed { failures: 1 }
        );
        let until = START.plus_secs(FIRST_OPEN_SECS);
        assert_eq!(failed_times(5), Breaker::Open { until, trips: 1 });
        assert_eq!(failed_times(5).ask(START).1, Permit::Wait(until));
        assert_eq!(failed_times(9), failed_times(5));
    }

    #[test]
    fn one_call_probes_and_decides() {
        let later = START.plus_secs(FIRST_OPEN_SECS);
        let (half_open, permit) = failed_times(5).ask(later);
        assert_eq!(permit, Permit::Go);
        let lost_at = later.plus_secs(PROBE_SECS);
        assert_eq!(half_open.ask(later).1, Permit::Wait(lost_at));
        assert_eq!(half_open.ask(lost_at).1, Permit::Go);
        assert_eq!(half_open.record(Outcome::Answered, later), Breaker::CLOSED);
        assert_eq!(
            half_open.record(Outcome::Failed, later),
            Breaker::Open {
                until: later.plus_secs(2 * FIRST_OPEN_SECS),
                trips: 2
            }
        );
    }

    #[test]
    fn having_no_room_ends_an_outage_and_begins_none() {
        let (half_open, _) = failed_times(5).ask(START.plus_secs(FIRST_OPEN_SECS));
        assert_eq!(half_open.record(Outcome::NoRoom, START), Breaker::CLOSED);
        for failures in [0, 3, 5] {
            let known = failed_times(failures);
            assert_eq!(known.record(Outcome::NoRoom, START), known);
        }
    }

    #[test]
    fn what_is_stored_reads_after_a_deploy() {
        let stored = r#"{"open":{"until":1795000005000,"trips":1}}"#;
        assert_eq!(
            durable::json::read::<Breaker>(stored).unwrap(),
            failed_times(5)
        );
        assert_eq!(serde_json::to_string(&failed_times(5)).unwrap(), stored);
    }

    proptest! {
        /// After any history, a call is let through within the bound, and once it succeeds all
        /// calls are.
        #[test]
        fn the_end_of_an_outage_is_found(steps in prop::collection::vec((any::<bool>(), 0_u32..120), 0..60)) {
            let mut now = START;
            let mut breaker = Breaker::CLOSED;
            for (answered, secs) in steps {
                now = now.plus_secs(secs);
                let (asked, permit) = breaker.ask(now);
                breaker = asked;
                if permit == Permit::Go {
                    breaker = breaker.record(if answered { Outcome::Answered } else { Outcome::Failed }, now);
                }
            }
            let (asked, permit) = breaker.ask(now.plus_secs(MAX_OPEN_SECS));
            prop_assert_eq!(permit, Permit::Go);
            prop_assert_eq!(asked.record(Outcome::Answered, now), Breaker::CLOSED);
        }

        /// While the breaker is half open, no other call gets through.
        #[test]
        fn a_probe_is_alone(trips in 1_u32..40, within in 0_u32..PROBE_SECS) {
            let until = START;
            let (half_open, permit) = Breaker::Open { until, trips }.ask(START);
            prop_assert_eq!(permit, Permit::Go);
            prop_assert!(matches!(half_open.ask(START.plus_secs(within)).1, Permit::Wait(_)));
        }
    }
}
