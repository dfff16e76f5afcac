//! How many orders may wait for their payment at once: each holds stock that nobody else can buy, and costs nothing until it is paid.
//! Paying or cancelling one makes room for the next.

use crate::error::{Error, Result};
use crate::shop::pricing::QuoteLine;
use std::collections::BTreeMap;

/// Seconds after which it is worth trying again: some orders may have been paid or have ended.
const RETRY_SECS: u32 = 5 * 60;

/// Whoever orders, by where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// Keyed digest of the network; forgotten when the order is no longer pending.
    pub network: String,
    /// What may be pending at once.
    pub limits: PendingLimits,
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
}

impl Pending {
    /// Lets one more order in, or not. Two at once may both be let in here; then the database decides, by the same bounds.
    ///
    /// # Errors
    /// 429 `too_many_pending_orders`.
    pub fn check(&self, limits: PendingLimits, lines: &[QuoteLine]) -> Result<()> {
        let too_many_orders = self.of_address >= limits.orders_per_address
            || self.of_network >= limits.orders_per_network;
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
    use crate::shop::orders::samples::line;

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
            };
            let outcome = pending.check(limits, &lines);
            assert_eq!(outcome.is_ok(), is_let_in, "{pending:?}");
            if let Err(error) = outcome {
                assert_eq!(error.code(), "too_many_pending_orders");
            }
        }
        let more_than_all = [line(0, 1_000, 100)];
        assert!(Pending::default().check(limits, &more_than_all).is_ok());
    }
}
