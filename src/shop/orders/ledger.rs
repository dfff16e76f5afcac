//! Double-entry ledger: sales, debts and payments of every order, in journals that each sum to
//! zero. Corrections are new journals. Debits are positive.

use crate::error::{Error, Result};
use crate::pricing::quote::Totals;
use crate::values::money::{Currency, split, sum};
use serde::{Deserialize, Serialize};

/// Account of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Money that shoppers owe; negative if the shop owes them.
    Receivable,
    /// Money that the payment provider holds for the shop.
    Clearing,
    /// Goods sold.
    Sales,
    /// Tax collected and owed to the tax authority.
    Tax,
    /// Shipping sold.
    Shipping,
    /// Discounts given.
    Discounts,
    /// Refunds promised but not yet paid out.
    Refunds,
    /// Fees kept by the provider.
    Fees,
    /// Money taken or withheld because of disputes.
    Disputes,
}

/// One amount in one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Account that the amount is booked to.
    pub account: Account,
    /// Amount in minor units; debits are positive.
    pub amount: i64,
}

/// A set of entries that sum to zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Currency shared by all entries.
    pub currency: Currency,
    /// Entries: at most one per account, none of them zero.
    pub entries: Vec<Entry>,
}

impl Journal {
    /// Journal of a placed order: goods are sold and the shopper owes their price. Tax included in
    /// prices is subtracted from sales.
    ///
    /// # Errors
    /// Fails if the totals do not add up.
    pub fn placed(totals: &Totals, currency: Currency) -> Result<Self> {
        let (goods, shipping) = net_of(totals);
        let sales = goods.saturating_add(totals.discount_total);
        Self::new(
            currency,
            [
                (Account::Receivable, totals.total),
                (Account::Discounts, totals.discount_total),
                (Account::Sales, sales.saturating_neg()),
                (Account::Shipping, shipping.saturating_neg()),
                (Account::Tax, totals.tax_total.saturating_neg()),
            ],
        )
    }

    /// Journal of an order that expired or was cancelled: reverses its sale.
    ///
    /// # Errors
    /// Same as [`Self::placed`].
    pub fn unsold(totals: &Totals, currency: Currency) -> Result<Self> {
        let mut journal = Self::placed(totals, currency)?;
        for entry in &mut journal.entries {
            entry.amount = entry.amount.saturating_neg();
        }
        Ok(journal)
    }

    /// Journal of a payment received by the provider.
    ///
    /// # Errors
    /// Never fails.
    pub fn paid(amount: i64, currency: Currency) -> Result<Self> {
        Self::transfer(Account::Receivable, Account::Clearing, amount, currency)
    }

    /// Journal of a promised refund.
    ///
    /// # Errors
    /// Never fails.
    pub fn refund_promised(amount: i64, currency: Currency) -> Result<Self> {
        Self::transfer(Account::Refunds, Account::Receivable, amount, currency)
    }

    /// Journal of a change in the allowance, the amount by which an order is sold below its totals,
    /// from `before` to `after`. Goods, shipping and tax each bear their share, so that an order
    /// refunded in full owes no tax, no matter in how many parts it was refunded.
    ///
    /// # Errors
    /// Fails if an amount overflows.
    pub fn allowed(totals: &Totals, before: i64, after: i64, currency: Currency) -> Result<Self> {
        let (goods, shipping) = net_of(totals);
        let weights = [goods, shipping, totals.tax_total];
        let shares = split(after, &weights)?.into_iter();
        let differences = shares
            .zip(split(before, &weights)?)
            .map(|(after, before)| after.saturating_sub(before));
        let owed = (Account::Receivable, before.saturating_sub(after));
        let accounts = [Account::Sales, Account::Shipping, Account::Tax];
        Self::new(
            currency,
            accounts.into_iter().zip(differences).chain([owed]),
        )
    }

    /// Journal of a completed refund.
    ///
    /// # Errors
    /// Never fails.
    pub fn refunded(amount: i64, currency: Currency) -> Result<Self> {
        Self::transfer(Account::Clearing, Account::Refunds, amount, currency)
    }

    /// Journal of money taken for a dispute; a negative amount is money returned.
    ///
    /// # Errors
    /// Never fails.
    pub fn disputed(amount: i64, currency: Currency) -> Result<Self> {
        Self::transfer(Account::Clearing, Account::Disputes, amount, currency)
    }

    /// Journal of a fee kept by the provider.
    ///
    /// # Errors
    /// Never fails.
    pub fn fee(amount: i64, currency: Currency) -> Result<Self> {
        Self::transfer(Account::Clearing, Account::Fees, amount, currency)
    }

    fn transfer(from: Account, to: Account, amount: i64, currency: Currency) -> Result<Self> {
        Self::new(currency, [(from, amount.saturating_neg()), (to, amount)])
    }

    fn new(currency: Currency, amounts: impl IntoIterator<Item = (Account, i64)>) -> Result<Self> {
        let entries: Vec<Entry> = amounts
            .into_iter()
            .filter(|(_, amount)| *amount != 0)
            .map(|(account, amount)| Entry { account, amount })
            .collect();
        if sum(entries.iter().map(|entry| entry.amount))? != 0 {
            return Err(Error::internal("a journal does not sum to zero"));
        }
        Ok(Self { currency, entries })
    }
}

/// Returns the net prices of goods and shipping: after discounts, without included tax.
const fn net_of(totals: &Totals) -> (i64, i64) {
    let goods = totals.subtotal.saturating_sub(totals.discount_total);
    if !totals.tax_included {
        return (goods, totals.shipping_total);
    }
    let tax_in_goods = totals.tax_total.saturating_sub(totals.shipping_tax);
    (
        goods.saturating_sub(tax_in_goods),
        totals.shipping_total.saturating_sub(totals.shipping_tax),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn usd() -> Currency {
        Currency::from_code("USD").unwrap()
    }

    prop_compose! {
        fn any_totals()(subtotal in 0..1_000_000_i64, off in 0..=100_i64, shipping_total in 0..10_000_i64, tax in 0..=100_i64, tax_included in any::<bool>()) -> Totals {
            let discount_total = subtotal * off / 100;
            let shipping_tax = shipping_total * tax / 100;
            let tax_total = (subtotal - discount_total) * tax / 100 + shipping_tax;
            let on_top = if tax_included { 0 } else { tax_total };
            Totals {
                subtotal, discount_total, shipping_total, tax_total, total: subtotal - discount_total + shipping_total + on_top,
                shipping_tax, tax_included,
            }
        }
    }

    fn balances(journals: &[Journal]) -> BTreeMap<Account, i64> {
        let mut balances = BTreeMap::new();
        for entry in journals.iter().flat_map(|journal| &journal.entries) {
            *balances.entry(entry.account).or_default() += entry.amount;
        }
        balances.retain(|_, balance| *balance != 0);
        balances
    }

    proptest! {
        #[test]
        fn an_order_that_is_cancelled_and_refunded_leaves_no_balance(totals in any_totals()) {
            let journals = [
                Journal::placed(&totals, usd()).unwrap(),
                Journal::paid(totals.total, usd()).unwrap(),
                Journal::unsold(&totals, usd()).unwrap(),
                Journal::refund_promised(totals.total, usd()).unwrap(),
                Journal::refunded(totals.total, usd()).unwrap(),
            ];
            prop_assert_eq!(balances(&journals), BTreeMap::new());
            for journal in journals {
                prop_assert_eq!(journal.entries.iter().map(|entry| entry.amount).sum::<i64>(), 0);
            }
        }

        #[test]
        fn an_order_that_is_given_back_in_parts_owes_no_tax(totals in any_totals(), cuts in prop::collection::vec(0..=100_i64, 0..6)) {
            let mut given_back: Vec<i64> = cuts.into_iter().map(|percent| totals.total * percent / 100).collect();
            given_back.sort_unstable();
            given_back.push(totals.total);
            let mut journals = vec![Journal::placed(&totals, usd()).unwrap(), Journal::paid(totals.total, usd()).unwrap()];
            let mut before = 0;
            for after in given_back {
                journals.push(Journal::allowed(&totals, before, after, usd()).unwrap());
                journals.push(Journal::refund_promised(after - before, usd()).unwrap());
                journals.push(Journal::refunded(after - before, usd()).unwrap());
                before = after;
            }
            let mut left = balances(&journals);
            prop_assert_eq!(left.remove(&Account::Discounts).unwrap_or(0), totals.discount_total);
            prop_assert_eq!(left.remove(&Account::Sales).unwrap_or(0), -totals.discount_total);
            prop_assert_eq!(left, BTreeMap::new());
        }

        #[test]
        fn a_paid_order_owes_nothing(totals in any_totals()) {
            let journals = [Journal::placed(&totals, usd()).unwrap(), Journal::paid(totals.total, usd()).unwrap()];
            prop_assert!(!balances(&journals).contains_key(&Account::Receivable));
            prop_assert_eq!(balances(&journals).get(&Account::Clearing).copied().unwrap_or(0), totals.total);
        }
    }

    #[test]
    fn what_does_not_add_up_is_not_booked() {
        let totals = Totals {
            subtotal: 1,
            total: 2,
            ..Totals::default()
        };
        assert!(Journal::placed(&totals, usd()).is_err());
    }
}
