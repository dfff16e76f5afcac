//! Planted bugs, each at the edge of the shop: the shop's output is changed into what a faulty shop
//! would have sent. The simulation must catch every one.

use crate::provider::Provider;
use crate::world::World;
use durable::machine::Request;
use durable::stock::Command;
use durable::{Timestamp, cart, promotion};
use serde_json::Value;
use shop::payments::{Opener, PaymentError, Session, SessionState};
use shop::values::ids::Sku;
use storefront::store::sql::{Parameter, Statement};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// An order changes without its row in `order_events`, so that two transitions from the same
    /// version both take effect.
    UpdateWithoutVersionRow,
    /// A transition takes the next free version, not the one after the version it was decided from.
    FoldWithoutVersion,
    /// A hold is never pinned.
    PinForgotten,
    /// Operations of a new attempt carry the IDs of the old one.
    OperationWithoutAttempt,
    /// All tasks of an order are assumed done once it is found confirmed.
    ConfirmedIsDone,
    /// A refused checkout does not release what it has held so far.
    RefusalKeepsHolds,
    /// A cart is unfrozen before its order is known to have failed.
    ThawedUndecided,
    /// A refused request ignores that another request has joined the checkout.
    JoinedNotSeen,
    /// Holds are granted from memory unless memory refuses them.
    MemoryGrants,
    /// Events of carts that ask about their order are ignored.
    CartsNotHeard,
    /// A payment is renewed without looking for the session whose response was lost.
    SessionsNotLookedFor,
    /// The uses of promotions of a failed order are not released.
    UseKept,
    /// A promotion use is never pinned.
    UsePinForgotten,
    /// Any session that names an order is taken for its own.
    AnySessionFolded,
    /// A second payment of an order is ignored.
    SecondPaymentSwallowed,
    /// An email counts as sent once it is queued, so lost ones are never sent.
    LetterDoneWhenQueued,
    /// Each attempt at an email has a key of its own.
    LetterWithoutKey,
    /// An order is left for review, but staff are not notified.
    ReviewUntold,
    /// A dispute changes the books, but staff are not notified.
    DisputeUntold,
    /// A refund fails, but staff are not notified.
    RefundFailureUntold,
    /// A request that was too late is taken for a rejected one.
    LateIsRefused,
    /// Orders taken by a sweep are not reserved for it.
    NotLeased,
    /// A sweep with more to do does not request another run.
    RestNotAskedFor,
}

const EVENT: &str = "INSERT INTO order_events";

/// Returns a batch as a shop with this bug would write it.
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

/// Returns the request that a shop with this bug sends to an object.
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

/// Returns true if a shop with this bug assumes that a hold succeeds.
pub fn is_granted_from_memory(world: &World, sku: &Sku, command: &Command) -> bool {
    let (Some(Bug::MemoryGrants), Command::Hold { quantity, .. }) = (world.bug, command) else {
        return false;
    };
    let mut refusals = world.refusals.borrow_mut();
    let kept = refusals.recall(sku, u32::MAX, None, world.now());
    kept.is_some_and(|shortage| i64::from(*quantity) <= shortage.available)
}

/// Returns the command that a shop with this bug sends to a cart.
pub fn cart_command(bug: Option<Bug>, mut command: cart::Command) -> cart::Command {
    if let (Some(Bug::JoinedNotSeen), cart::Change::Thaw { alone, .. }) = (bug, &mut command.change)
    {
        *alone = false;
    }
    command
}

/// Returns the request that a shop with this bug sends to a promotion's object.
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

/// Returns the rows that a shop with this bug receives.
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

/// Returns a query as a shop with this bug would write it.
pub fn query(bug: Option<Bug>, mut statement: Statement) -> Statement {
    if bug == Some(Bug::NotLeased) && statement.sql.contains("UPDATE outbox SET due_at = MAX") {
        statement.parameters[1] = Parameter::Integer(0);
    }
    statement
}

/// Returns true for a shop with this bug, which does not look for the session that an old request
/// may have opened.
pub fn is_not_looked_for(bug: Option<Bug>, request: &str, now: Timestamp) -> bool {
    bug == Some(Bug::SessionsNotLookedFor) && Provider::is_too_late(request, now)
}

/// Returns the response to a session request as a shop with this bug understands it.
pub fn opened<T>(bug: Option<Bug>, answer: Result<T, PaymentError>) -> Result<T, PaymentError> {
    match answer {
        Err(PaymentError::TooLate(message)) if bug == Some(Bug::LateIsRefused) => {
            Err(PaymentError::Refused(message))
        }
        answer => answer,
    }
}

/// Returns a session as a shop with this bug understands it.
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
