//! What the provider knows and the shop may have missed: events that could not be delivered are fetched and dealt with, and once a day
//! what the provider kept for itself is booked, and the ledger compared with the movements of the balance at the provider. What
//! can't be healed is kept for staff.

use crate::error::{Error, Result};
use crate::shop::ledger::Journal;
use crate::shop::money::Currency;
use crate::shop::payments::{BalanceEntry, BalanceKind, PaymentError};
use crate::shop::ports::{Inbox, Jobs, Orders, Payments, Ports};
use crate::shop::sweep::{Finding, FindingKind, KEPT_SECS};
use durable::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Seconds between two looks for undelivered events.
const UNDELIVERED_EVERY_SECS: u32 = 10 * 60;

/// Seconds that events are looked back for: as long as the provider keeps them.
const UNDELIVERED_SINCE_SECS: u32 = 30 * 24 * 60 * 60;

const DAY_SECS: u32 = 24 * 60 * 60;

/// Seconds by which a movement may be booked on another side of midnight than the provider has it.
const SLACK_SECS: u32 = 2 * 60 * 60;

/// A movement of the clearing account in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// The money that moved.
    pub payment_ref: String,
    /// Minor units.
    pub amount: i64,
    /// An ISO 4217 code.
    pub currency: String,
    /// When it was booked.
    pub at: Timestamp,
}

/// What the provider kept of a movement of its balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    /// The provider's id of the movement.
    pub entry_id: String,
    /// The money that moved.
    pub payment_ref: String,
    /// What is booked for it.
    pub journal: Journal,
    /// When the money moved.
    pub at: Timestamp,
}

/// Does what is due; what was found. A job that fails is due again at the next run.
///
/// # Errors
/// When the database can't be read or written.
pub async fn run(ports: &impl Ports, jobs: &impl Jobs, now: Timestamp) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if jobs
        .take_turn(UNDELIVERED, UNDELIVERED_EVERY_SECS, now)
        .await?
    {
        match heal_undelivered(ports, now).await {
            Ok(healed) => findings.extend(healed),
            Err(error) => {
                jobs.give_turn_back(UNDELIVERED).await?;
                return Err(error);
            }
        }
    }
    let today = start_of_day(now);
    let balance = format!("balance {}", today.as_secs());
    if jobs.take_turn(&balance, u32::MAX, now).await? {
        match compare_balance(ports, jobs, today, now).await {
            Ok(differing) => findings.extend(differing),
            Err(error) => {
                jobs.give_turn_back(&balance).await?;
                return Err(error);
            }
        }
    }
    if !findings.is_empty() {
        let forget_before = now.minus_secs(KEPT_SECS);
        ports
            .orders()
            .save_findings(&findings, forget_before)
            .await?;
    }
    Ok(findings)
}

const UNDELIVERED: &str = "undelivered events";

/// Takes in what is not known yet, as if it had been delivered.
async fn heal_undelivered(ports: &impl Ports, now: Timestamp) -> Result<Vec<Finding>> {
    let since = now.minus_secs(UNDELIVERED_SINCE_SECS);
    let events = ports
        .payments()
        .undelivered_events(since)
        .await
        .map_err(PaymentError::into_error)?;
    let inbox = ports.inbox();
    let mut findings = Vec::new();
    for event in events {
        if !inbox.receive(&event, now).await? {
            continue;
        }
        let queued = inbox.enqueue(&event.id).await;
        findings.push(Finding {
            kind: FindingKind::UndeliveredEvent,
            subject: event.id,
            error: queued.err().map(|error| error.to_string()),
            found_at: now,
        });
    }
    Ok(findings)
}

/// Books the fees of the day before `today`, and compares that day.
async fn compare_balance(
    ports: &impl Ports,
    jobs: &impl Jobs,
    today: Timestamp,
    now: Timestamp,
) -> Result<Vec<Finding>> {
    let day = today.minus_secs(DAY_SECS)..today;
    let (from, until) = (
        day.start.minus_secs(SLACK_SECS),
        day.end.plus_secs(SLACK_SECS),
    );
    let provider = ports
        .payments()
        .balance_entries(from, until)
        .await
        .map_err(PaymentError::into_error)?;
    jobs.book_fees(&fees(&provider)?).await?;
    let ledger = jobs.clearing_movements(from, until).await?;
    let is_of_day = |at: Timestamp| day.contains(&at);
    Ok(differing(&moved(&provider), &ledger, is_of_day)
        .into_iter()
        .map(|payment_ref| Finding {
            kind: FindingKind::BalanceDiffers,
            error: Some(format!(
                "the ledger and the provider's balance differ over {payment_ref}"
            )),
            subject: payment_ref,
            found_at: now,
        })
        .collect())
}

/// The fees that nothing else books: that of a dispute comes with the dispute.
fn fees(entries: &[BalanceEntry]) -> Result<Vec<Fee>> {
    let of_payments = entries.iter().filter(|entry| {
        !matches!(entry.kind, BalanceKind::Other | BalanceKind::Dispute) && entry.fee != 0
    });
    of_payments
        .map(|entry| {
            let currency = Currency::from_code(&entry.currency)
                .ok_or_else(|| Error::internal(format!("a fee in {}", entry.currency)))?;
            Ok(Fee {
                entry_id: entry.id.clone(),
                payment_ref: entry.payment_ref.clone(),
                journal: Journal::fee(entry.fee, currency)?,
                at: entry.at,
            })
        })
        .collect()
}

/// What the ledger should have of the provider's movements.
fn moved(entries: &[BalanceEntry]) -> Vec<Booked> {
    let of_orders = entries
        .iter()
        .filter(|entry| entry.kind != BalanceKind::Other);
    of_orders
        .flat_map(|entry| {
            let booked = |amount: i64| Booked {
                payment_ref: entry.payment_ref.clone(),
                amount,
                currency: entry.currency.clone(),
                at: entry.at,
            };
            let fee = (entry.fee != 0).then(|| booked(entry.fee.saturating_neg()));
            [Some(booked(entry.amount)), fee].into_iter().flatten()
        })
        .collect()
}

/// The payments of which one side has a movement of the day that the other does not have within the slack, unless both have moved by
/// the same sum: what was taken and given back may be booked as nothing. Where the provider settles in another currency than the
/// order's, there is nothing to compare.
fn differing(
    provider: &[Booked],
    ledger: &[Booked],
    is_of_day: impl Fn(Timestamp) -> bool,
) -> Vec<String> {
    let sides = [by_payment(provider), by_payment(ledger)];
    let refs: BTreeSet<&str> = sides.iter().flat_map(|side| side.keys().copied()).collect();
    refs.into_iter()
        .filter(|payment_ref| {
            let of = |side: usize| sides.get(side).and_then(|side| side.get(payment_ref));
            let empty = Vec::new();
            let (provider, ledger) = (of(0).unwrap_or(&empty), of(1).unwrap_or(&empty));
            let converted = !provider.is_empty()
                && !ledger.is_empty()
                && currencies(provider) != currencies(ledger);
            !converted
                && sum(provider) != sum(ledger)
                && !(has_all(provider, ledger, &is_of_day) && has_all(ledger, provider, &is_of_day))
        })
        .map(str::to_owned)
        .collect()
}

fn by_payment(booked: &[Booked]) -> BTreeMap<&str, Vec<&Booked>> {
    let mut by: BTreeMap<&str, Vec<&Booked>> = BTreeMap::new();
    for one in booked {
        by.entry(&one.payment_ref).or_default().push(one);
    }
    by
}

fn currencies<'a>(booked: &[&'a Booked]) -> BTreeSet<&'a str> {
    booked.iter().map(|one| one.currency.as_str()).collect()
}

/// Whether every movement of the day in `these` is among `those`, each as often.
fn has_all(these: &[&Booked], those: &[&Booked], is_of_day: impl Fn(Timestamp) -> bool) -> bool {
    let mut left: Vec<i64> = those.iter().map(|one| one.amount).collect();
    these.iter().filter(|one| is_of_day(one.at)).all(|one| {
        let found = left.iter().position(|amount| *amount == one.amount);
        found.map(|at| left.swap_remove(at)).is_some()
    })
}

fn sum(booked: &[&Booked]) -> i64 {
    booked
        .iter()
        .fold(0, |sum: i64, one| sum.saturating_add(one.amount))
}

fn start_of_day(now: Timestamp) -> Timestamp {
    let into_day = now.as_secs().rem_euclid(DAY_SECS.into());
    let millis = now.as_secs().saturating_sub(into_day).saturating_mul(1000);
    Timestamp::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn booked(payment_ref: &str, amount: i64, at: i64) -> Booked {
        Booked {
            payment_ref: payment_ref.into(),
            amount,
            currency: "USD".into(),
            at: Timestamp::from_millis(at),
        }
    }

    fn check(provider: &[Booked], ledger: &[Booked]) -> Vec<String> {
        differing(provider, ledger, |at| (0..DAY).contains(&at.as_millis()))
    }

    #[test]
    fn equal_sides_do_not_differ() {
        let both = [
            booked("pi_1", 500, 10),
            booked("pi_1", -200, 20),
            booked("pi_2", 500, 30),
        ];
        assert_eq!(check(&both, &both), Vec::<String>::new());
    }

    #[test]
    fn what_one_side_lacks_is_told() {
        let (paid, refund) = (booked("pi_1", 500, 10), booked("pi_1", -200, 20));
        assert_eq!(
            check(&[paid.clone(), refund.clone()], std::slice::from_ref(&paid)),
            ["pi_1"]
        );
        assert_eq!(check(&[], std::slice::from_ref(&paid)), ["pi_1"]);
        assert_eq!(check(&[booked("pi_1", 499, 10)], &[paid]), ["pi_1"]);
        let twice = [refund.clone(), refund.clone()];
        assert_eq!(check(&twice, &[refund]), ["pi_1"]);
    }

    #[test]
    fn midnight_is_no_difference() {
        let before = booked("pi_1", 500, DAY - 1);
        let after = booked("pi_1", 500, DAY + 1);
        assert_eq!(
            check(std::slice::from_ref(&before), std::slice::from_ref(&after)),
            Vec::<String>::new()
        );
        // What the provider has tomorrow alone is tomorrow's to tell.
        let tomorrow = [before.clone(), booked("pi_1", -500, DAY + 2)];
        assert_eq!(check(&tomorrow, &[before]), Vec::<String>::new());
    }

    #[test]
    fn what_was_taken_and_given_back_may_be_booked_as_nothing() {
        let dispute = [booked("pi_1", -500, 10), booked("pi_1", 500, 20)];
        assert_eq!(check(&dispute, &[]), Vec::<String>::new());
    }

    #[test]
    fn another_currency_is_not_compared() {
        let euros = |amount| Booked {
            currency: "EUR".into(),
            ..booked("pi_1", amount, 10)
        };
        let dollars = booked("pi_1", 500, 11);
        let nothing = Vec::<String>::new();
        assert_eq!(
            check(&[euros(460)], std::slice::from_ref(&dollars)),
            nothing
        );
        // A fee is booked in the provider's currency, at the instant that the provider names.
        let provider = [euros(460), euros(-15)];
        assert_eq!(check(&provider, &[euros(-15), dollars]), nothing);
    }

    #[test]
    fn a_day_begins_at_midnight() {
        let midnight = Timestamp::from_millis(1_795_132_800_000);
        assert_eq!(start_of_day(midnight), midnight);
        assert_eq!(start_of_day(midnight.plus_secs(86_399)), midnight);
    }
}
