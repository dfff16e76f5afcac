//! Limit on failed promotion codes, so that codes can't be guessed. A network that fails too often
//! can use no code for a while, not even a valid one, and neither can a cart, whatever network it
//! comes from. Both can still order without a code.
//!
//! Failures are counted by a rate limiter, which is approximate; each isolate remembers the sources
//! it has seen blocked. A guess then costs the database nothing. An object with an exact count
//! would add a request to every quote that has a code.

use crate::codes::Code;
use crate::customers::limits::{Limit, Limiters};
use crate::error::{Error, Result};
use durable::Timestamp;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;

/// Seconds for which a source can use no code.
const BLOCKED_SECS: u32 = 10 * 60;

/// Maximum number of sources that an isolate remembers; the one unblocked soonest makes room.
const MAX_BLOCKED: usize = 1_000;

/// Networks and carts that can use no code at present, each with the end of its block; in memory of
/// one isolate.
#[derive(Debug, Default)]
pub struct BlockedSources(BTreeMap<String, Timestamp>);

impl BlockedSources {
    /// Returns the seconds until the source can use a code. `None` means that it can now.
    #[must_use]
    pub fn secs_left(&self, source: &str, now: Timestamp) -> Option<u32> {
        let until = *self.0.get(source)?;
        let millis = until.as_millis().saturating_sub(now.as_millis());
        let secs = u32::try_from(millis).ok()?.div_ceil(1000);
        (secs > 0).then_some(secs)
    }

    fn block(&mut self, source: &str, now: Timestamp) {
        self.0.retain(|_, until| *until > now);
        if self.0.len() >= MAX_BLOCKED {
            let first = self.0.iter().min_by_key(|(_, until)| **until);
            if let Some(source) = first.map(|(source, _)| source.clone()) {
                self.0.remove(&source);
            }
        }
        self.0
            .insert(source.to_owned(), now.plus_secs(BLOCKED_SECS));
    }
}

/// Code attempts of one request.
#[derive(Debug)]
pub struct CodeTries<'a, L> {
    /// Rate limiters; counts against [`Limit::FailedCode`].
    pub limiters: L,
    /// Sources that this isolate remembers as blocked.
    pub blocked: &'a RefCell<BlockedSources>,
    /// Sources of the request: its network and its cart.
    pub sources: [String; 2],
}

impl<L: Limiters> CodeTries<'_, L> {
    /// Runs `quote`, and counts the codes that it rejects.
    ///
    /// # Errors
    /// 429 `too_many_failed_codes` for a blocked source, without saying whether its codes are
    /// valid; otherwise the errors of `quote`.
    pub async fn count<T>(
        &self,
        has_codes: bool,
        now: Timestamp,
        quote: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if !has_codes {
            return quote.await;
        }
        if let Some(secs) = self.secs_left(now) {
            return Err(too_many_failed_codes(secs));
        }
        let outcome = quote.await;
        for _ in 0..failed_codes(&outcome) {
            self.count_failure(now).await?;
        }
        outcome
    }

    fn secs_left(&self, now: Timestamp) -> Option<u32> {
        let blocked = self.blocked.borrow();
        let left = self.sources.iter();
        left.filter_map(|source| blocked.secs_left(source, now))
            .max()
    }

    async fn count_failure(&self, now: Timestamp) -> Result<()> {
        for source in &self.sources {
            let admitted = self.limiters.admits(Limit::FailedCode, source).await;
            if matches!(admitted, Ok(false)) {
                self.blocked.borrow_mut().block(source, now);
                return Err(too_many_failed_codes(BLOCKED_SECS));
            }
        }
        Ok(())
    }
}

fn failed_codes<T>(outcome: &Result<T>) -> usize {
    match outcome {
        Err(Error::Invalid(errors)) => errors
            .iter()
            .filter(|error| error.field.starts_with("codes."))
            .count(),
        _ => 0,
    }
}

const fn too_many_failed_codes(retry_after_secs: u32) -> Error {
    Error::TooMany {
        code: Code::TooManyFailedCodes,
        retry_after_secs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FieldError;
    use futures_util::FutureExt;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    /// A limiter that admits a fixed number of requests per key.
    #[derive(Default)]
    struct Counts(RefCell<BTreeMap<String, u32>>);

    const ADMITTED: u32 = 3;

    impl Limiters for &Counts {
        async fn admits(&self, _limit: Limit, key: &str) -> Result<bool> {
            let mut counts = self.0.borrow_mut();
            let count = counts.entry(key.to_owned()).or_default();
            *count += 1;
            Ok(*count <= ADMITTED)
        }
    }

    fn asked(tries: &CodeTries<'_, &Counts>, now: Timestamp, codes: &[bool]) -> &'static str {
        let errors: Vec<FieldError> = codes
            .iter()
            .filter(|good| !**good)
            .map(|_| FieldError::new("codes.0", Code::UnknownCode, ""))
            .collect();
        let quote = async move {
            if errors.is_empty() {
                return Ok(());
            }
            Err(Error::Invalid(errors))
        };
        let outcome = tries.count(!codes.is_empty(), now, quote);
        match outcome.now_or_never().unwrap() {
            Ok(()) => "quoted",
            Err(error) => error.code().as_str(),
        }
    }

    #[test]
    fn who_failed_too_often_can_try_no_code_for_a_while_but_order_without() {
        let (counts, blocked) = (Counts::default(), RefCell::default());
        let tries = |network: &str, cart: &str| CodeTries {
            limiters: &counts,
            blocked: &blocked,
            sources: [network.to_owned(), cart.to_owned()],
        };
        let own = tries("own", "first");
        assert_eq!(asked(&own, NOW, &[true, false]), "unknown_code");
        assert_eq!(asked(&own, NOW, &[false, false]), "unknown_code");
        assert_eq!(asked(&own, NOW, &[true]), "quoted");
        assert_eq!(asked(&own, NOW, &[false]), "too_many_failed_codes");
        assert_eq!(asked(&own, NOW, &[true]), "too_many_failed_codes");
        assert_eq!(asked(&own, NOW, &[]), "quoted");
        let with_other_cart = tries("own", "second");
        assert_eq!(
            asked(&with_other_cart, NOW, &[true]),
            "too_many_failed_codes"
        );
        assert_eq!(asked(&tries("other", "second"), NOW, &[true]), "quoted");
        let last = NOW.plus_secs(BLOCKED_SECS - 1);
        assert_eq!(blocked.borrow().secs_left("own", last), Some(1));
        assert_eq!(asked(&own, NOW.plus_secs(BLOCKED_SECS), &[true]), "quoted");
    }

    #[test]
    fn a_cart_that_failed_too_often_can_try_none_from_any_network() {
        let (counts, blocked) = (Counts::default(), RefCell::default());
        let tries = |network: u32, cart: &str| CodeTries {
            limiters: &counts,
            blocked: &blocked,
            sources: [network.to_string(), cart.to_owned()],
        };
        for network in 0..ADMITTED {
            assert_eq!(
                asked(&tries(network, "cart"), NOW, &[false]),
                "unknown_code"
            );
        }
        for codes in [false, true] {
            assert_eq!(
                asked(&tries(8, "cart"), NOW, &[codes]),
                "too_many_failed_codes"
            );
        }
        assert_eq!(asked(&tries(9, "cart"), NOW, &[]), "quoted");
        assert_eq!(asked(&tries(8, "other"), NOW, &[true]), "quoted");
    }

    #[test]
    fn what_an_isolate_remembers_is_bounded() {
        let mut blocked = BlockedSources::default();
        for at in 0..2 * i64::try_from(MAX_BLOCKED).unwrap() {
            let now = Timestamp::from_millis(at);
            blocked.block(&at.to_string(), now);
            assert!(blocked.0.len() <= MAX_BLOCKED);
            assert!(blocked.secs_left(&at.to_string(), now).is_some());
        }
    }
}
