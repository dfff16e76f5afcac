//! A move of an order as it is written: the row of the table, the money that goes with it, and the
//! record it begins or changes.

use crate::error::Result;
use crate::orders::findings::{Finding, FindingKind};
use crate::orders::ledger::Journal;
use crate::orders::order::{Actor, Dispute, Order, OrderEvent, Refund, RefundStatus, Task};
use crate::orders::records::{Fulfillment, Return};
use crate::orders::transitions::{Effect, Move, OrderEventKind, OrderStatus, judge};
use crate::payments::DisputeState;
use crate::values::money::{Money, sum};
use durable::Timestamp;

/// A move to be written, unless the order has moved in the meantime, with all that changes in the
/// same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Which order.
    pub order_id: String,
    /// The version it was judged at.
    pub from_version: u64,
    /// What happened.
    pub event: OrderEvent,
    /// What the table says.
    pub outcome: Move,
    /// The attempt of its holds from now on.
    pub attempt: u32,
    /// What the provider has received, if that is new.
    pub captured: Option<Money>,
    /// By which name the provider knows that, if that is new.
    pub payment_ref: Option<String>,
    /// What is booked.
    pub journals: Vec<Journal>,
    /// A record that begins or changes.
    pub record: Option<OrderRecord>,
}

/// A record beside the order that a move begins or changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderRecord {
    /// The session is asked for anew.
    Renewed(Renewal),
    /// Units leave.
    Shipped(Fulfillment),
    /// A fulfilment has arrived.
    Arrived(String),
    /// Units came back.
    Returned(Return),
    /// Money is promised back.
    Promised(Refund),
    /// A promise ended.
    RefundEnded(String, RefundStatus),
    /// A dispute began or moved.
    Disputed(Dispute),
}

/// What changes of a payment whose session is asked for anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Of the payment.
    pub attempt: u32,
    /// The exact request.
    pub request: String,
    /// When the session ends.
    pub expires_at: Timestamp,
}

impl Transition {
    /// What `happening` does to `order`; none when the table says nothing.
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

    /// Adds a journal, unless it says nothing.
    pub fn book(&mut self, journal: Journal) {
        if !journal.entries.is_empty() {
            self.journals.push(journal);
        }
    }

    /// With a person's words.
    #[must_use]
    pub fn noted(mut self, note: Option<String>) -> Self {
        self.event.note = note;
        self
    }

    /// With a record that begins or changes.
    #[must_use]
    pub fn with(mut self, record: OrderRecord) -> Self {
        self.event.subject = record.id().map(str::to_owned);
        self.record = Some(record);
        self
    }

    /// What is to be carried out after it: the table's effects, those about a record with the
    /// record's id. No record, nothing to do.
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

    /// What staff are told of it; none when nobody has to decide anything.
    #[must_use]
    pub fn finding(&self, now: Timestamp) -> Option<Finding> {
        let (kind, error) = match &self.record {
            _ if self.outcome.status == OrderStatus::PaymentReview
                && self.event.happening == OrderEventKind::PaidWrongAmount =>
            {
                let error = "what was paid is not what was ordered: approve or reject the order";
                (FindingKind::PaymentReview, error.to_owned())
            }
            Some(OrderRecord::RefundEnded(id, RefundStatus::Failed)) => (
                FindingKind::RefundFailed,
                format!("{id} was not given back: refund it by another way"),
            ),
            Some(OrderRecord::Disputed(it)) => match it.state {
                DisputeState::Open => (
                    FindingKind::DisputeOpened,
                    format!("{} was opened: answer it at the payment provider", it.id),
                ),
                DisputeState::Lost => (
                    FindingKind::DisputeLost,
                    format!("{} was lost: the money is gone", it.id),
                ),
                DisputeState::Won => return None,
            },
            _ => return None,
        };
        Some(Finding::for_staff(kind, self.order_id.as_str(), error, now))
    }
}

impl OrderRecord {
    /// None: it is the order's only one.
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

/// Adds to a move what it means for the money: an order that dies is unsold, and what was received
/// for it is promised back; one that comes back to life is sold again; one that a person approves
/// is sold for what was paid.
///
/// # Errors
/// When amounts do not fit.
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
