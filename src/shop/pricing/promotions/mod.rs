//! Promotions: which of them a cart has, and what each takes off.
//!
//! Those on goods come first, those on shipping after; among them the higher priority, and at equal
//! priority the smaller id, so that the order in which they are kept decides nothing. Each is
//! counted on what the ones before it have left. One that does not stack stands alone: it is passed
//! over once another has taken something off, and keeps the others away once it has itself. A
//! discount is counted once, rounded half up, and spread over the goods it is about by largest
//! remainder; no line goes below zero.

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

/// A reason to charge less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Promotion {
    /// `summer`; also names the object that counts its uses, so that a limit counts across changes.
    pub id: String,
    /// As shoppers read it.
    pub title: String,
    /// What a shopper types for it, in any case and with any spaces; none: it comes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The higher comes first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// True if others may take something off beside it.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub stacks: bool,
    /// From then on.
    #[serde(default, with = "instants", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "testing", schema(value_type = Option<String>, format = DateTime))]
    pub starts_at: Option<Timestamp>,
    /// Until then.
    #[serde(default, with = "instants", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "testing", schema(value_type = Option<String>, format = DateTime))]
    pub ends_at: Option<Timestamp>,
    /// The goods it is about: the minimums count them, and the discount is on them. None: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Selector>,
    /// Goods of which the cart must have some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Selector>,
    /// What those goods must cost at least, before discounts; where it stands, other currencies are
    /// not served.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub min_subtotal: Vec<Money>,
    /// Units of those goods that there must be at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_quantity: Option<u32>,
    /// Whom it is for: mail addresses, kept as their digests. None: everyone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customers: Vec<String>,
    /// Whether it is for who has never ordered, and so once for each.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_order: bool,
    /// How often it can be used.
    #[serde(default, skip_serializing_if = "is_unlimited")]
    #[cfg_attr(feature = "testing", schema(value_type = Object))]
    pub limits: Limits,
    /// What it takes off.
    pub benefit: Benefit,
}

/// What a promotion takes off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum Benefit {
    /// A part of the goods' price.
    Percentage {
        /// Parts per million: 10 % are 100000.
        off_ppm: i64,
    },
    /// An amount, at most the goods' price.
    Amount {
        /// One for each currency it is offered in.
        amounts: Vec<Money>,
    },
    /// The price of shipping.
    FreeShipping {
        /// By these methods; none: by any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        methods: Vec<String>,
    },
    /// Of every so many units bought, so many more for less: the cheapest ones.
    BuyXGetY {
        /// Units at their price.
        buy: u32,
        /// Units for less.
        get: u32,
        /// Parts per million off those: 1000000 makes them free.
        off_ppm: i64,
        /// What can be had for less; none: the goods that it is about.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        gets: Vec<Selector>,
    },
    /// A part that grows with the number of units.
    QuantityTiers {
        /// The last that is reached holds.
        tiers: Vec<QuantityTier>,
    },
    /// A part that grows with what the goods cost.
    SubtotalTiers {
        /// The last that is reached holds, in each currency.
        tiers: Vec<SubtotalTier>,
    },
}

/// A step by units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct QuantityTier {
    /// From so many units on.
    pub from: u32,
    /// Parts per million.
    pub off_ppm: i64,
}

/// A step by price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct SubtotalTier {
    /// From this price on, before discounts.
    pub from: Money,
    /// Parts per million.
    pub off_ppm: i64,
}

/// What is known of who asks.
#[derive(Clone, Copy, Debug)]
pub struct Shopper<'a> {
    /// Codes in their plain form.
    pub codes: &'a [String],
    /// Digest of the mail address.
    pub customer: &'a str,
    /// Whether there is an order of that address that came to something.
    pub has_ordered: bool,
    /// Ids of promotions that have been used as often as they can be.
    pub used_up: &'a [String],
    /// ISO 4217.
    pub currency: Currency,
    /// When it is asked.
    pub now: Timestamp,
}

/// Takes off the goods what the promotions on them give, and tells of each that was asked for.
///
/// # Errors
/// When amounts do not fit.
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

/// What is taken off a shipping `price` by `method`, told behind what the goods' promotions told.
///
/// # Errors
/// When amounts do not fit.
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

/// Those that come by themselves to this shopper, or by a code, in the order in which they are
/// counted. For whom a code is, is asked when it is ordered with: a quote is made for any address,
/// and must not tell what that has ordered.
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
    /// How often it can be used: one for first orders once by each customer, since two of a
    /// customer's can be placed at once.
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

    /// Whether it is for a customer, the digest of a mail address.
    #[must_use]
    pub fn is_for(&self, customer: &str, has_ordered: bool) -> bool {
        let is_named = self.customers.is_empty() || self.customers.iter().any(|it| it == customer);
        is_named && !(self.first_order && has_ordered)
    }

    /// Whether a quote leaves open for whom it is.
    fn is_checked_at_order(&self) -> bool {
        let is_for_some = !self.customers.is_empty() || self.limits().per_customer.is_some();
        self.code.is_some() && is_for_some
    }

    const fn is_on_shipping(&self) -> bool {
        matches!(self.benefit, Benefit::FreeShipping { .. })
    }

    /// Why it takes nothing off this cart, if that does not depend on amounts that are left.
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

/// What it takes off.
impl Promotion {
    /// What it takes off each item; or why nothing.
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

    /// What is left of the price of each item that it is about; 0 for the others.
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

/// How many units of each item are had for less: as many as the units bought beside them allow, the
/// cheapest first.
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
    // What allows so many times allows fewer, too.
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

/// More often than any cart has units.
const MAX_TIMES: u32 = 1 << 20;

/// `off_ppm` of the price of so many units of each item, at most what is left of it.
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
