//! Orders: how they are read, moved and listed. How they may move is the table of [`transitions`].
//!
//! [`transitions`]: crate::shop::transitions

mod codes;
mod links;
mod lookup;
mod moves;
mod numbers;
mod order;
#[cfg(test)]
pub mod samples;
mod shared_reads;
mod standing;

pub use codes::{MAX_TRIES, OrderCodeTries, TRIES_SECS, Tried, find_by_code, read_code};
pub use links::{OrderLinks, opens_by_query, status_path};
pub use lookup::{LINK_REQUESTS_QUEUE, LinkRequest, request_order_link, send_order_link};
pub use moves::{Record, Renewal, Transition, with_money};
pub use numbers::{candidate_numbers, read_number};
pub use order::{Actor, Dispute, Order, OrderEvent, Payment, Refund, RefundStatus, Task};
pub use shared_reads::{MAX_KEYS, READ_EVERY_MS, SharedReads, Turn};
pub use standing::{OrderStanding, OrderStandings, PAUSES_SECS, WATCHED_SECS};

use crate::error::{Error, Result};
use crate::shop::fulfillments::check_text;
use crate::shop::ports::{Orders, Ports, Written};
use crate::shop::settlement;
use crate::shop::transitions::{STATUSES, Status, happening_towards};
use durable::Timestamp;
use serde_json::json;

/// Which orders a list shows; newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only those placed from this cart.
    pub cart_id: Option<String>,
    /// Only those that stand so.
    pub status: Option<Status>,
    /// Only the one that people call so.
    pub number: Option<i64>,
    /// Only those placed before the order with this id.
    pub before: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// How often a move that lost against another is judged again before giving up.
const MAX_JUDGEMENTS: u32 = 5;

/// What a person asks of an order, beside the thing itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Who asks.
    pub actor: Actor,
    /// Why, in their words.
    pub note: Option<String>,
    /// Only while the order is at this version.
    pub if_version: Option<u64>,
    /// The id of the refund that may follow.
    pub refund_id: String,
}

/// Gives an order the status that staff asks for, by the table. A pending order is cancelled once the provider has ended its
/// session, since until then it can still be paid.
///
/// # Errors
/// 404; 409 `transition_not_allowed` with what is allowed; 412 for a stale version.
pub async fn set_order_status(
    ports: &impl Ports,
    order_id: &str,
    status: Status,
    instruction: Instruction,
    now: Timestamp,
) -> Result<Order> {
    check_text("note", instruction.note.as_deref())?;
    let order = find_order(ports, order_id).await?;
    let order = move_order(ports, order, now, |order| {
        let waits_for_it = status == Status::Cancelled && order.is_cancel_requested();
        if order.status == status || (order.status == Status::PendingPayment && waits_for_it) {
            return Ok(None);
        }
        instruction.check_version(order)?;
        let transition = happening_towards(order.status, status)
            .filter(|happening| order.allows(*happening))
            .and_then(|happening| Transition::of(order, happening, instruction.actor.clone(), now))
            .ok_or_else(|| not_allowed(order))?;
        let transition = transition.noted(instruction.note.clone());
        with_money(order, transition, &instruction.refund_id, now).map(Some)
    })
    .await?;
    Ok(settlement::drive_or_leave(ports, order, now).await)
}

/// Cancels an order, while nothing of it has left.
///
/// # Errors
/// As [`set_order_status`]. An order that is dead already, for whatever reason, stays as it is.
pub async fn cancel_order(
    ports: &impl Ports,
    order_id: &str,
    instruction: Instruction,
    now: Timestamp,
) -> Result<Order> {
    let order = find_order(ports, order_id).await?;
    if order.status.is_dead() {
        return Ok(order);
    }
    set_order_status(ports, order_id, Status::Cancelled, instruction, now).await
}

/// Moves an order by what `decide` makes of it as it stands, again when it has moved in between; nothing when that is none.
///
/// # Errors
/// What `decide` says, or a port's failure.
pub async fn move_order(
    ports: &impl Ports,
    mut order: Order,
    now: Timestamp,
    decide: impl Fn(&Order) -> Result<Option<Transition>>,
) -> Result<Order> {
    for _ in 0..MAX_JUDGEMENTS {
        let Some(transition) = decide(&order)? else {
            return Ok(order);
        };
        if let Written::Landed(moved) = ports.orders().transition(&transition, now).await? {
            return Ok(moved);
        }
        order = find_order(ports, &order.id).await?;
    }
    Err(moved_meanwhile())
}

/// The order with this id.
///
/// # Errors
/// 404.
pub async fn find_order(ports: &impl Ports, order_id: &str) -> Result<Order> {
    ports
        .orders()
        .order(order_id)
        .await?
        .ok_or(Error::NotFound("order"))
}

/// 503 for who lost against another move and should look again.
pub const fn moved_meanwhile() -> Error {
    Error::Unavailable {
        code: "order_busy",
        retry_after_secs: 1,
    }
}

/// 409 with the statuses that the order can be given.
pub fn not_allowed(order: &Order) -> Error {
    let allowed: Vec<Status> = STATUSES
        .into_iter()
        .filter(|to| {
            happening_towards(order.status, *to).is_some_and(|happening| order.allows(happening))
        })
        .collect();
    Error::conflict(
        "transition_not_allowed",
        "The order does not allow this as it stands.",
        json!({"order_id": order.id, "order_status": order.status, "allowed": allowed}),
    )
}

impl Instruction {
    fn check_version(&self, order: &Order) -> Result<()> {
        match self.if_version {
            Some(version) if version != order.version => Err(Error::PreconditionFailed {
                version: order.version,
            }),
            _ => Ok(()),
        }
    }
}
