//! Limits on the amounts that a provider can charge.

/// Limits on a charge in one currency, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChargeLimits {
    /// Smallest amount that can be charged; 0 if no limit is known.
    pub smallest: i64,
    /// Largest amount that can be charged at once.
    pub largest: i64,
    /// Step: charges and refunds must be multiples of it.
    pub step: i64,
}

/// Reason why an amount can't be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeRefusal {
    /// Below the smallest charge.
    TooSmall,
    /// Above the largest charge.
    TooLarge,
    /// Not a multiple of the step.
    BetweenSteps,
}

impl ChargeLimits {
    /// Checks an amount to be charged; 0 needs no charge.
    ///
    /// # Errors
    /// The reason why it can't be charged.
    pub const fn judge(self, amount: i64) -> Result<(), ChargeRefusal> {
        if amount == 0 {
            Ok(())
        } else if amount < self.smallest {
            Err(ChargeRefusal::TooSmall)
        } else if amount > self.largest {
            Err(ChargeRefusal::TooLarge)
        } else if !self.is_whole_steps(amount) {
            Err(ChargeRefusal::BetweenSteps)
        } else {
            Ok(())
        }
    }

    /// True for a multiple of the step.
    #[must_use]
    pub const fn is_whole_steps(self, amount: i64) -> bool {
        matches!(amount.checked_rem(self.step), Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_judged_by_its_bounds_and_step() {
        let limits = ChargeLimits {
            smallest: 50,
            largest: 9_990,
            step: 10,
        };
        for (amount, judged) in [
            (0, Ok(())),
            (10, Err(ChargeRefusal::TooSmall)),
            (49, Err(ChargeRefusal::TooSmall)),
            (50, Ok(())),
            (55, Err(ChargeRefusal::BetweenSteps)),
            (9_990, Ok(())),
            (10_000, Err(ChargeRefusal::TooLarge)),
        ] {
            assert_eq!(limits.judge(amount), judged, "{amount}");
        }
    }
}
