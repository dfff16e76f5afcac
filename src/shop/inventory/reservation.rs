//! Reservations at objects: the units of a SKU, or a use of a promotion. All take the same steps.
//! The id of an operation names the order, the attempt and the step, so that a repeated request
//! moves nothing twice.

use crate::error::{Error, Result};
use crate::inventory::ports::StockPorts;
use durable::machine::{Machine, Reply, ReplyOf};
use std::fmt::Debug;

/// Step after a hold was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Pins the hold, before its order can be paid.
    Pin,
    /// Releases the hold, because its order ends unpaid.
    Release,
    /// Commits the hold, because its order is paid.
    Commit,
    /// Returns committed units or uses.
    Restock,
}

/// A reservation at an object.
pub(super) trait Reservation {
    type Machine: Machine<Refusal: Debug>;

    /// Name of the object.
    fn name(&self) -> &str;

    /// Returns the command that takes the hold for the customer with this email address.
    fn hold(&self, hold_id: String, email: &str) -> CommandOf<Self>;

    /// Returns the command for a later step, and the step's name in operation ids.
    fn command(step: Step, hold_id: String) -> (&'static str, CommandOf<Self>);

    /// True if the hold has already ended.
    fn has_ended(refusal: &RefusalOf<Self>) -> bool;

    async fn ask(
        &self,
        ports: &impl StockPorts,
        operation_id: String,
        command: CommandOf<Self>,
    ) -> Result<ReplyOf<Self::Machine>>;
}

pub(super) type CommandOf<R> = <<R as Reservation>::Machine as Machine>::Command;
pub(super) type RefusalOf<R> = <<R as Reservation>::Machine as Machine>::Refusal;

/// Takes a hold at each object in order, and counts them in `taken`. Stops at the first refusal and
/// returns it.
pub(super) async fn hold_each<'a, R: Reservation>(
    ports: &impl StockPorts,
    hold_id: &str,
    email: &str,
    reservations: &'a [R],
    taken: &mut usize,
) -> Result<Option<(&'a R, RefusalOf<R>)>> {
    for reservation in reservations {
        let command = reservation.hold(hold_id.to_owned(), email);
        let operation_id = format!("{hold_id}:hold");
        let reply = reservation.ask(ports, operation_id, command).await?;
        if let Reply::Refused { refusal } = reply {
            return Ok(Some((reservation, refusal)));
        }
        *taken = taken.saturating_add(1);
    }
    Ok(None)
}

/// Carries out a step at each object in order. Returns false if a hold can't be pinned because it
/// has ended.
pub(super) async fn step_each<'a, R: Reservation + 'a>(
    ports: &impl StockPorts,
    hold_id: &str,
    reservations: impl Iterator<Item = &'a R>,
    step: Step,
) -> Result<bool> {
    for reservation in reservations {
        let (name, command) = R::command(step, hold_id.to_owned());
        let operation_id = format!("{hold_id}:{name}");
        match reservation.ask(ports, operation_id, command).await? {
            Reply::Done { .. } => {}
            Reply::Refused { refusal } if step == Step::Pin && R::has_ended(&refusal) => {
                return Ok(false);
            }
            Reply::Refused { refusal } => {
                let object = reservation.name();
                let refused = format!("{name} of {object} for {hold_id}: {refusal:?}");
                return Err(Error::internal(refused));
            }
        }
    }
    Ok(true)
}
