//! Objects that hold something for an order: the units of a SKU, a use of a promotion. All take the
//! same steps. The id of an operation names the order, the attempt and the step, so that asking
//! again moves nothing twice.

use crate::error::{Error, Result};
use crate::inventory::ports::StockPorts;
use durable::machine::{Machine, Reply, ReplyOf};
use std::fmt::Debug;

/// Step of a hold after it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Taken off its clock, before its order can be paid.
    Pin,
    /// Given back: its order comes to nothing.
    Release,
    /// Counted as sold: its order is paid.
    Commit,
    /// Given back after that.
    Restock,
}

/// Object that holds something for an order.
pub(super) trait Reservation {
    type Machine: Machine<Refusal: Debug>;

    /// Name of the object.
    fn name(&self) -> &str;

    /// Command that begins the hold, for whoever has this mail address.
    fn hold(&self, hold_id: String, email: &str) -> CommandOf<Self>;

    /// Command of a later step, and its name in the ids of operations.
    fn command(step: Step, hold_id: String) -> (&'static str, CommandOf<Self>);

    /// True when the hold has ended on its clock.
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

/// Begins a hold at each, in their order, and counts them in `taken`; stops at the first that
/// refuses, which it returns.
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

/// Carries out a step at each, in their order; false when one can't be pinned, since it has ended
/// on its clock.
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
