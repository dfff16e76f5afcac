//! Reconciliation at volume: the provider's list is longer than one run reads.

use crate::ports::Sim;
use crate::world::World;
use durable::Timestamp;
use futures_util::FutureExt;
use shop::error::Error;
use shop::orders::findings::{Finding, FindingKind};
use shop::payments::provider::ProviderId;
use shop::payments::{BalanceEntry, BalanceKind};
use shop::settlement::reconciliation::balance::compare_balance;
use shop::settlement::reconciliation::undelivered::heal_undelivered;
use std::rc::Rc;
use storefront::store::settlement::jobs::JobsD1;

/// Payments of a day; more than two runs read.
const PAYMENTS: usize = 12_100;

/// Five in the morning.
const NOW: i64 = 1_795_150_800_000;

const DAY_MILLIS: i64 = 86_400_000;

/// Milliseconds after which a run that died is replaced.
const LOST_MILLIS: i64 = 600_000;

#[test]
fn a_day_of_any_length_is_compared() {
    let world = calm();
    world.advance(NOW - world.now().as_millis());
    let yesterday = NOW - DAY_MILLIS;
    book_payments(&world, yesterday);
    let mut entries: Vec<BalanceEntry> = (0..PAYMENTS).map(|at| entry(at, yesterday)).collect();
    entries[70].amount += 1;
    entries.push(BalanceEntry {
        payment_ref: "pi_unknown".into(),
        ..entry(PAYMENTS, yesterday)
    });
    entries.push(BalanceEntry {
        kind: BalanceKind::Other,
        ..entry(PAYMENTS + 1, yesterday)
    });
    entries.remove(PAYMENTS - 1);
    entries.reverse();
    world.provider.borrow_mut().balance = entries;

    assert_eq!(differing(&minute(&world)), Vec::<String>::new());
    assert_eq!(differing(&minute(&world)), Vec::<String>::new());
    let lacking = format!("pi_{}", PAYMENTS - 1);
    assert_eq!(
        differing(&minute(&world)),
        [&lacking, "pi_70", "pi_unknown"]
    );

    // Each is reported once, and the next day is not due before it is over.
    assert_eq!(differing(&minute(&world)), Vec::<String>::new());
    world.provider.borrow_mut().balance = vec![entry(PAYMENTS + 2, NOW)];
    world.advance(DAY_MILLIS);
    assert_eq!(differing(&minute(&world)), [format!("pi_{}", PAYMENTS + 2)]);
    // The rows kept for the first day are deleted, a number of them in each run.
    let kept = world.db.ask("SELECT COUNT(*) FROM balance_entries");
    assert_eq!(kept, [101]);
}

#[test]
fn a_shop_that_slept_compares_each_day_it_missed() {
    let world = calm();
    world.advance(NOW - world.now().as_millis());
    assert_eq!(differing(&minute(&world)), Vec::<String>::new());
    let at = |day: i64| NOW + day * DAY_MILLIS;
    world.provider.borrow_mut().balance = vec![entry(2, at(1)), entry(1, at(0))];
    world.advance(2 * DAY_MILLIS);
    assert_eq!(differing(&minute(&world)), ["pi_1"]);
    assert_eq!(differing(&minute(&world)), ["pi_2"]);
}

#[test]
fn a_difference_is_told_wherever_the_run_dies() {
    for steps in 1.. {
        let world = calm();
        world.advance(NOW - world.now().as_millis());
        world.provider.borrow_mut().balance = vec![entry(1, NOW - DAY_MILLIS)];
        let ended = run(&world, steps).is_some();
        world.advance(LOST_MILLIS);
        minute(&world);
        let told = world
            .db
            .ask("SELECT COUNT(*) > 0 FROM findings WHERE subject = 'pi_1'");
        assert_eq!(told, [1], "died after {steps} steps");
        if ended {
            assert!(steps > 5, "each wait for a port is a step");
            return;
        }
    }
}

#[test]
fn every_event_that_was_not_delivered_is_taken_in() {
    let world = calm();
    let lost = (0..250).map(|at| format!("cs_{at}")).collect();
    world.provider.borrow_mut().undelivered = lost;
    assert_eq!(minute(&world).len(), 180, "in the first run");
    assert_eq!(minute(&world).len(), 70, "in the second");
    assert_eq!(world.inbox.borrow().len(), 250);
    assert_eq!(world.queue.borrow().len(), 250);
    world
        .provider
        .borrow_mut()
        .undelivered
        .push("cs_new".into());
    assert!(minute(&world).is_empty(), "not due");
    world.advance(10 * 60_000);
    assert_eq!(minute(&world).len(), 1);
}

fn calm() -> Rc<World> {
    let world = World::new(0, None);
    world.calm();
    world
}

/// Returns the findings of the next minute's run.
fn minute(world: &Rc<World>) -> Vec<Finding> {
    world.advance(60_000);
    run(world, usize::MAX).unwrap()
}

/// Returns the findings of a run that dies after this many steps; `None` means that it did not
/// finish.
fn run(world: &Rc<World>, steps: usize) -> Option<Vec<Finding>> {
    let sim = Sim(Rc::clone(world));
    let now = world.now();
    let jobs = JobsD1(sim.clone());
    let mut run = Box::pin(async {
        let mut findings = heal_undelivered(&sim, &jobs, ProviderId::Stripe, now).await?;
        findings.extend(compare_balance(&sim, &jobs, ProviderId::Stripe, now).await?);
        Ok::<_, Error>(findings)
    });
    let found = (0..steps).find_map(|_| run.as_mut().now_or_never());
    found.map(Result::unwrap)
}

fn differing(findings: &[Finding]) -> Vec<String> {
    let of_balance = findings
        .iter()
        .filter(|it| it.kind == FindingKind::BalanceDiffers);
    let mut subjects: Vec<String> = of_balance.map(|it| it.subject.clone()).collect();
    subjects.sort();
    subjects
}

fn entry(at: usize, day: i64) -> BalanceEntry {
    BalanceEntry {
        id: format!("txn_{at:06}"),
        payment_ref: format!("pi_{at}"),
        kind: BalanceKind::Payment,
        amount: 500,
        fee: 0,
        currency: "USD".into(),
        at: moment(at, day),
    }
}

/// Returns instants of three payments a second.
fn moment(at: usize, day: i64) -> Timestamp {
    Timestamp::from_millis(day + at as i64 * 300)
}

fn book_payments(world: &World, day: i64) {
    world.db.tell(&format!(
        "WITH RECURSIVE n (at) AS (SELECT 0 UNION ALL SELECT at + 1 FROM n WHERE at < {PAYMENTS} - 1)
         INSERT INTO payments (id, order_id, status, request, expires_at, payment_ref)
         SELECT 'pay_' || at, 'ord_' || at, 'paid', '', 0, 'pi_' || at FROM n;
         INSERT INTO ledger_entries (order_id, version, journal, account, amount, currency)
         SELECT order_id, 2, 0, account.value, iif(account.value = 'clearing', 500, -500), 'USD'
         FROM payments, json_each('[\"clearing\", \"sales\"]') AS account;
         INSERT INTO journals (order_id, version, journal, at, balance)
         SELECT order_id, 2, 0, {day} + substr(order_id, 5) * 300, 0 FROM payments"
    ));
}
