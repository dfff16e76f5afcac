//! Bugs, each planted at the edge of the shop: what the shop says is bent into what a broken shop would have said. The simulation
//! must catch every one.

use crate::world::World;
use durable::machine::Request;
use durable::promotion;
use durable::stock::Command;
use serde_json::Value;
use storefront::shop::payments::{Opener, Session, SessionState};
use storefront::store::sql::Statement;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// An order moves without its row in `order_events`: two that judged the same version both land.
    UpdateWithoutVersionRow,
    /// A move takes whatever version comes next, not the one after that it was judged at.
    FoldWithoutVersion,
    /// A hold is never taken off its clock.
    PinForgotten,
    /// Operations of a new attempt carry the ids of the old one's.
    OperationWithoutAttempt,
    /// Who finds an order confirmed takes for granted that all that follows was done.
    ConfirmedIsDone,
    /// The sweep looks for no checkouts.
    CheckoutsNotSwept,
    /// Nobody hears a cart that asks after its order.
    CartsNotHeard,
    /// A payment is renewed without looking for the session that a lost answer told of.
    SessionsNotLookedFor,
    /// What an order that came to nothing used of a promotion is not given back.
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
        _ => {}
    }
    statements
}

/// What an object is asked by a shop with this bug.
pub fn request(bug: Option<Bug>, request: Request<Command>) -> Request<Command> {
    let Request::Do {
        operation_id,
        command,
    } = request
    else {
        return request;
    };
    match (bug, &command) {
        (Some(Bug::PinForgotten), Command::Pin { .. }) => Request::View,
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

/// What a promotion's object is asked by a shop with this bug.
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

/// What a query tells a shop with this bug.
pub fn rows(bug: Option<Bug>, sql: &str, mut rows: Vec<Value>) -> Vec<Value> {
    match bug {
        Some(Bug::ConfirmedIsDone) => {
            for row in &mut rows {
                if row["status"] == "confirmed" {
                    row["tasks"] = "[]".into();
                }
            }
        }
        Some(Bug::CheckoutsNotSwept) if sql.trim_start().starts_with("UPDATE checkouts") => {
            rows.clear()
        }
        _ => {}
    }
    rows
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

fn order_id(statements: &[Statement]) -> storefront::store::sql::Parameter {
    statements[0].parameters[0].clone()
}
