//! Bugs, each planted at the edge of the shop: what the shop says is bent into what a broken shop
//! would have said. The simulation must catch every one.

use crate::provider::Provider;
use crate::world::World;
use durable::machine::Request;
use durable::stock::Command;
use durable::{Timestamp, cart, promotion};
use serde_json::Value;
use shop::payments::{Opener, PaymentError, Session, SessionState};
use storefront::store::sql::{Parameter, Statement};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// An order moves without its row in `order_events`: two that judged the same version both
    /// land.
    UpdateWithoutVersionRow,
    /// A move takes whatever version comes next, not the one after that it was judged at.
    FoldWithoutVersion,
    /// A hold is never taken off its clock.
    PinForgotten,
    /// Operations of a new attempt carry the ids of the old one's.
    OperationWithoutAttempt,
    /// Takes for granted that all tasks of an order are done once it is found confirmed.
    ConfirmedIsDone,
    /// A refused checkout does not release what it held until then.
    RefusalKeepsHolds,
    /// A cart is set free though it is not decided that its order came to nothing.
    ThawedUndecided,
    /// Does not see, when its request is refused, that another request has joined the checkout.
    JoinedNotSeen,
    /// Grants from memory whatever memory does not refuse.
    MemoryGrants,
    /// Nobody hears a cart that asks after its order.
    CartsNotHeard,
    /// A payment is renewed without looking for the session that a lost answer told of.
    SessionsNotLookedFor,
    /// Does not give back the uses of promotions of an order that came to nothing.
    UseKept,
    /// A use of a promotion is never taken off its clock.
    UsePinForgotten,
    /// Any session that names an order is taken for its own.
    AnySessionFolded,
    /// A second payment of an order is taken for none.
    SecondPaymentSwallowed,
    /// A letter counts as sent once it is queued: nobody looks for those that were lost.
    LetterDoneWhenQueued,
    /// Each attempt at a letter has a key of its own.
    LetterWithoutKey,
    /// An order is left to a person, and staff are not told.
    ReviewUntold,
    /// A dispute moves the books, and staff are not told.
    DisputeUntold,
    /// A refund ends as failed, and staff are not told.
    RefundFailureUntold,
    /// A request that came too late is taken for one that is refused.
    LateIsRefused,
    /// Orders that a sweep takes are not kept from others.
    NotLeased,
    /// A sweep that has more to do does not ask for the rest.
    RestNotAskedFor,
}

const EVENT: &str = "INSERT INTO order_events";

/// A batch as a shop with this bug would write it.
pub fn statements(bug: Option<Bug>, mut statements: Vec<Statement>) -> Vec<Statement> {
    let moves = statements
        .iter()
        .any(|it| it.sql.starts_with("UPDATE orders SET status"));
    match bug {
        Some(Bug::UpdateWithoutVersionRow) if moves => {
            statements.retain(|it| !it.sql.trim_start().starts_with(EVENT));
        }
        Some(Bug::FoldWithoutVersion) if moves => {
            for statement in &mut statements {
                if statement.sql.trim_start().starts_with(EVENT) {
                    statement.sql = "INSERT INTO order_events (order_id, version, happening, actor, subject, note, at)
                        SELECT ?1, MAX(MAX(version) + 1, ?2 * 0), ?3, ?4, ?5, ?6, ?7 FROM order_events WHERE order_id = ?1";
                }
            }
            statements.push(
                Statement::new("UPDATE orders SET version = (SELECT MAX(version) FROM order_events WHERE order_id = ?1) WHERE id = ?1")
                    .bind(order_id(&statements)),
            );
        }
        Some(Bug::ReviewUntold) => forget_finding(&mut statements, "\"payment_review\""),
        Some(Bug::DisputeUntold) => forget_finding(&mut statements, "\"dispute_"),
        Some(Bug::RefundFailureUntold) => forget_finding(&mut statements, "\"refund_failed\""),
        Some(Bug::ThawedUndecided) => {
            let decides = |it: &Statement| it.parameters.contains(&"refused".into());
            statements.retain(|it| !decides(it));
        }
        _ => {}
    }
    statements
}

fn forget_finding(statements: &mut Vec<Statement>, kind: &str) {
    let tells = |it: &Statement| {
        let of_kind = |it: &Parameter| matches!(it, Parameter::Text(text) if text.contains(kind));
        it.sql.contains("INSERT INTO findings") && it.parameters.iter().any(of_kind)
    };
    statements.retain(|it| !tells(it));
}

/// Request that a shop with this bug sends to an object.
pub fn request(world: &World, request: Request<Command>) -> Request<Command> {
    let Request::Do {
        operation_id,
        command,
    } = request
    else {
        return request;
    };
    match (world.bug, &command) {
        (Some(Bug::PinForgotten), Command::Pin { .. }) => Request::View,
        (Some(Bug::RefusalKeepsHolds), Command::Release { hold_id })
            if !is_of_an_order(world, hold_id) =>
        {
            Request::View
        }
        (Some(Bug::OperationWithoutAttempt), _) => {
            let words: Vec<&str> = operation_id.split(':').collect();
            let operation_id = match words.as_slice() {
                [order, _attempt, step] => format!("{order}:{step}"),
                _ => operation_id,
            };
            Request::Do {
                operation_id,
                command,
            }
        }
        _ => Request::Do {
            operation_id,
            command,
        },
    }
}

fn is_of_an_order(world: &World, hold_id: &str) -> bool {
    let order_id = hold_id.split(':').next().unwrap_or_default();
    let found = format!("SELECT id FROM orders WHERE id = '{order_id}'");
    !world.db.ask(&found).is_empty()
}

/// True if a shop with this bug takes a hold for granted.
pub fn is_granted_from_memory(world: &World, sku: &str, command: &Command) -> bool {
    let (Some(Bug::MemoryGrants), Command::Hold { quantity, .. }) = (world.bug, command) else {
        return false;
    };
    let mut refusals = world.refusals.borrow_mut();
    let kept = refusals.recall(sku, u32::MAX, None, world.now());
    kept.is_some_and(|shortage| i64::from(*quantity) <= shortage.available)
}

/// Command that a shop with this bug sends to a cart.
pub fn cart_command(bug: Option<Bug>, mut command: cart::Command) -> cart::Command {
    if let (Some(Bug::JoinedNotSeen), cart::Change::Thaw { alone, .. }) = (bug, &mut command.change)
    {
        *alone = false;
    }
    command
}

/// Request that a shop with this bug sends to a promotion's object.
pub fn use_request(
    bug: Option<Bug>,
    request: Request<promotion::Command>,
) -> Request<promotion::Command> {
    use promotion::Command::{Pin, Release, Return};
    let Request::Do { command, .. } = &request else {
        return request;
    };
    match (bug, command) {
        (Some(Bug::UseKept), Release { .. } | Return { .. })
        | (Some(Bug::UsePinForgotten), Pin { .. }) => Request::View,
        _ => request,
    }
}

/// Rows that a query returns to a shop with this bug.
pub fn rows(bug: Option<Bug>, mut rows: Vec<Value>) -> Vec<Value> {
    if bug == Some(Bug::ConfirmedIsDone) {
        for row in &mut rows {
            if row["status"] == "confirmed" {
                row["tasks"] = "[]".into();
            }
        }
    }
    rows
}

/// A query as a shop with this bug would write it.
pub fn query(bug: Option<Bug>, mut statement: Statement) -> Statement {
    if bug == Some(Bug::NotLeased) && statement.sql.contains("UPDATE outbox SET due_at = MAX") {
        statement.parameters[1] = Parameter::Integer(0);
    }
    statement
}

/// True for a shop with this bug, which does not ask for the session that an old request may have
/// opened.
pub fn is_not_looked_for(bug: Option<Bug>, request: &str, now: Timestamp) -> bool {
    bug == Some(Bug::SessionsNotLookedFor) && Provider::is_too_late(request, now)
}

/// The answer to a session's request as a shop with this bug takes it.
pub fn opened<T>(bug: Option<Bug>, answer: Result<T, PaymentError>) -> Result<T, PaymentError> {
    match answer {
        Err(PaymentError::TooLate(message)) if bug == Some(Bug::LateIsRefused) => {
            Err(PaymentError::Refused(message))
        }
        answer => answer,
    }
}

/// A session as a shop with this bug takes it.
pub fn session(world: &World, mut session: Session) -> Session {
    match world.bug {
        Some(Bug::AnySessionFolded) => {
            let order_id = session.order_id.as_deref().unwrap_or_default();
            let own = format!(
                "SELECT session_id FROM payments WHERE order_id = '{order_id}' AND session_id IS NOT NULL"
            );
            match world.db.ask(&own).first().and_then(Value::as_str) {
                Some(own) => own.clone_into(&mut session.id),
                None => session.opener = Opener::Shop { key: None },
            }
        }
        Some(Bug::SecondPaymentSwallowed) if !world.provider.borrow().is_own(&session.id) => {
            session.state = SessionState::Expired;
        }
        _ => {}
    }
    session
}

fn order_id(statements: &[Statement]) -> Parameter {
    statements[0].parameters[0].clone()
}
