//! From a payment to a settled order: folds what the provider says now into the order, and carries out what must follow.
//!
//! A fold looks at the session as it stands, not at the event that called for it: any permutation and any duplication of
//! events ends in the same order. A move is written with the version it was judged at; who loses reads again. Tasks are
//! written with the move and carried out until done, also by an event that finds the order already moved.
//!
//! No session is opened for holds that could still lapse or be let go. The first attempt's holds are all there when the order
//! is placed: once every one of them is pinned, none has ended, and none will but by the session's end. A later attempt is
//! held while others may give it up, so it is claimed by a move before its session is opened: of a claim and a surrender that
//! judged the same version one is lost.

use crate::error::{Error, Result};
use crate::shop::checkout::{
    complete_cart, hold_id, hold_lines, release_lines, thaw_cart, tracked_lines,
};
use crate::shop::disputes::settle_dispute;
use crate::shop::fulfillments::Units;
use crate::shop::late_money::settle_late_money;
use crate::shop::ledger::Journal;
use crate::shop::mail::{Letter, MailKind};
use crate::shop::money::{Currency, Money};
use crate::shop::orders::{
    Actor, Order, Task, Transition, find_order, move_order, moved_meanwhile, with_money,
};
use crate::shop::payments::{
    Notice, PaymentError, PaymentStatus, SESSION_SECS, Session, SessionState,
};
use crate::shop::ports::{Inbox, Mail, Orders, Payments, Ports, StockObjects, Written};
use crate::shop::refunds::{pay_refund, settle_refund};
use crate::shop::transitions::{Effect, Happening, Status};
use durable::machine::Reply;
use durable::{Timestamp, stock};

/// How often one driver holds an order anew before it leaves it to the next.
const MAX_ATTEMPTS_AT_ONCE: u32 = 3;

/// Seconds for which the request for a session is sent again: the provider takes none that ends within 30 minutes.
const REPLAY_SECS: u32 = 25 * 60;

/// Seconds by which two clocks may differ, and a call may be on its way.
const CLOCKS_SECS: u32 = 5 * 60;

/// How a round of tasks went.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// Carried out.
    pub done: Vec<Task>,
    /// Failed, and why: to be tried again later.
    pub failed: Vec<(Task, String)>,
    /// The session that was opened on the way.
    pub opened: Option<Session>,
}

/// Deals with one stored event: safe to repeat, since it folds the state it finds.
///
/// # Errors
/// When a port fails; the event is to be tried again.
pub async fn handle_event(ports: &impl Ports, event_id: &str, now: Timestamp) -> Result<()> {
    let inbox = ports.inbox();
    let payload = inbox
        .payload(event_id)
        .await?
        .ok_or_else(|| Error::internal(format!("event {event_id} is not in the inbox")))?;
    let outcome = match ports.payments().read_event(&payload)? {
        Notice::Session(session_id) => {
            let session = ports
                .payments()
                .session(&session_id)
                .await
                .map_err(PaymentError::into_error)?;
            settle_session(ports, &session, now).await?
        }
        Notice::Payment(payment_ref) => {
            let session = ports
                .payments()
                .session_of_payment(&payment_ref)
                .await
                .map_err(PaymentError::into_error)?;
            match session {
                Some(session) => settle_session(ports, &session, now).await?,
                None => "not_ours",
            }
        }
        Notice::Refund(refund_id) => word(settle_refund(ports, &refund_id, now).await?),
        Notice::Dispute(dispute_id) => word(settle_dispute(ports, &dispute_id, now).await?),
        Notice::Other => "ignored",
    };
    inbox.processed(event_id, outcome, now).await
}

const fn word(is_ours: bool) -> &'static str {
    if is_ours { "settled" } else { "not_ours" }
}

/// The order that took this money, with the payment folded in: what is said of its refunds may come before what is said of itself.
///
/// # Errors
/// When a port fails; repeating is safe.
pub async fn order_of_payment(
    ports: &impl Ports,
    payment_ref: &str,
    now: Timestamp,
) -> Result<Option<Order>> {
    let session = ports
        .payments()
        .session_of_payment(payment_ref)
        .await
        .map_err(PaymentError::into_error)?;
    let Some(session) = session else {
        return Ok(None);
    };
    let Some(order_id) = &session.order_id else {
        return Ok(None);
    };
    let order = find_order(ports, order_id).await?;
    fold_session(ports, order, &session, now).await.map(Some)
}

async fn settle_session(
    ports: &impl Ports,
    session: &Session,
    now: Timestamp,
) -> Result<&'static str> {
    let Some(order_id) = &session.order_id else {
        return Ok("not_ours");
    };
    let order = find_order(ports, order_id).await?;
    settle_order(ports, order, session, now).await?;
    Ok("settled")
}

/// Folds `session` into its order, then carries out what is undone.
///
/// # Errors
/// When a port fails, or a task does; repeating is safe.
pub async fn settle_order(
    ports: &impl Ports,
    order: Order,
    session: &Session,
    now: Timestamp,
) -> Result<Order> {
    let order = fold_session(ports, order, session, now).await?;
    drive_tasks(ports, order, now).await
}

/// Asks the provider how the session of a pending order stands, and folds the answer.
///
/// # Errors
/// As [`settle_order`].
pub async fn check_payment(ports: &impl Ports, order_id: &str, now: Timestamp) -> Result<Order> {
    let order = find_order(ports, order_id).await?;
    let Some(session_id) = order.payment.session_id.clone() else {
        return drive_tasks(ports, order, now).await;
    };
    let session = ports
        .payments()
        .session(&session_id)
        .await
        .map_err(PaymentError::into_error)?;
    settle_order(ports, order, &session, now).await
}

/// Carries out every undone task of an order, and those that follow from carrying them out. One that fails is noted and tried
/// again later; the others go on.
///
/// # Errors
/// The first failure, after all were tried.
pub async fn drive_tasks(ports: &impl Ports, order: Order, now: Timestamp) -> Result<Order> {
    let (order, failure) = drive(ports, order, now).await?;
    failure.map_or(Ok(order), Err)
}

/// As [`drive_tasks`], for who is to be answered in any case: what fails is noted with its task, and the sweep goes on with it.
pub async fn drive_or_leave(ports: &impl Ports, order: Order, now: Timestamp) -> Order {
    match drive(ports, order.clone(), now).await {
        Ok((driven, _)) => driven,
        Err(_) => order,
    }
}

async fn drive(
    ports: &impl Ports,
    mut order: Order,
    now: Timestamp,
) -> Result<(Order, Option<Error>)> {
    let mut given_up: Vec<Task> = Vec::new();
    let mut failure = None;
    loop {
        let tasks: Vec<Task> = order
            .tasks
            .iter()
            .filter(|task| !given_up.contains(task))
            .cloned()
            .collect();
        if tasks.is_empty() {
            return Ok((order, failure));
        }
        let mut round = Round::default();
        for task in tasks {
            match carry_out(ports, &order, &task, now).await {
                Ok(opened) => {
                    round.opened = round.opened.or(opened);
                    round.done.push(task);
                }
                Err(error) => {
                    round.failed.push((task.clone(), error.to_string()));
                    given_up.push(task);
                    failure.get_or_insert(error);
                }
            }
        }
        order = ports.orders().finish_round(&order.id, &round, now).await?;
    }
}

/// Carries out one task; the session, if it has opened one.
async fn carry_out(
    ports: &impl Ports,
    order: &Order,
    task: &Task,
    now: Timestamp,
) -> Result<Option<Session>> {
    let subject = task.subject.as_str();
    match task.effect {
        Effect::OpenPayment => return open_payment(ports, order, now).await,
        Effect::ClosePayment => return close_payment(ports, order, now).await,
        Effect::CommitStock => commit_stock(ports, order).await?,
        Effect::CompleteCart => complete_cart(ports, &order.cart_id, &order.id).await?,
        Effect::SendConfirmation => {
            let letter = Letter::about(MailKind::OrderConfirmation, &order.id);
            ports.mail().post(&letter).await?;
        }
        Effect::ReleaseStock => {
            release_lines(ports, &order.id, order.attempt, &order.lines).await?
        }
        Effect::ReleaseAttempt => {
            let attempt = subject.parse().map_err(Error::internal)?;
            release_lines(ports, &order.id, attempt, &order.lines).await?;
        }
        Effect::ThawCart => thaw_cart(ports, &order.cart_id, &order.id, now).await?,
        Effect::RestockOrder => restock_order(ports, order).await?,
        Effect::ShipStock => ship_stock(ports, order, subject).await?,
        Effect::RestockReturn => restock_return(ports, order, subject).await?,
        Effect::PayRefund => pay_refund(ports, order, subject, now).await?,
        Effect::SettleLateMoney => settle_late_money(ports, order, now).await?,
        Effect::SendRefund => {
            let letter = Letter::about(MailKind::Refund, &order.id).on(subject);
            ports.mail().post(&letter).await?;
        }
        Effect::SendPaymentProblem => {
            let letter = Letter::about(MailKind::PaymentProblem, &order.id);
            ports.mail().post(&letter).await?;
        }
    }
    Ok(None)
}

/// Pins before the first call to the provider: from then on the session might be paid, and the holds have no clock.
async fn open_payment(
    ports: &impl Ports,
    order: &Order,
    now: Timestamp,
) -> Result<Option<Session>> {
    let mut order = order.clone();
    for attempt in 0.. {
        if attempt == MAX_ATTEMPTS_AT_ONCE {
            return Err(moved_meanwhile());
        }
        if order.status != Status::PendingPayment || order.payment.session_id.is_some() {
            return Ok(None);
        }
        if pin_holds(ports, &order).await? {
            break;
        }
        match hold_anew(ports, &order, now).await? {
            Some(held) => order = held,
            None => return Ok(None),
        }
    }
    if !order.is_claimed() {
        order = claim(ports, &order, Happening::HeldAnew, now).await?;
    }
    if order.totals.total == 0 {
        let nothing = Money::new(0, order.currency);
        move_order(ports, order, now, |order| {
            paid(order, Happening::Paid, nothing, now)
        })
        .await?;
        return Ok(None);
    }
    match find_or_open_session(ports, &order, now).await {
        Ok(Some(session)) => Ok(Some(session)),
        Ok(None) => {
            move_order(ports, order, now, |order| {
                by_shop(order, Happening::SessionExpired, now)
            })
            .await?;
            Ok(None)
        }
        Err(PaymentError::Refused(_)) => {
            move_order(ports, order, now, |order| {
                by_shop(order, Happening::PaymentRefused, now)
            })
            .await?;
            Ok(None)
        }
        Err(error) => Err(error.into_error()),
    }
}

/// Opens the session, as long as its request can still be sent: the same key finds what an earlier call has opened. After that it is
/// looked for among the sessions of its time; none, when it was never opened and no call is on its way.
async fn find_or_open_session(
    ports: &impl Ports,
    order: &Order,
    now: Timestamp,
) -> Result<Option<Session>, PaymentError> {
    let Order { payment, .. } = order;
    let replayable_until = payment.expires_at.minus_secs(SESSION_SECS - REPLAY_SECS);
    if now < replayable_until {
        let opened = ports
            .payments()
            .open_session(&payment.id, &payment.request)
            .await;
        return opened.map(Some);
    }
    let since = order.created_at.minus_secs(CLOCKS_SECS);
    let found = ports.payments().find_session(&order.id, since).await?;
    if found.is_none() && now < replayable_until.plus_secs(CLOCKS_SECS) {
        let message = "the last call to open it may be on its way".to_owned();
        return Err(PaymentError::Unavailable(message));
    }
    Ok(found)
}

/// Expires the session, and folds how it ended: perhaps it was paid before. A session whose opening is not known to have come to
/// nothing is opened first, since the same key finds it.
async fn close_payment(
    ports: &impl Ports,
    order: &Order,
    now: Timestamp,
) -> Result<Option<Session>> {
    let opened = open_payment(ports, order, now).await?;
    let known = opened.as_ref().map(|session| session.id.clone());
    let order = find_order(ports, &order.id).await?;
    let session_id = known.or_else(|| order.payment.session_id.clone());
    let (Some(session_id), Status::PendingPayment) = (session_id, order.status) else {
        return Ok(opened);
    };
    let key = format!("{}:expire", order.payment.id);
    let session = match ports.payments().expire_session(&key, &session_id).await {
        // It is no longer open: it has ended by itself, or was paid.
        Err(PaymentError::Refused(_)) => ports.payments().session(&session_id).await,
        answer => answer,
    };
    let session = session.map_err(PaymentError::into_error)?;
    fold_session(ports, order, &session, now).await?;
    Ok(opened)
}

/// False when a hold has ended on its clock, before it could be pinned.
pub async fn pin_holds(ports: &impl Ports, order: &Order) -> Result<bool> {
    for line in tracked_lines(&order.lines) {
        let hold_id = hold_id(&order.id, order.attempt);
        let operation_id = format!("{hold_id}:pin");
        let command = stock::Command::Pin { hold_id };
        match ports.stock().ask(&line.sku, operation_id, command).await? {
            Reply::Done { .. } => {}
            Reply::Refused {
                refusal: stock::Refusal::HoldEnded,
            } => return Ok(false),
            Reply::Refused { refusal } => return Err(refused("pin", order, &refusal)),
        }
    }
    Ok(true)
}

/// A hold lapsed before the provider was ever asked: gives up the attempt, and holds again under a new one. The attempt is let go
/// only after the claim, which fails when someone else has completed it meanwhile. None when the order has come to nothing
/// instead: because it is to be cancelled anyway, or because its units are gone.
async fn hold_anew(ports: &impl Ports, order: &Order, now: Timestamp) -> Result<Option<Order>> {
    if order.is_cancel_requested() {
        claim(ports, order, Happening::Cancelled, now).await?;
        return Ok(None);
    }
    let lapsed = order.attempt;
    let order = claim(ports, order, Happening::HoldLapsed, now).await?;
    release_lines(ports, &order.id, lapsed, &order.lines).await?;
    match hold_lines(ports, &order.id, order.attempt, &order.email, &order.lines).await {
        Ok(()) => Ok(Some(order)),
        Err(Error::Conflict { .. }) => {
            claim(ports, &order, Happening::OutOfStock, now).await?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Moves an order from the very version it was read at, since what was found out holds for that one only.
async fn claim(
    ports: &impl Ports,
    order: &Order,
    happening: Happening,
    now: Timestamp,
) -> Result<Order> {
    let mut transition = by_shop(order, happening, now)?.ok_or_else(moved_meanwhile)?;
    if happening == Happening::HoldLapsed {
        transition.attempt = order.attempt.saturating_add(1);
    }
    match ports.orders().transition(&transition, now).await? {
        Written::Landed(order) => Ok(order),
        Written::Lost => Err(moved_meanwhile()),
    }
}

async fn commit_stock(ports: &impl Ports, order: &Order) -> Result<()> {
    ask_each_line(ports, order, "commit", |hold_id| stock::Command::Commit {
        hold_id,
    })
    .await
}

async fn restock_order(ports: &impl Ports, order: &Order) -> Result<()> {
    ask_each_line(ports, order, "restock", |hold_id| stock::Command::Restock {
        hold_id,
    })
    .await
}

async fn ask_each_line(
    ports: &impl Ports,
    order: &Order,
    step: &str,
    command: impl Fn(String) -> stock::Command,
) -> Result<()> {
    let hold_id = hold_id(&order.id, order.attempt);
    for line in tracked_lines(&order.lines) {
        let operation_id = format!("{hold_id}:{step}");
        let command = command(hold_id.clone());
        let reply = ports.stock().ask(&line.sku, operation_id, command).await?;
        if let Reply::Refused { refusal } = reply {
            return Err(refused(step, order, &refusal));
        }
    }
    Ok(())
}

async fn ship_stock(ports: &impl Ports, order: &Order, fulfillment_id: &str) -> Result<()> {
    let found = order.fulfillments.iter().find(|it| it.id == fulfillment_id);
    let hold_id = hold_id(&order.id, order.attempt);
    for units in found.iter().flat_map(|it| tracked_units(order, &it.lines)) {
        let command = stock::Command::Ship {
            hold_id: hold_id.clone(),
            quantity: units.quantity,
        };
        let operation_id = format!("{fulfillment_id}:ship");
        let reply = ports.stock().ask(&units.sku, operation_id, command).await?;
        if let Reply::Refused { refusal } = reply {
            return Err(refused("ship", order, &refusal));
        }
    }
    Ok(())
}

async fn restock_return(ports: &impl Ports, order: &Order, return_id: &str) -> Result<()> {
    let found = order.returns.iter().find(|it| it.id == return_id);
    for units in found.iter().flat_map(|it| tracked_units(order, &it.lines)) {
        let command = stock::Command::Return {
            quantity: units.quantity,
            reason: format!("returned from order {}", order.number),
        };
        let operation_id = format!("{return_id}:return");
        let reply = ports.stock().ask(&units.sku, operation_id, command).await?;
        if let Reply::Refused { refusal } = reply {
            return Err(refused("return", order, &refusal));
        }
    }
    Ok(())
}

fn tracked_units<'a>(order: &Order, units: &'a [Units]) -> Vec<&'a Units> {
    let tracked = |sku: &str| {
        order
            .lines
            .iter()
            .any(|line| line.sku == sku && line.tracked)
    };
    units.iter().filter(|units| tracked(&units.sku)).collect()
}

/// Writes what the session says into the order; nothing while it says nothing new.
async fn fold_session(
    ports: &impl Ports,
    mut order: Order,
    session: &Session,
    now: Timestamp,
) -> Result<Order> {
    if order.payment.session_id.is_none() {
        let round = Round {
            opened: Some(session.clone()),
            ..Round::default()
        };
        order = ports.orders().finish_round(&order.id, &round, now).await?;
    }
    move_order(ports, order, now, |order| {
        judge_session(order, session, now)
    })
    .await
}

/// The move that the session calls for; none while it can still be paid, or when the order knows already.
fn judge_session(order: &Order, session: &Session, now: Timestamp) -> Result<Option<Transition>> {
    match session.state {
        SessionState::Open => Ok(None),
        SessionState::Processing if order.payment.status == PaymentStatus::Processing => Ok(None),
        SessionState::Processing => by_shop(order, Happening::PaymentProcessing, now),
        SessionState::Expired if order.is_cancel_requested() => {
            by_shop(order, Happening::Cancelled, now)
        }
        SessionState::Expired => by_shop(order, Happening::SessionExpired, now),
        SessionState::Failed => by_shop(order, Happening::PaymentFailed, now),
        SessionState::Paid => {
            let currency = Currency::from_code(&session.currency)
                .ok_or_else(|| Error::internal("a session in no currency"))?;
            let captured = Money::new(session.amount, currency);
            let as_ordered = Money::new(order.totals.total, order.currency);
            let happening = if captured == as_ordered {
                Happening::Paid
            } else {
                Happening::PaidWrongAmount
            };
            let transition = paid(order, happening, captured, now)?;
            Ok(transition.map(|transition| Transition {
                payment_ref: session.payment_ref.clone(),
                ..transition
            }))
        }
    }
}

fn paid(
    order: &Order,
    happening: Happening,
    captured: Money,
    now: Timestamp,
) -> Result<Option<Transition>> {
    let transition = Transition::of(order, happening, Actor::Shop, now)
        .filter(|_| order.payment.captured.is_none());
    let Some(mut transition) = transition else {
        return Ok(None);
    };
    transition.captured = Some(captured);
    transition
        .journals
        .push(Journal::paid(captured.amount, captured.currency)?);
    with_money(order, transition, "", now).map(Some)
}

fn by_shop(order: &Order, happening: Happening, now: Timestamp) -> Result<Option<Transition>> {
    Transition::of(order, happening, Actor::Shop, now)
        .map(|transition| with_money(order, transition, "", now))
        .transpose()
}

fn refused(step: &str, order: &Order, refusal: &stock::Refusal) -> Error {
    Error::internal(format!("{step} of {}: {refusal:?}", order.id))
}
