//! Discount of a promotion on each item.

use crate::error::Result;
use crate::pricing::item::Item;
use crate::pricing::promotions::{Benefit, Promotion};
use crate::pricing::quote::{QuotePromotion, Reason};
use crate::pricing::selectors::{Selector, amount_in, selects};
use crate::values::money::{Currency, Ratio, share_half_up, split_in, sum, times};
use durable::promotion::Limits;

impl Promotion {
    /// Returns its discount on each item, or the reason why there is none.
    pub(super) fn shares(
        &self,
        currency: Currency,
        items: &[Item<'_>],
    ) -> Result<Result<Vec<i64>, Reason>> {
        let shares = match &self.benefit {
            Benefit::Percentage { off_ppm } => self.part_of_goods(*off_ppm, currency, items)?,
            Benefit::Amount { amounts } => {
                let Some(amount) = amount_in(amounts, currency) else {
                    return Ok(Err(Reason::NotInCurrency));
                };
                let left = self.left_of(items);
                let all = sum(left.iter().copied())?;
                split_in(amount.min(all), &left, currency.charge_increment())?
            }
            Benefit::BuyXGetY {
                buy,
                get,
                off_ppm,
                gets,
            } => {
                let gets = if gets.is_empty() { &self.items } else { gets };
                let units = units_for_less(items, &self.items, gets, *buy, *get);
                part_of_units(items, &units, *off_ppm, currency)?
            }
            Benefit::QuantityTiers { tiers } => {
                let units = self.sum_of(items, |item| item.line.quantity.into())?;
                let reached = tiers.iter().filter(|tier| i64::from(tier.from) <= units);
                let Some(tier) = reached.max_by_key(|tier| tier.from) else {
                    return Ok(Err(Reason::NoSuchGoods));
                };
                self.part_of_goods(tier.off_ppm, currency, items)?
            }
            Benefit::SubtotalTiers { tiers } => {
                let subtotal = self.sum_of(items, |item| item.line.line_total)?;
                let reached = tiers
                    .iter()
                    .filter(|tier| tier.from.currency == currency && tier.from.amount <= subtotal);
                let Some(tier) = reached.max_by_key(|tier| tier.from.amount) else {
                    return Ok(Err(Reason::BelowMinimum));
                };
                self.part_of_goods(tier.off_ppm, currency, items)?
            }
            Benefit::FreeShipping { .. } => vec![],
        };
        if shares.iter().all(|share| *share == 0) {
            return Ok(Err(Reason::NothingLeft));
        }
        Ok(Ok(shares))
    }

    fn part_of_goods(
        &self,
        off_ppm: i64,
        currency: Currency,
        items: &[Item<'_>],
    ) -> Result<Vec<i64>> {
        let left = self.left_of(items);
        let increment = currency.charge_increment();
        let all = sum(left.iter().copied())?;
        let amount = share_half_up(all, Ratio::ppm(off_ppm), increment)?;
        split_in(amount, &left, increment)
    }

    /// Returns the remaining price of each matching item, and 0 for the others.
    fn left_of(&self, items: &[Item<'_>]) -> Vec<i64> {
        let left = |item: &Item<'_>| {
            if selects(&self.items, &item.goods()) {
                item.line.left()
            } else {
                0
            }
        };
        items.iter().map(left).collect()
    }

    fn sum_of(&self, items: &[Item<'_>], of: impl Fn(&Item<'_>) -> i64) -> Result<i64> {
        let about = items
            .iter()
            .filter(|item| selects(&self.items, &item.goods()));
        sum(about.map(of))
    }

    pub(super) fn told(&self, discount: i64, passed_over: Option<Reason>) -> QuotePromotion {
        let limits = Some(self.limits()).filter(|limits| *limits != Limits::default());
        QuotePromotion {
            id: self.id.clone(),
            title: self.title.clone(),
            code: self.code.clone(),
            discount,
            shares: vec![],
            stacks: self.stacks,
            limits: limits.filter(|_| passed_over.is_none()),
            checked_at_order: passed_over.is_none() && self.is_checked_at_order(),
            passed_over,
        }
    }
}

/// Returns the number of discounted units of each item: as many as the units bought at full price
/// allow, cheapest first.
fn units_for_less(
    items: &[Item<'_>],
    buys: &[Selector],
    gets: &[Selector],
    buy: u32,
    get: u32,
) -> Vec<u32> {
    let mut cheapest: Vec<(usize, &Item<'_>)> = items
        .iter()
        .enumerate()
        .filter(|(_, item)| selects(gets, &item.goods()))
        .collect();
    cheapest.sort_by(|(_, a), (_, b)| {
        (a.line.unit_price, &a.line.sku).cmp(&(b.line.unit_price, &b.line.sku))
    });
    let taken_for = |times: u32| -> Option<Vec<u32>> {
        let mut wanted = get.checked_mul(times)?;
        let mut taken = vec![0_u32; items.len()];
        for (at, item) in &cheapest {
            let units = item.line.quantity.min(wanted);
            wanted = wanted.saturating_sub(units);
            *taken.get_mut(*at)? = units;
        }
        let bought = items
            .iter()
            .zip(&taken)
            .filter(|(item, _)| selects(buys, &item.goods()))
            .fold(0_u32, |all, (item, taken)| {
                all.saturating_add(item.line.quantity.saturating_sub(*taken))
            });
        (wanted == 0 && bought >= buy.checked_mul(times)?).then_some(taken)
    };
    // A cart that qualifies for a number of repetitions also qualifies for fewer: binary search.
    let (mut most, mut too_many) = (0_u32, MAX_TIMES);
    let mut best = vec![0; items.len()];
    while too_many.saturating_sub(most) > 1 {
        let middle = most.midpoint(too_many);
        match taken_for(middle) {
            Some(taken) => (most, best) = (middle, taken),
            None => too_many = middle,
        }
    }
    best
}

/// Upper bound of the search; exceeds the number of units in any cart.
const MAX_TIMES: u32 = 1 << 20;

/// Returns `off_ppm` of the price of the given units of each item, at most the item's remaining
/// price.
fn part_of_units(
    items: &[Item<'_>],
    units: &[u32],
    off_ppm: i64,
    currency: Currency,
) -> Result<Vec<i64>> {
    let part = |(item, units): (&Item<'_>, &u32)| {
        let price = times(item.line.unit_price, *units)?;
        let off = share_half_up(price, Ratio::ppm(off_ppm), currency.charge_increment())?;
        Ok(off.min(item.line.left()))
    };
    items.iter().zip(units).map(part).collect()
}
