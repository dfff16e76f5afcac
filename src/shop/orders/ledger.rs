//! The double-entry ledger: what every order sold, is owed and was paid, in journals that each sum
//! to zero. Corrections are new journals. Debits are positive.

use crate::error::{Error, Result};
use crate::pricing::quote::Totals;
use crate::values::money::{Currency, split, sum};
use serde::{Deserialize, Serialize};

/// Where an amount is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// What shoppers owe; negative: what the shop owes them.
    Receivable,
    /// What the payment provider has for the shop.
    Clearing,
    /// Goods sold.
    Sales,
    /// Tax that is owed on.
    Tax,
    /// Shipping sold.
    Shipping,
    /// Taken off.
    Discounts,
    /// Promised back and not yet paid back.
    Refunds,
    /// What the provider keeps.
    Fees,
    /// What a dispute took or holds.
    Disputes,
}

/// One amount in one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which account.
    pub account: Account,
    /// Minor units; a debit is positive.
    pub amount: i64,
}

/// Entries that belong together and sum to zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Of every entry.
    pub currency: Currency,
    /// Accounts stand once; none is zero.
    pub entries: Vec<Entry>,
}

impl Journal {
    /// An order was placed: goods are sold, the shopper owes. Tax that is in the prices is taken
    /// out of what they were sold for.
    ///
    /// # Errors
    /// When the totals do not add up.
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

    /// An order came to nothing: what it sold is taken back.
    ///
    /// # Errors
    /// As [`Self::placed`].
    pub fn unsold(totals: &Totals, currency: Currency) -> Result<Self> {
        let mut journal = Self::placed(totals, currency)?;
        for entry in &mut journal.entries {
            entry.amount = entry.amount.saturating_neg();
        }
        Ok(journal)
    }

    /// The provider has received money for an order.
    ///
    /// # Errors
    /// Never.
    pub fn paid(amount: i64, currency: Currency) -> Result<Self> {
        Self::transfer(Account::Receivable, Account::Clearing, amount, currency)
    }

    /// Money was promised back.
    ///
    /// # Errors
    /// Never.
    pub fn refund_promised(amount: i64, currency: Currency) -> Result<Self> {
        Self::transfer(Account::Refunds, Account::Receivable, amount, currency)
    }

    /// An order was sold for less after all: in all for `after` less than its totals say, where it
    /// was for `before` less. Goods, shipping and tax each bear their share of that, so that an
    /// order that is given back whole, in whatever parts, owes no tax.
    ///
    /// # Errors
    /// When amounts do not fit.
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

    /// Money was given back.
    ///
    /// # Errors
    /// Never.
    pub fn refunded(amount: i64, currency: Currency) -> Result<Self> {
        Self::transfer(Account::Clearing, Account::Refunds, amount, currency)
    }

    /// A dispute took money, or gave it back when negative.
    ///
    /// # Errors
    /// Never.
    pub fn disputed(amount: i64, currency: Currency) -> Result<Self> {
        Self::transfer(Account::Clearing, Account::Disputes, amount, currency)
    }

    /// The provider kept something for itself.
    ///
    /// # Errors
    /// Never.
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

/// What goods and shipping come to without the tax that is in them, after discounts.
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
