//! How many orders may wait for their payment at once: each holds stock that nobody else can buy,
//! and costs nothing until it is paid. Paying or cancelling one makes room for the next. Where the
//! shop asks for a proof, who shows it is lifted above the number of orders from a network, and who
//! shows none is counted in a class by itself as well, whatever became of the orders.

use crate::customers::challenge::{Proof, Solution};
use crate::error::{Error, Result};
use crate::pricing::quote::QuoteLine;
use durable::Timestamp;
use std::collections::BTreeMap;

/// Seconds after which it is worth trying again: some orders may have been paid or have ended.
const RETRY_SECS: u32 = 5 * 60;

/// Orders without a proof from one network within [`UNPROVED_SECS`], where the shop asks for one: a
/// household's, and no flood.
pub const MAX_UNPROVED: u32 = 5;

/// Seconds for which an order without a proof counts.
pub const UNPROVED_SECS: u32 = 10 * 60;

/// Orders from one network that may be pending with a proof each: an office's or a school's, and no
/// bought solutions' flood.
pub const PROVED_ORDERS_PER_NETWORK: u32 = 100;

/// Whoever orders, by where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// Keyed digest of the network; forgotten when the order is no longer pending.
    pub network: String,
    /// What may be pending at once.
    pub limits: PendingLimits,
    /// The solution of a challenge, where the request shows one.
    pub solution: Option<Solution>,
}

/// What may be pending at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingLimits {
    /// Orders of one mail address.
    pub orders_per_address: u32,
    /// Orders from one network.
    pub orders_per_network: u32,
    /// Units of one SKU in orders from one network; a first order may have more.
    pub units_per_network: u32,
}

/// What is pending before an order is placed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// Orders of the mail address.
    pub of_address: u32,
    /// Orders from the network.
    pub of_network: u32,
    /// Units in orders from the network, of each SKU of this one that has any.
    pub units: BTreeMap<String, u32>,
    /// Instant at which the [`MAX_UNPROVED`]th last order without a proof was placed from the
    /// network; none: there are fewer.
    pub unproved_since: Option<Timestamp>,
}

impl PendingLimits {
    /// Orders from one network, for who stands so to the challenge.
    #[must_use]
    pub fn orders_for(self, proof: Proof) -> u32 {
        if proof == Proof::Shown {
            return self.orders_per_network.max(PROVED_ORDERS_PER_NETWORK);
        }
        self.orders_per_network
    }
}

/// Two orders at once may both be let in here; then the database decides, by the same bounds.
impl Pending {
    /// Lets one more order in, or not, by what no proof lifts: the orders of the address, and the
    /// units.
    ///
    /// # Errors
    /// 429 `too_many_pending_orders`.
    pub fn check(&self, limits: PendingLimits, lines: &[QuoteLine]) -> Result<()> {
        let too_many_orders = self.of_address >= limits.orders_per_address;
        let too_many_units = lines.iter().any(|line| {
            let pending = self.units.get(&line.sku);
            pending.is_some_and(|pending| {
                pending.saturating_add(line.quantity) > limits.units_per_network
            })
        });
        if too_many_orders || too_many_units {
            return Err(too_many_pending_orders());
        }
        Ok(())
    }

    /// Lets one more order from the network in, or not.
    ///
    /// # Errors
    /// 429 `too_many_pending_orders`, `too_many_unproved_orders`.
    pub fn check_network(&self, limits: PendingLimits, proof: Proof, now: Timestamp) -> Result<()> {
        if self.of_network >= limits.orders_for(proof) {
            return Err(too_many_pending_orders());
        }
        if proof == Proof::Missing {
            check_unproved(self.unproved_since, now)?;
        }
        Ok(())
    }
}

/// Lets one more order without a proof in, or not; `since` as [`Pending::unproved_since`].
///
/// # Errors
/// 429 `too_many_unproved_orders`, with the seconds until one more goes.
pub fn check_unproved(since: Option<Timestamp>, now: Timestamp) -> Result<()> {
    let Some(until) = since.map(|since| since.plus_secs(UNPROVED_SECS)) else {
        return Ok(());
    };
    let millis = until.as_millis().saturating_sub(now.as_millis());
    let secs = u32::try_from(millis).unwrap_or(0).div_ceil(1000);
    if secs == 0 {
        return Ok(());
    }
    Err(Error::TooMany {
        code: "too_many_unproved_orders",
        retry_after_secs: secs.min(UNPROVED_SECS),
    })
}

/// 429 for a visitor whose orders hold enough already.
#[must_use]
pub const fn too_many_pending_orders() -> Error {
    Error::TooMany {
        code: "too_many_pending_orders",
        retry_after_secs: RETRY_SECS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::samples::line;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);

    #[test]
    fn a_proof_lifts_the_orders_of_a_network_and_nothing_else() {
        let limits = PendingLimits {
            orders_per_address: 3,
            orders_per_network: 10,
            units_per_network: 99,
        };
        let pending = |of_network, secs: Option<u32>| Pending {
            of_network,
            unproved_since: secs.map(|secs| NOW.minus_secs(secs)),
            ..Pending::default()
        };
        let (pending_orders, unproved) = ("too_many_pending_orders", "too_many_unproved_orders");
        for (of_network, secs_ago, proof, refused) in [
            (9, Some(1), Proof::NotAsked, None),
            (10, None, Proof::NotAsked, Some(pending_orders)),
            (10, Some(1), Proof::Shown, None),
            (99, Some(1), Proof::Shown, None),
            (100, Some(1), Proof::Shown, Some(pending_orders)),
            (9, None, Proof::Missing, None),
            (10, None, Proof::Missing, Some(pending_orders)),
            (4, Some(599), Proof::Missing, Some(unproved)),
            (0, Some(0), Proof::Missing, Some(unproved)),
            (4, Some(600), Proof::Missing, None),
        ] {
            let pending = pending(of_network, secs_ago);
            let outcome = pending.check_network(limits, proof, NOW);
            let code = outcome.as_ref().err().map(Error::code);
            assert_eq!(code, refused, "{pending:?} {proof:?}");
            if code == Some(unproved) {
                let left = secs_ago.map(|secs| UNPROVED_SECS - secs);
                assert_eq!(outcome.unwrap_err().retry_after_secs(), left);
            }
        }
        let of_address = Pending {
            of_address: 3,
            ..Pending::default()
        };
        assert!(of_address.check(limits, &[]).is_err());
    }

    #[test]
    fn an_order_that_was_placed_by_a_faster_clock_makes_nobody_wait_longer() {
        let later = Some(NOW.plus_secs(3600));
        let refusal = check_unproved(later, NOW).unwrap_err();
        assert_eq!(refusal.retry_after_secs(), Some(UNPROVED_SECS));
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let limits = PendingLimits {
            orders_per_address: 3,
            orders_per_network: 10,
            units_per_network: 99,
        };
        let lines = [line(0, 1_000, 90)];
        let sku = &lines[0].sku;
        for (of_address, of_network, units, is_let_in) in [
            (0, 0, None, true),
            (2, 9, None, true),
            (3, 3, None, false),
            (0, 10, None, false),
            (1, 1, Some(9), true),
            (1, 1, Some(10), false),
            (1, 1, Some(u32::MAX), false),
        ] {
            let pending = Pending {
                of_address,
                of_network,
                units: units
                    .map(|units| (sku.clone(), units))
                    .into_iter()
                    .collect(),
                unproved_since: None,
            };
            let of_network = || pending.check_network(limits, Proof::NotAsked, NOW);
            let outcome = pending.check(limits, &lines).and_then(|()| of_network());
            assert_eq!(outcome.is_ok(), is_let_in, "{pending:?}");
            if let Err(error) = outcome {
                assert_eq!(error.code(), "too_many_pending_orders");
            }
        }
        let more_than_all = [line(0, 1_000, 100)];
        assert!(Pending::default().check(limits, &more_than_all).is_ok());
    }
}
