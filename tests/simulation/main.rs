//! The deterministic simulation: whole checkouts by concurrent shoppers on the real machines, the
//! real use cases and the real SQL (SQLite in memory), beside fakes that fail, fail after landing,
//! repeat, delay and reorder, with crashes at every await and clock jumps. Everything is drawn from
//! one seed: the same seed replays exactly.
//!
//! The invariants hold at every step; after the storm the shop is left alone with its sweep, and
//! within its bound nothing is half done. `npm run simulate -- --seed N` replays a seed with its
//! trace.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that panics has failed, which is what it is for; a failing seed prints its trace"
)]

mod actors;
mod costs;
mod database;
mod evidence;
mod exhaustive;
mod invariants;
mod objects;
mod outage;
mod planted;
mod ports;
mod provider;
mod providers;
mod random;
mod reconciliation;
mod recovery;
mod scheduler;
mod schedules;
mod variety;
mod world;

use planted::Bug;
use std::num::NonZero;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, thread};

/// Number of seeds in an ordinary test run.
const SEEDS: u64 = 150;

/// Number of seeds among which some money arrives too late.
const SEEDS_FOR_LATE_MONEY: u64 = 20;

/// Number of seeds between two progress messages.
const SEEDS_A_WORD: u64 = 250;

/// Number of seeds within which a planted bug must be caught.
const SEEDS_FOR_A_BUG: u64 = 400;

#[test]
fn every_seed_ends_well() {
    let (first, count) = match (number("SIMULATION_SEED"), number("SIMULATION_SEEDS")) {
        (Some(seed), _) => (seed, 1),
        (None, count) => (
            number("SIMULATION_FROM").unwrap_or(0),
            count.unwrap_or(SEEDS),
        ),
    };
    let told = run_all(first..first + count);
    eprintln!("{count} seeds: {told}");
    if count >= SEEDS_FOR_LATE_MONEY {
        told.check_late_money();
    }
    if count >= SEEDS {
        told.check_variety();
    }
}

/// Runs the seeds on every core, lower ones first; stops at the first failure.
fn run_all(seeds: Range<u64>) -> variety::Told {
    let next = AtomicU64::new(seeds.start);
    let told = Mutex::new(variety::Told::default());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                while let Some(seed) = take(&next, seeds.end) {
                    let run = run(seed, None);
                    if seeds.end - seeds.start == 1 {
                        eprintln!("{}", run.trace.join("\n"));
                    }
                    if let Err(broken) = &run.outcome {
                        next.store(seeds.end, Ordering::Relaxed);
                        panic!("{}", failure_of(seed, broken, &run.trace));
                    }
                    told.lock().unwrap().add(&run.told);
                }
            });
        }
    });
    told.into_inner().unwrap()
}

fn take(next: &AtomicU64, end: u64) -> Option<u64> {
    let seed = next.fetch_add(1, Ordering::Relaxed);
    if seed.is_multiple_of(SEEDS_A_WORD) && seed < end {
        eprintln!("seed {seed} …");
    }
    (seed < end).then_some(seed)
}

fn failure_of(seed: u64, broken: &str, trace: &[String]) -> String {
    let last = trace[trace.len().saturating_sub(40)..].join("\n");
    format!("{last}\nseed {seed}: {broken}\nreplay it: npm run simulate -- --seed {seed}")
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..5 {
        assert_eq!(run(seed, None).trace, run(seed, None).trace);
    }
}

#[test]
fn an_update_without_its_version_row_is_caught() {
    assert_caught(Bug::UpdateWithoutVersionRow);
}

#[test]
fn a_fold_without_its_version_is_caught() {
    assert_caught(Bug::FoldWithoutVersion);
}

#[test]
fn a_hold_freed_by_its_clock_while_payable_is_caught() {
    assert_caught(Bug::PinForgotten);
}

#[test]
fn an_operation_id_without_its_attempt_is_caught() {
    assert_caught(Bug::OperationWithoutAttempt);
}

#[test]
fn tasks_skipped_when_already_confirmed_are_caught() {
    assert_caught(Bug::ConfirmedIsDone);
}

#[test]
fn a_frozen_cart_that_nobody_hears_is_caught() {
    assert_caught(Bug::CartsNotHeard);
}

#[test]
fn a_refusal_that_keeps_what_it_held_is_caught() {
    assert_caught(Bug::RefusalKeepsHolds);
}

#[test]
fn a_cart_set_free_before_its_order_is_decided_is_caught() {
    assert_caught(Bug::ThawedUndecided);
}

#[test]
fn a_refusal_that_does_not_see_who_joined_is_caught() {
    let caught = (0..exhaustive::MEETINGS)
        .find_map(|seed| exhaustive::meeting(seed, Some(Bug::JoinedNotSeen)).err());
    assert!(caught.is_some(), "it is not caught");
}

#[test]
fn a_memory_that_grants_is_caught() {
    assert_caught(Bug::MemoryGrants);
}

#[test]
fn a_payment_renewed_without_looking_is_caught() {
    assert_caught(Bug::SessionsNotLookedFor);
}

#[test]
fn a_promotion_that_keeps_the_uses_of_dead_orders_is_caught() {
    assert_caught(Bug::UseKept);
}

#[test]
fn a_use_freed_by_its_clock_while_payable_is_caught() {
    assert_caught(Bug::UsePinForgotten);
}

#[test]
fn a_fold_of_any_session_that_names_the_order_is_caught() {
    assert_caught(Bug::AnySessionFolded);
}

#[test]
fn a_second_payment_that_is_swallowed_is_caught() {
    assert_caught(Bug::SecondPaymentSwallowed);
}

#[test]
fn a_letter_that_is_done_when_queued_is_caught() {
    assert_caught(Bug::LetterDoneWhenQueued);
}

#[test]
fn a_letter_whose_attempts_have_keys_of_their_own_is_caught() {
    assert_caught(Bug::LetterWithoutKey);
}

#[test]
fn a_review_that_staff_are_not_told_of_is_caught() {
    assert_caught(Bug::ReviewUntold);
}

#[test]
fn a_dispute_that_staff_are_not_told_of_is_caught() {
    assert_caught(Bug::DisputeUntold);
}

#[test]
fn a_failed_refund_that_staff_are_not_told_of_is_caught() {
    assert_caught(Bug::RefundFailureUntold);
}

#[test]
fn a_late_request_that_counts_as_refused_is_caught() {
    assert_caught(Bug::LateIsRefused);
}

fn assert_caught(bug: Bug) {
    let caught = (0..SEEDS_FOR_A_BUG).find_map(|seed| {
        let outcome = run(seed, Some(bug)).outcome;
        outcome.err().map(|broken| (seed, broken))
    });
    let (seed, broken) = caught.unwrap_or_else(|| panic!("{bug:?} is not caught"));
    eprintln!("{bug:?} is caught by seed {seed}: {broken}");
}

struct Run {
    outcome: Result<(), String>,
    trace: Vec<String>,
    told: variety::Told,
}

/// Runs a seed. A panic within the shop is a failure like any other.
fn run(seed: u64, bug: Option<Bug>) -> Run {
    let world = world::World::new(seed, bug);
    let outcome = catch_unwind(AssertUnwindSafe(|| actors::play(&world)));
    let outcome = outcome.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().cloned();
        Err(format!("panic: {}", message.unwrap_or_default()))
    });
    Run {
        outcome,
        told: variety::Told::of(&world),
        trace: world.take_trace(),
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number")),
    )
}
