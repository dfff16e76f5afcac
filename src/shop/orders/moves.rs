//! A transition of an order as it is written: the table's outcome, its journals, and the record
//! that it creates or changes.

use crate::error::Result;
use crate::orders::findings::{Finding, FindingKind};
use crate::orders::ledger::Journal;
use crate::orders::order::{Actor, Dispute, Order, OrderEvent, Refund, RefundStatus, Task};
use crate::orders::records::{Fulfillment, Return};
use crate::orders::transitions::{Effect, Move, OrderEventKind, OrderStatus, judge};
use crate::payments::DisputeState;
use crate::values::ids::OrderId;
use crate::values::money::{Money, sum};
use durable::Timestamp;

/// A transition to be written, with everything that changes in the same transaction. It fails if
/// the order has changed in the meantime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Id of the order.
    pub order_id: OrderId,
    /// Version of the order that it was decided from.
    pub from_version: u64,
    /// Event that caused it.
    pub event: OrderEvent,
    /// Outcome from the table of transitions.
    pub outcome: Move,
    /// Attempt number of the order's holds after it.
    pub attempt: u32,
    /// Total received by the provider. `None` means unchanged.
    pub captured: Option<Money>,
    /// The provider's reference for the payment. `None` means unchanged.
    pub payment_ref: Option<String>,
    /// Journals to book.
    pub journals: Vec<Journal>,
    /// Record that it creates or changes.
    pub record: Option<OrderRecord>,
}

/// A record belonging to the order that a transition creates or changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderRecord {
    /// Request for a new payment session.
    Renewed(Renewal),
    /// Shipment of units.
    Shipped(Fulfillment),
    /// Delivery of the fulfillment with this id.
    Arrived(String),
    /// Return of units.
    Returned(Return),
    /// Promise of a refund.
    Promised(Refund),
    /// End of the refund with this id.
    RefundEnded(String, RefundStatus),
    /// A dispute that was opened or has changed.
    Disputed(Dispute),
}

/// Changes to a payment for which a new session is requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Number of the payment attempt.
    pub attempt: u32,
    /// Exact body of the request.
    pub request: String,
    /// Time at which the session ends.
    pub expires_at: Timestamp,
}

impl Transition {
    /// Returns the transition of `order` caused by `happening`. `None` means the table allows none.
    #[must_use]
    pub fn of(
        order: &Order,
        happening: OrderEventKind,
        actor: Actor,
        now: Timestamp,
    ) -> Option<Self> {
        Some(Self {
            order_id: order.id.clone(),
            from_version: order.version,
            outcome: judge(order.status, happening)?,
            event: OrderEvent {
                happening,
                actor,
                subject: None,
                note: None,
                at: now,
            },
            attempt: order.attempt,
            captured: None,
            payment_ref: None,
            journals: vec![],
            record: None,
        })
    }

    /// Adds a journal, unless it is empty.
    pub fn book(&mut self, journal: Journal) {
        if !journal.entries.is_empty() {
            self.journals.push(journal);
        }
    }

    /// Adds a note by a person.
    #[must_use]
    pub fn noted(mut self, note: Option<String>) -> Self {
        self.event.note = note;
        self
    }

    /// Adds a record that is created or changed.
    #[must_use]
    pub fn with(mut self, record: OrderRecord) -> Self {
        self.event.subject = record.id().map(str::to_owned);
        self.record = Some(record);
        self
    }

    /// Returns the tasks that follow: the table's effects, each with the id of its record where it
    /// needs one. An effect whose record is missing gives no task.
    #[must_use]
    pub fn tasks(&self) -> Vec<Task> {
        self.outcome
            .effects
            .iter()
            .filter_map(|effect| {
                let subject = match (effect, &self.record) {
                    (Effect::ShipStock, Some(OrderRecord::Shipped(it))) => it.id.clone(),
                    (Effect::RestockReturn, Some(OrderRecord::Returned(it))) if it.restock => {
                        it.id.clone()
                    }
                    (Effect::PayRefund, Some(OrderRecord::Promised(it))) => it.id.clone(),
                    (Effect::ReleaseStock, _) => self.attempt.to_string(),
                    (Effect::ReleaseAttempt, _) => self.attempt.saturating_sub(1).to_string(),
                    (Effect::SendRefund, Some(OrderRecord::RefundEnded(id, _))) => id.clone(),
                    (
                        Effect::ShipStock
                        | Effect::RestockReturn
                        | Effect::PayRefund
                        | Effect::SendRefund,
                        _,
                    ) => {
                        return None;
                    }
                    _ => String::new(),
                };
                Some(Task {
                    effect: *effect,
                    subject,
                })
            })
            .collect()
    }

    /// Returns the finding for staff. `None` means that nobody has to decide anything.
    #[must_use]
    pub fn finding(&self, now: Timestamp) -> Option<Finding> {
        let (kind, error) = match &self.record {
            _ if self.outcome.status == OrderStatus::PaymentReview
                && self.event.happening == OrderEventKind::PaidWrongAmount =>
            {
                let error = "the amount paid is not the order's total: approve or reject the order";
                (FindingKind::PaymentReview, error.to_owned())
            }
            Some(OrderRecord::RefundEnded(id, RefundStatus::Failed)) => (
                FindingKind::RefundFailed,
                format!("{id} failed: refund the customer another way"),
            ),
            Some(OrderRecord::Disputed(it)) => match it.state {
                DisputeState::Open => (
                    FindingKind::DisputeOpened,
                    format!(
                        "{} was opened: respond to it at the payment provider",
                        it.id
                    ),
                ),
                DisputeState::Lost => (
                    FindingKind::DisputeLost,
                    format!("{} was lost: the customer keeps the amount", it.id),
                ),
                DisputeState::Won => return None,
            },
            _ => return None,
        };
        Some(Finding::for_staff(kind, self.order_id.as_str(), error, now))
    }
}

impl OrderRecord {
    /// Id of the record. `None` means an order has at most one of its kind.
    fn id(&self) -> Option<&str> {
        match self {
            Self::Renewed(_) => None,
            Self::Shipped(it) => Some(&it.id),
            Self::Returned(it) => Some(&it.id),
            Self::Promised(it) => Some(&it.id),
            Self::Arrived(id) | Self::RefundEnded(id, _) => Some(id),
            Self::Disputed(it) => Some(&it.id),
        }
    }
}

/// Adds the accounting of a transition: an order that ends is unsold and its payments are promised
/// back, one that is revived is sold again, and one that a person approves is sold for the amount
/// paid.
///
/// # Errors
/// Fails if an amount overflows.
pub fn with_money(
    order: &Order,
    mut transition: Transition,
    refund_id: &str,
    now: Timestamp,
) -> Result<Transition> {
    let allowance = order.allowance()?;
    match (order.status.is_dead(), transition.outcome.status.is_dead()) {
        (true, false) => {
            transition.book(Journal::placed(&order.totals, order.currency)?);
            transition.book(order.allowed(0, allowance)?);
            return Ok(transition);
        }
        (false, true) => {
            transition.book(Journal::unsold(&order.totals, order.currency)?);
            transition.book(order.allowed(allowance, 0)?);
        }
        _ if transition.event.happening == OrderEventKind::Approved => {
            let approved = sum([allowance, order.unpaid()])?;
            transition.book(order.allowed(allowance, approved)?);
            return Ok(transition);
        }
        _ => return Ok(transition),
    }
    let Some(amount) = order.refundable() else {
        return Ok(transition);
    };
    let journal = Journal::refund_promised(amount.amount, amount.currency)?;
    transition.journals.push(journal);
    Ok(transition.with(OrderRecord::Promised(Refund {
        id: refund_id.to_owned(),
        amount,
        status: RefundStatus::Pending,
        created_at: now,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::transitions::OrderStatus;

    fn moved(happening: OrderEventKind, attempt: u32) -> Transition {
        let now = Timestamp::from_millis(0);
        Transition {
            order_id: "ord_1".into(),
            from_version: 1,
            event: OrderEvent {
                happening,
                actor: Actor::Shop,
                subject: None,
                note: None,
                at: now,
            },
            outcome: judge(OrderStatus::PendingPayment, happening).unwrap(),
            attempt,
            captured: None,
            payment_ref: None,
            journals: vec![],
            record: None,
        }
    }

    #[test]
    fn what_is_let_go_of_is_named_by_its_attempt() {
        for (happening, effect, attempt) in [
            (OrderEventKind::SessionExpired, Effect::ReleaseStock, "3"),
            (OrderEventKind::HoldLapsed, Effect::ReleaseAttempt, "2"),
        ] {
            let subject = attempt.to_owned();
            assert!(
                moved(happening, 3)
                    .tasks()
                    .contains(&Task { effect, subject })
            );
        }
    }
}
