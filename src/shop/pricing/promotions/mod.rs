//! Promotions: which ones apply to a cart, and the discount that each gives.
//!
//! Promotions on goods come before those on shipping. Within each group, higher priority comes
//! first, and ties are broken by the smaller id, so that storage order decides nothing. Each
//! discount is calculated on the amount that earlier ones left. A promotion that does not stack is
//! skipped if another has already given a discount, and excludes all later ones once it has given
//! one itself. A discount is calculated once, rounded half up, and split over the matching goods by
//! largest remainder; no line goes below zero.

pub mod problems;
mod shares;

use crate::error::Result;
use crate::pricing::instants;
use crate::pricing::item::Item;
use crate::pricing::quote::{QuotePromotion, Reason};
use crate::pricing::selectors::{Selector, amount_in, selects};
use crate::values::money::{Currency, Money, sum};
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
