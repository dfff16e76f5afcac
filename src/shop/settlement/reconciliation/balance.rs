//! Daily comparison of the ledger with the balance transactions at the provider.
//!
//! The day's transactions are read from the provider into the database, page by page, and compared
//! there in slices of time, so that even a busy day fits into the limits of a run.

use crate::error::{Error, Result};
use crate::orders::findings::{Finding, FindingKind};
use crate::orders::ledger::Journal;
use crate::payments::provider::ProviderId;
use crate::payments::{BalanceEntry, BalanceKind, Payments};
use crate::settlement::ports::SettlementPorts;
use crate::settlement::reconciliation::record::{Booked, Fee, Jobs};
use crate::settlement::reconciliation::{PAGES_AT_ONCE, Read, in_turn, read};
use crate::values::money::Currency;
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

const JOB: &str = "balance";

const DAY_SECS: u32 = 24 * 60 * 60;

/// Seconds by which a movement may be booked at a different time than at the provider, around
/// midnight.
const SLACK_SECS: u32 = 2 * 60 * 60;

/// Seconds of the day compared by one query.
const SLICE_SECS: u32 = 10 * 60;

/// Progress of the comparison.
#[derive(Default, Serialize, Deserialize)]
struct Progress {
    /// Start of the day to compare. `None` means yesterday.
    day: Option<Timestamp>,
    /// Stage reached within that day.
    stage: Stage,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// Reading the provider's transactions.
    Reading {
        /// Cursor of the next page.
        after: Option<String>,
    },
    /// Comparing the two sides.
    Comparing {
        /// Start of the next slice.
        from: Timestamp,
    },
}

impl Default for Stage {
    fn default() -> Self {
        Self::Reading { after: None }
    }
}

/// Books the fees of `provider` for the day that is due, and compares that day. Missed days are
/// made up for.
///
/// # Errors
/// The first failure of the provider or the database.
pub async fn compare_balance(
    ports: &impl SettlementPorts,
    jobs: &impl Jobs,
    provider: ProviderId,
    now: Timestamp,
) -> Result<Vec<Finding>> {
    in_turn(
        ports,
        jobs,
        &provider.key_of(JOB),
        now,
        async |progress: &mut Progress, findings| {
            let today = start_of_day(now.minus_secs(SLACK_SECS));
            let start = *progress.day.get_or_insert(today.minus_secs(DAY_SECS));
            let day = start..start.plus_secs(DAY_SECS);
            if !compare_day(
                ports,
                jobs,
                provider,
                &day,
                &mut progress.stage,
                findings,
                now,
            )
            .await?
            {
                return Ok(now);
            }
            *progress = Progress {
                day: Some(day.end),
                ..Progress::default()
            };
            Ok(day.end.plus_secs(DAY_SECS).plus_secs(SLACK_SECS))
        },
    )
    .await
}

/// Compares a day as far as one run goes. Returns true at its end.
async fn compare_day(
    ports: &impl SettlementPorts,
    jobs: &impl Jobs,
    provider: ProviderId,
    day: &Range<Timestamp>,
    stage: &mut Stage,
    findings: &mut Vec<Finding>,
    now: Timestamp,
) -> Result<bool> {
    let window = day.start.minus_secs(SLACK_SECS)..day.end.plus_secs(SLACK_SECS);
    if let Stage::Reading { after } = stage {
        jobs.forget_entries(provider, window.start).await?;
        if !read_entries(ports, jobs, provider, &window, after).await? {
            return Ok(false);
        }
        *stage = Stage::Comparing { from: day.start };
    }
    let mut told = BTreeSet::new();
    while let Stage::Comparing { from } = stage
        && *from < day.end
    {
        let slice = *from..from.plus_secs(SLICE_SECS);
        for payment_ref in differing_in(jobs, provider, &slice, day, &window).await? {
            if told.insert(payment_ref.clone()) {
                findings.push(difference(payment_ref, now));
            }
        }
        *from = slice.end;
    }
    Ok(true)
}

/// Reads the provider's transactions in `window` from the page `after`, and books their fees.
/// Returns false if there are more pages.
async fn read_entries(
    ports: &impl SettlementPorts,
    jobs: &impl Jobs,
    provider: ProviderId,
    window: &Range<Timestamp>,
    after: &mut Option<String>,
) -> Result<bool> {
    for _ in 0..PAGES_AT_ONCE {
        let (from, until) = (window.start, window.end);
        let page = ports
            .payments(provider)?
            .balance_entries(from, until, after.as_deref())
            .await;
        match read(page, after.as_deref())? {
            Read::Page(page) => {
                let mut entries = page.items;
                entries.retain(|entry| entry.kind != BalanceKind::Other);
                jobs.book_fees(&fees(&entries)?).await?;
                jobs.keep_entries(provider, &entries).await?;
                *after = page.next;
            }
            Read::Lost => {
                *after = None;
                return Ok(false);
            }
            Read::Enough => return Ok(false),
        }
        if after.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the payments with movements in `slice` that differ.
async fn differing_in(
    jobs: &impl Jobs,
    provider: ProviderId,
    slice: &Range<Timestamp>,
    day: &Range<Timestamp>,
    window: &Range<Timestamp>,
) -> Result<Vec<String>> {
    let suspects = jobs.suspects(provider, slice, window).await?;
    if suspects.is_empty() {
        return Ok(vec![]);
    }
    let both = jobs.movements(&suspects, window).await?;
    let is_of_day = |at: Timestamp| day.contains(&at);
    Ok(differing(&moved(&both.provider), &both.ledger, is_of_day))
}

fn difference(payment_ref: String, now: Timestamp) -> Finding {
    Finding {
        kind: FindingKind::BalanceDiffers,
        error: Some(format!(
            "the ledger and the provider's balance differ over {payment_ref}"
        )),
        subject: payment_ref,
        found_at: now,
    }
}

/// Returns the fees that are booked nowhere else: the fee of a dispute is booked with the dispute.
fn fees(entries: &[BalanceEntry]) -> Result<Vec<Fee>> {
    let of_payments = entries
        .iter()
        .filter(|entry| entry.kind != BalanceKind::Dispute && entry.fee != 0);
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

/// Returns the bookings that the ledger should contain for the provider's transactions.
fn moved(entries: &[BalanceEntry]) -> Vec<Booked> {
    entries
        .iter()
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

/// Returns the payments for which one side has a movement on that day that the other lacks within
/// the tolerance, unless both sides add up to the same sum: money taken and returned may not be
/// booked at all. Payments that the provider settles in another currency than the order's can't be
/// compared.
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

/// True if every movement of the day in `these` occurs in `those`, equally often.
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
        // A transaction that the provider has only tomorrow is left for tomorrow's comparison.
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
        // A fee is booked in the provider's currency, at the time given by the provider.
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
