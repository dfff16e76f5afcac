//! Amounts that a provider can charge.

/// Bounds of a charge in a currency, in its minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChargeLimits {
    /// Least that is charged; 0 where no bound is known.
    pub smallest: i64,
    /// Most that is charged at once.
    pub largest: i64,
    /// Step: what is charged or given back is a multiple of it.
    pub step: i64,
}

/// Reason why an amount can't be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeRefusal {
    /// It is below the smallest charge.
    TooSmall,
    /// It is above the largest charge.
    TooLarge,
    /// It is between two steps.
    BetweenSteps,
}

impl ChargeLimits {
    /// Judges what is to be charged; nothing needs no charge.
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
