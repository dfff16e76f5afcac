//! Promotions: which ones apply to a cart, and the discount that each gives.
//!
//! Promotions on goods come before those on shipping. Within each group, higher priority comes
//! first, and ties are broken by the smaller id, so that storage order decides nothing. Each
//! discount is calculated on the amount that earlier ones left. A promotion that does not stack is
//! skipped if another has already given a discount, and excludes all later ones once it has given
//! one itself. A discount is calculated once, rounded half up, and split over the matching goods by
//! largest remainder; no line goes below zero.

pub mod problems;

use crate::error::Result;
use crate::pricing::instants;
use crate::pricing::item::Item;
use crate::pricing::quote::{QuotePromotion, Reason};
use crate::pricing::selectors::{Selector, amount_in, selects};
use crate::values::money::{Currency, Money, Ratio, share_half_up, split_in, sum, times};
use crate::values::typing::plain_code;
use durable::Timestamp;
use durable::promotion::Limits;
use serde::{Deserialize, Serialize};

/// A reason for a discount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Promotion {
    /// Id such as `summer`. It also names the object that counts uses, so a limit survives edits.
    pub id: String,
    /// Title shown to shoppers.
    pub title: String,
    /// Code that a shopper enters; case and spaces do not matter. `None` means the promotion
    /// applies automatically.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Promotions with a higher priority are applied first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// True if it can be combined with other discounts.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub stacks: bool,
    /// Start of the promotion. `None` means it has already begun.
    #[serde(default, with = "instants", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "testing", schema(value_type = Option<String>, format = DateTime))]
    pub starts_at: Option<Timestamp>,
    /// End of the promotion, exclusive. `None` means it does not end.
    #[serde(default, with = "instants", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "testing", schema(value_type = Option<String>, format = DateTime))]
    pub ends_at: Option<Timestamp>,
    /// Goods that count towards the minimums and get the discount. Empty means all goods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Selector>,
    /// Goods of which the cart must contain at least one. Empty means no such condition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Selector>,
    /// Minimum price of the matching goods before discounts, per currency. If any is set, the
    /// promotion is not available in other currencies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub min_subtotal: Vec<Money>,
    /// Minimum number of units of the matching goods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_quantity: Option<u32>,
    /// Customers that it is limited to: email addresses, stored as digests. Empty means everyone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customers: Vec<String>,
    /// True if it is only for customers without an earlier order, and therefore once per customer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_order: bool,
    /// Limits on the number of uses.
    #[serde(default, skip_serializing_if = "is_unlimited")]
    #[cfg_attr(feature = "testing", schema(value_type = Object))]
    pub limits: Limits,
    /// Discount that it gives.
    pub benefit: Benefit,
}

/// Discount given by a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum Benefit {
    /// A percentage of the goods' price.
    Percentage {
        /// Parts per million: 10 % is 100000.
        off_ppm: i64,
    },
    /// A fixed amount, at most the goods' price.
    Amount {
        /// One amount for each currency that it is offered in.
        amounts: Vec<Money>,
    },
    /// Free shipping.
    FreeShipping {
        /// Shipping methods that become free. Empty means all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        methods: Vec<String>,
    },
    /// For each group of units bought, a number of further units at a discount, cheapest first.
    BuyXGetY {
        /// Units bought at full price.
        buy: u32,
        /// Units at a discount.
        get: u32,
        /// Discount on those units in parts per million; 1000000 makes them free.
        off_ppm: i64,
        /// Goods that the discount is given on. Empty means the promotion's `items`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        gets: Vec<Selector>,
    },
    /// A percentage that depends on the number of units.
    QuantityTiers {
        /// Tiers; the highest one reached applies.
        tiers: Vec<QuantityTier>,
    },
    /// A percentage that depends on the price of the goods.
    SubtotalTiers {
        /// Tiers; the highest one reached in the cart's currency applies.
        tiers: Vec<SubtotalTier>,
    },
}

/// A tier by number of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct QuantityTier {
    /// Minimum number of units.
    pub from: u32,
    /// Discount in parts per million.
    pub off_ppm: i64,
}

/// A tier by price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct SubtotalTier {
    /// Minimum price, before discounts.
    pub from: Money,
    /// Discount in parts per million.
    pub off_ppm: i64,
}

/// Facts about the buyer that promotions depend on.
#[derive(Clone, Copy, Debug)]
pub struct Shopper<'a> {
    /// Codes entered, in normalized form.
    pub codes: &'a [String],
    /// Digest of the buyer's email address.
    pub customer: &'a str,
    /// True if that address has an earlier order that has neither expired nor been cancelled.
    pub has_ordered: bool,
    /// Ids of promotions whose limit has been reached.
    pub used_up: &'a [String],
    /// ISO 4217.
    pub currency: Currency,
    /// Time of the request.
    pub now: Timestamp,
}

/// Applies the promotions on goods to `items`. Returns those that applied, and those whose code was
/// entered but which did not apply, with the reason.
///
/// # Errors
/// Fails if an amount overflows.
pub fn discount_goods(
    promotions: &[Promotion],
    shopper: &Shopper<'_>,
    items: &mut [Item<'_>],
) -> Result<Vec<QuotePromotion>> {
    let mut told: Vec<QuotePromotion> = Vec::new();
    let on_goods = promotions.iter().filter(|it| !it.is_on_shipping());
    for promotion in asked_for(on_goods, shopper) {
        let outcome = match promotion.objection(shopper, items, &told) {
            Some(reason) => Err(reason),
            None => promotion.shares(shopper.currency, items)?,
        };
        match outcome {
            Ok(shares) => {
                let discount = sum(shares.iter().copied())?;
                for (item, share) in items.iter_mut().zip(&shares) {
                    item.line.discount = sum([item.line.discount, *share])?;
                }
                told.push(QuotePromotion {
                    shares,
                    ..promotion.told(discount, None)
                });
            }
            Err(reason) if promotion.code.is_some() => told.push(promotion.told(0, Some(reason))),
            Err(_) => {}
        }
    }
    Ok(told)
}

/// Returns the discount on a shipping `price` for `method`, and appends the shipping promotions to
/// `told`.
///
/// # Errors
/// Fails if an amount overflows.
pub fn discount_shipping(
    promotions: &[Promotion],
    shopper: &Shopper<'_>,
    items: &[Item<'_>],
    method: &str,
    price: i64,
    told: &mut Vec<QuotePromotion>,
) -> Result<i64> {
    let mut left = price;
    let on_shipping = promotions.iter().filter(|it| it.is_on_shipping());
    for promotion in asked_for(on_shipping, shopper) {
        let Benefit::FreeShipping { methods } = &promotion.benefit else {
            continue;
        };
        let by_others = !methods.is_empty() && !methods.iter().any(|it| it == method);
        let objection = promotion
            .objection(shopper, items, told)
            .or(by_others.then_some(Reason::OtherShipping))
            .or((left == 0).then_some(Reason::NothingLeft));
        match objection {
            None => {
                told.push(promotion.told(left, None));
                left = 0;
            }
            Some(reason) if promotion.code.is_some() => told.push(promotion.told(0, Some(reason))),
            Some(_) => {}
        }
    }
    sum([price, left.saturating_neg()])
}

/// Returns the promotions to consider, in order: automatic ones open to this shopper, and those
/// whose code was entered. Whether a code is for this customer is checked when the order is placed:
/// a quote can be requested for any address and must not reveal that address's order history.
fn asked_for<'p>(
    promotions: impl Iterator<Item = &'p Promotion>,
    shopper: &Shopper<'_>,
) -> Vec<&'p Promotion> {
    let codes = shopper.codes;
    let mut asked: Vec<&Promotion> = promotions
        .filter(|promotion| match &promotion.code {
            None => promotion.is_for(shopper.customer, shopper.has_ordered),
            Some(code) => !codes.is_empty() && codes.contains(&plain_code(code)),
        })
        .collect();
    asked.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.id.cmp(&b.id)));
    asked
}

impl Promotion {
    /// Limits on the number of uses. A first-order promotion allows one use per customer, because
    /// two orders of one customer can be placed at the same time.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let per_customer = if self.first_order {
            Some(1)
        } else {
            self.limits.per_customer
        };
        Limits {
            per_customer,
            ..self.limits
        }
    }

    /// True if the customer, given by the digest of an email address, may use it.
    #[must_use]
    pub fn is_for(&self, customer: &str, has_ordered: bool) -> bool {
        let is_named = self.customers.is_empty() || self.customers.iter().any(|it| it == customer);
        is_named && !(self.first_order && has_ordered)
    }

    /// True if only placing the order reveals whether the customer may use it.
    fn is_checked_at_order(&self) -> bool {
        let is_for_some = !self.customers.is_empty() || self.limits().per_customer.is_some();
        self.code.is_some() && is_for_some
    }

    const fn is_on_shipping(&self) -> bool {
        matches!(self.benefit, Benefit::FreeShipping { .. })
    }

    /// Returns the reason why it gives no discount on this cart, as far as that does not depend on
    /// the amounts left by earlier promotions.
    fn objection(
        &self,
        shopper: &Shopper<'_>,
        items: &[Item<'_>],
        told: &[QuotePromotion],
    ) -> Option<Reason> {
        if self.starts_at.is_some_and(|at| shopper.now < at) {
            return Some(Reason::NotStarted);
        }
        if self.ends_at.is_some_and(|at| shopper.now >= at) {
            return Some(Reason::Ended);
        }
        if shopper.used_up.contains(&self.id) {
            return Some(Reason::UsedUp);
        }
        self.objection_to_goods(shopper.currency, items)
            .or_else(|| self.objection_to_others(told))
    }

    fn objection_to_goods(&self, currency: Currency, items: &[Item<'_>]) -> Option<Reason> {
        let (mut required, mut units, mut subtotal) = (false, 0_u32, 0_i64);
        for item in items {
            let goods = item.goods();
            required = required || selects(&self.requires, &goods);
            if selects(&self.items, &goods) {
                units = units.saturating_add(item.line.quantity);
                subtotal = subtotal.saturating_add(item.line.line_total);
            }
        }
        if !required || units == 0 || units < self.min_quantity.unwrap_or(0) {
            return Some(Reason::NoSuchGoods);
        }
        if self.min_subtotal.is_empty() {
            return None;
        }
        let Some(minimum) = amount_in(&self.min_subtotal, currency) else {
            return Some(Reason::NotInCurrency);
        };
        (subtotal < minimum).then_some(Reason::BelowMinimum)
    }

    fn objection_to_others(&self, told: &[QuotePromotion]) -> Option<Reason> {
        let mut others = told.iter().filter(|it| it.passed_over.is_none());
        let other = if self.stacks {
            others.find(|it| !it.stacks)
        } else {
            others.next()
        };
        other.map(|other| Reason::DoesNotStack {
            with: other.id.clone(),
        })
    }
}

/// Calculation of the discount.
impl Promotion {
    /// Returns its discount on each item, or the reason why there is none.
    fn shares(&self, currency: Currency, items: &[Item<'_>]) -> Result<Result<Vec<i64>, Reason>> {
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

    fn told(&self, discount: i64, passed_over: Option<Reason>) -> QuotePromotion {
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

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_true(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(value: &i32) -> bool {
    *value == 0
}

fn is_unlimited(limits: &Limits) -> bool {
    *limits == Limits::default()
}
