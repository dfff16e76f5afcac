//! Paced processing of orders that are due. After an outage, thousands of orders wait for their
//! payment page, and a provider that is asked for all of them at once refuses most.
//!
//! One run is active at a time. Each second it processes a batch of orders concurrently: first
//! those with tasks, then, if there is room, those whose payment must be checked. A run ends before
//! it exceeds the limits of one invocation, and the next continues at the same pace. While the
//! breaker is open, a single order tests whether the provider answers again, and the others wait
//! for the result.

use crate::codes::Code;
use crate::error::{Error, Result};
use crate::operations::sweep::bounds::{count_of, found};
use crate::orders::findings::{Finding, FindingKind};
use crate::orders::moving::find_order;
use crate::orders::order::Order;
use crate::orders::record::{DueTasks, Orders};
use crate::payments::PaymentStatus;
use crate::settlement::ports::SettlementPorts;
use crate::settlement::reconciliation::record::Jobs;
use crate::settlement::session::CLOCKS_SECS;
use crate::settlement::{check, effects};
use crate::values::ids::OrderId;
use durable::Timestamp;
use futures_util::future::{join, join_all};
use serde::{Deserialize, Serialize};

const JOB: &str = "due orders";

/// Provider calls per second: fewer than the 25 it permits, since new orders have priority.
pub const CALLS_A_SECOND: u32 = 20;

/// Maximum number of payments checked per second; they cost more database work.
const OVERDUE_A_SECOND: u32 = 4;

/// Number of one-second batches in a run.
const SECONDS_A_RUN: u32 = 5;

/// Number of statements after which a run ends. The orders of one more second need at most 700, so
/// the total stays below the 1,000 that an invocation may send to the database.
const STATEMENTS_A_RUN: u64 = 300;

/// Statements needed to read an order and record the outcome.
const STATEMENTS_A_DRIVE: u64 = 5;

/// Statements of one transition with its consequences.
const STATEMENTS_A_MOVE: u64 = 14;

/// Number of order lines after which a run ends. Those of one more second, with 100 lines per order
/// and three calls per line, stay below the 10,000 calls that an invocation may make.
const LINES_A_RUN: usize = 1_000;

/// Seconds after which a run begins no further batch.
const MAX_SECS: u32 = 20;

/// Seconds after which an unfinished run counts as lost.
const LOST_SECS: u32 = 60;

/// Seconds for which an order is claimed: longer than a run, including the calls that it began
/// last.
const TAKEN_SECS: u32 = 90;

/// Seconds between two checks of a pending order whose time is over.
const OVERDUE_PAUSE_SECS: u32 = 5 * 60;

/// Seconds until the next attempt at a provider whose breaker is open.
const AWAY_SECS: u32 = 5;

/// Pace that a run leaves to the next.
#[derive(Default, Serialize, Deserialize)]
struct Pace {
    /// Time before which no order is processed.
    next_at: Option<Timestamp>,
    /// True if the breaker was open when the provider was last needed.
    #[serde(default)]
    away: bool,
}

/// Result of processing one order.
struct Driven {
    order: Result<Order>,
    /// Approximate number of statements it took.
    statements: u64,
}

/// Processes due orders. Returns the seconds until there is more to do.
pub async fn sweep(
    ports: &impl SettlementPorts,
    jobs: &impl Jobs,
    findings: &mut Vec<Finding>,
) -> Result<Option<u32>> {
    let now = ports.clock();
    if !ports.orders().is_any_due(now).await? {
        return Ok(None);
    }
    let lost_at = now.plus_secs(LOST_SECS);
    let Some(mut pace) = jobs.take_turn::<Pace>(JOB, lost_at, now).await? else {
        return Ok(None);
    };
    let driven = drive_due(ports, &mut pace, findings).await;
    let again_in = driven.as_ref().ok().copied().flatten();
    // One second early, because the message may arrive early.
    let due_in = again_in.unwrap_or(0).saturating_sub(1);
    let due_at = ports.clock().plus_secs(due_in);
    let was_in_time = jobs.end_turn(JOB, lost_at, &pace, due_at).await?;
    driven.map(|again_in| again_in.filter(|_| was_in_time))
}

async fn drive_due(
    ports: &impl SettlementPorts,
    pace: &mut Pace,
    findings: &mut Vec<Finding>,
) -> Result<Option<u32>> {
    let ends_at = ports.clock().plus_secs(MAX_SECS);
    let (mut lines, mut statements) = (0_usize, 0_u64);
    for second in 0..SECONDS_A_RUN {
        wait_until(ports, pace.next_at).await;
        let now = ports.clock();
        pace.next_at = Some(now.plus_secs(1));
        let is_probe = pace.away && second == 0;
        let (tasks, overdue) = take(ports, pace.away, is_probe, now).await?;
        let looks = overdue.iter().map(|id| look_at(ports, id, now));
        let drives = tasks.iter().map(|id| drive(ports, id, now));
        let (driven, looked_at) = join(join_all(drives), join_all(looks)).await;
        let all = || driven.iter().chain(&looked_at);
        let is_left_alone = all().any(|it| is_left_alone(&it.order));
        pace.away = is_left_alone || (pace.away && !is_probe);
        let driven_orders = all().filter_map(|it| it.order.as_ref().ok());
        lines = driven_orders.fold(lines, |sum, order| sum.saturating_add(order.lines.len()));
        statements = all().fold(statements, |sum, it| sum.saturating_add(it.statements));
        findings.extend(tasks.iter().zip(driven).map(|(order_id, driven)| {
            let outcome = driven.order.map(drop);
            found(FindingKind::UndoneTasks, order_id, outcome, now)
        }));
        findings.extend(overdue.iter().zip(looked_at).filter_map(|(id, looked_at)| {
            let takes_its_days = |order: &Order| order.payment.status == PaymentStatus::Processing;
            let is_found = !looked_at.order.as_ref().is_ok_and(takes_its_days);
            let outcome = looked_at.order.map(drop);
            is_found.then(|| found(FindingKind::OverdueOrder, id, outcome, now))
        }));
        let is_idle = tasks.is_empty() && overdue.is_empty();
        if is_idle && !pace.away {
            return Ok(None);
        }
        let is_full = lines >= LINES_A_RUN || statements >= STATEMENTS_A_RUN;
        if is_idle || is_full || ports.clock() >= ends_at {
            break;
        }
    }
    Ok(Some(if pace.away { AWAY_SECS } else { 0 }))
}

/// Claims the orders of one second: those with tasks, and those overdue. While the breaker is open,
/// a single order tests the provider.
async fn take(
    ports: &impl SettlementPorts,
    is_away: bool,
    is_probe: bool,
    now: Timestamp,
) -> Result<(Vec<OrderId>, Vec<OrderId>)> {
    let orders = ports.orders();
    let (which, calls, overdue) = match (is_away, is_probe) {
        (false, _) => (DueTasks::All, CALLS_A_SECOND, OVERDUE_A_SECOND),
        (true, true) => (DueTasks::All, 1, 1),
        (true, false) => (DueTasks::ButPayments, CALLS_A_SECOND, 0),
    };
    let taken_until = now.plus_secs(TAKEN_SECS);
    let tasks = orders
        .take_orders_with_due_tasks(which, now, taken_until, calls)
        .await?;
    let room = calls.saturating_sub(count_of(&tasks)).min(overdue);
    if room == 0 {
        return Ok((tasks, vec![]));
    }
    let again_at = now.plus_secs(OVERDUE_PAUSE_SECS);
    let overdue = orders.take_overdue_orders(now, again_at, room).await?;
    Ok((tasks, overdue))
}

async fn drive(ports: &impl SettlementPorts, order_id: &OrderId, now: Timestamp) -> Driven {
    let found = match find_order(ports, order_id).await {
        Ok(order) => order,
        Err(error) => return Driven::new(Err(error), 0),
    };
    let version = found.version;
    let order = effects::drive_tasks(ports, found, now).await;
    let moves = order
        .as_ref()
        .map_or(1, |order| order.version.saturating_sub(version));
    Driven::new(order, moves)
}

/// Checks a payment. A payment that has ended causes one transition of its order, and possibly a
/// second.
async fn look_at(ports: &impl SettlementPorts, order_id: &OrderId, now: Timestamp) -> Driven {
    let order = check::check_payment(ports, order_id, now).await;
    Driven::new(order, 2)
}

impl Driven {
    const fn new(order: Result<Order>, moves: u64) -> Self {
        let statements = moves.saturating_mul(STATEMENTS_A_MOVE);
        let statements = statements.saturating_add(STATEMENTS_A_DRIVE);
        Self { order, statements }
    }
}

async fn wait_until(ports: &impl SettlementPorts, at: Option<Timestamp>) {
    let Some(at) = at else { return };
    let millis = at.as_millis().saturating_sub(ports.clock().as_millis());
    if let Ok(millis @ 1..) = u32::try_from(millis) {
        ports.wait(millis.min(1_000)).await;
    }
}

/// True if the breaker is open. A longer pause is that of an order whose session may still turn up.
fn is_left_alone(driven: &Result<Order>) -> bool {
    matches!(
        driven,
        Err(Error::Unavailable {
            code: Code::PaymentsUnavailable,
            retry_after_secs: ..CLOCKS_SECS
        })
    )
}
