//! Limits on the orders that may await payment at once. Each holds stock that nobody else can buy,
//! and costs the buyer nothing until it is paid. Paying or cancelling an order makes room for the
//! next. If the shop requires a challenge, a visitor who solves it may have more orders per
//! network; orders without a solution are also counted by themselves, whatever became of them.

use crate::codes::Code;
use crate::customers::challenge::{Proof, Solution};
use crate::error::{Error, Result};
use crate::pricing::quote::QuoteLine;
use crate::values::ids::Sku;
use durable::Timestamp;
use std::collections::BTreeMap;

/// Seconds after which a retry makes sense: some orders may have been paid or have ended.
const RETRY_SECS: u32 = 5 * 60;

/// Maximum orders without a solved challenge from one network within [`UNPROVED_SECS`], if the shop
/// requires one: enough for a household, too few for a flood.
pub const MAX_UNPROVED: u32 = 5;

/// Seconds for which an order without a solved challenge counts.
pub const UNPROVED_SECS: u32 = 10 * 60;

/// Maximum pending orders with a solved challenge from one network: enough for an office or a
/// school, too few for a flood with bought solutions.
pub const PROVED_ORDERS_PER_NETWORK: u32 = 100;

/// The visitor who places an order, identified by network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// Keyed digest of the network; deleted once the order is no longer pending.
    pub network: String,
    /// Limits on pending orders.
    pub limits: PendingLimits,
    /// Solution of a challenge. `None` means that the request carries none.
    pub solution: Option<Solution>,
}

/// Limits on pending orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingLimits {
    /// Maximum orders per email address.
    pub orders_per_address: u32,
    /// Maximum orders per network.
    pub orders_per_network: u32,
    /// Maximum units of one SKU in pending orders from one network. Applies only if others of its
    /// orders already contain the SKU.
    pub units_per_network: u32,
}

/// Pending orders before a new one is placed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// Orders of the email address.
    pub of_address: u32,
    /// Orders from the network.
    pub of_network: u32,
    /// Units in orders from the network, for each SKU of the new order that has any.
    pub units: BTreeMap<Sku, u32>,
    /// Time at which the [`MAX_UNPROVED`]th most recent order without a solved challenge was placed
    /// from the network. `None` means there are fewer.
    pub unproved_since: Option<Timestamp>,
}

impl PendingLimits {
    /// Returns the maximum orders from one network, which depends on the challenge.
    #[must_use]
    pub fn orders_for(self, proof: Proof) -> u32 {
        if proof == Proof::Shown {
            return self.orders_per_network.max(PROVED_ORDERS_PER_NETWORK);
        }
        self.orders_per_network
    }
}

/// Early check of the limits. Two simultaneous orders may both pass; the database then enforces the
/// same limits.
impl Pending {
    /// Checks the limits that a solved challenge does not raise: orders of the address, and units.
    ///
    /// # Errors
    /// 429 `too_many_pending_orders`.
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

    /// Checks the limits on orders from the network.
    ///
    /// # Errors
    /// 429 `too_many_pending_orders`, `too_many_unproved_orders`.
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

/// Checks the limit on orders without a solved challenge; `since` is [`Pending::unproved_since`].
///
/// # Errors
/// 429 `too_many_unproved_orders`, with the seconds until another order is allowed.
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
        code: Code::TooManyUnprovedOrders,
        retry_after_secs: secs.min(UNPROVED_SECS),
    })
}

/// Returns a 429 for a visitor whose pending orders already hold enough.
#[must_use]
pub const fn too_many_pending_orders() -> Error {
    Error::TooMany {
        code: Code::TooManyPendingOrders,
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
        let (pending_orders, unproved) = (Code::TooManyPendingOrders, Code::TooManyUnprovedOrders);
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
                assert_eq!(error.code(), Code::TooManyPendingOrders);
            }
        }
        let more_than_all = [line(0, 1_000, 100)];
        assert!(Pending::default().check(limits, &more_than_all).is_ok());
    }
}
