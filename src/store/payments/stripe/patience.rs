//! Retries of requests that Stripe had no capacity for. A 429 means that nothing was begun, whether
//! there were too many requests or two of them wanted the same object (`lock_timeout`), so the same
//! request may be sent again at once under the same key (docs.stripe.com/rate-limits). If it keeps
//! being rejected, the caller keeps the work and tries again later.

use std::cell::Cell;
use std::time::Duration;

/// Maximum duration of a call, including its retries.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum number of retries of one call.
const MAX_RETRIES: u32 = 2;

/// Maximum number of retries in one event of the Worker. A request makes few calls, and a job with
/// many calls must not spend its time, nor the number of requests that the platform allows, on
/// waiting.
const MAX_RETRIES_OF_EVENT: u32 = 10;

/// Longest pause before the first retry if Stripe names none; doubles with each retry.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Longest pause that is waited for within a call.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(4);

/// Minimum time left for an attempt. With less, it might be cut off and its outcome would be
/// unknown.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(2);

/// The parts of a response that tell whether to retry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<&'a str>,
    /// `Stripe-Should-Retry`.
    pub should_retry: Option<&'a str>,
}

/// Returns the pause before the next attempt of a call that was retried `retries` times and has
/// `left` time left; `None` means its response is final. `random` spreads callers that were
/// rejected together.
pub fn pause_before_retry(
    hints: Hints<'_>,
    retries: u32,
    left: Duration,
    random: u32,
) -> Option<Duration> {
    if hints.status != 429 || hints.should_retry == Some("false") || retries >= MAX_RETRIES {
        return None;
    }
    let asked = asked_pause(hints.retry_after);
    if asked > LONGEST_RETRY_AFTER {
        return None;
    }
    let pause = asked.saturating_add(jitter(retries, random));
    (pause.saturating_add(SHORTEST_ATTEMPT) <= left).then_some(pause)
}

fn asked_pause(retry_after: Option<&str>) -> Duration {
    let Some(asked) = retry_after else {
        return Duration::ZERO;
    };
    // A date, or a longer pause than any call waits for.
    asked
        .trim()
        .parse()
        .map_or(Duration::MAX, Duration::from_secs)
}

/// Returns a random pause of up to half a second, up to a whole second on the second retry.
fn jitter(retries: u32, random: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(retries));
    let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(
        u64::from(random)
            .checked_rem(millis.saturating_add(1))
            .unwrap_or_default(),
    )
}

/// Number of retries left for an event.
#[derive(Debug)]
pub struct Patience(Cell<u32>);

impl Default for Patience {
    fn default() -> Self {
        Self(Cell::new(MAX_RETRIES_OF_EVENT))
    }
}

impl Patience {
    /// Takes one retry; returns false if none is left.
    pub fn take(&self) -> bool {
        let left = self.0.get().checked_sub(1);
        if let Some(left) = left {
            self.0.set(left);
        }
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BUSY: Hints<'_> = Hints {
        status: 429,
        retry_after: None,
        should_retry: None,
    };

    #[test]
    fn only_what_was_not_begun_is_sent_again_and_twice_at_most() {
        let pause = |hints, retries| pause_before_retry(hints, retries, TIMEOUT, 0);
        assert_eq!(pause(BUSY, 0), Some(Duration::ZERO));
        assert_eq!(pause(BUSY, 1), Some(Duration::ZERO));
        assert_eq!(pause(BUSY, 2), None);
        for status in [200, 400, 402, 404, 409, 500, 503] {
            let should_retry = Some("true");
            let hints = Hints {
                status,
                should_retry,
                ..BUSY
            };
            assert_eq!(pause(hints, 0), None, "{status}");
        }
    }

    #[test]
    fn what_stripe_says_is_heeded() {
        let said = |retry_after, should_retry| Hints {
            retry_after,
            should_retry,
            ..BUSY
        };
        let pause = |hints| pause_before_retry(hints, 0, TIMEOUT, 7);
        let (at_once, after_one) = (Duration::from_millis(7), Duration::from_millis(1007));
        for (retry_after, should_retry, expected) in [
            (None, None, Some(at_once)),
            (None, Some("true"), Some(at_once)),
            (None, Some("false"), None),
            (Some("1"), Some("false"), None),
            (Some("1"), None, Some(after_one)),
            (Some("1"), Some("true"), Some(after_one)),
            (Some("5"), None, None),
            (Some("5"), Some("true"), None),
            (Some("soon"), None, None),
            (Some("-1"), None, None),
            (Some("99999999999999999999"), None, None),
        ] {
            let found = pause(said(retry_after, should_retry));
            assert_eq!(found, expected, "{retry_after:?} {should_retry:?}");
        }
    }

    #[test]
    fn an_event_is_patient_for_a_while() {
        let patience = Patience::default();
        let taken = (0..100).filter(|_| patience.take()).count();
        assert_eq!(u32::try_from(taken), Ok(MAX_RETRIES_OF_EVENT));
    }

    proptest! {
        /// All attempts and pauses of a call fit into its time, and none is cut off before it could
        /// be answered.
        #[test]
        fn a_call_ends_in_time(secs in 0_u64..9, random: u32, retries in 0_u32..4, left in 0_u64..12_000) {
            let (left, secs) = (Duration::from_millis(left), secs.to_string());
            let hints = Hints { retry_after: Some(&secs), ..BUSY };
            if let Some(pause) = pause_before_retry(hints, retries, left, random) {
                prop_assert!(pause + SHORTEST_ATTEMPT <= left);
                prop_assert!(pause <= LONGEST_RETRY_AFTER + Duration::from_secs(1));
            }
        }
    }
}
