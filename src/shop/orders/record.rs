//! The record of orders.

use crate::error::Result;
use crate::orders::moves::Transition;
use crate::orders::order::{Order, Task};
use crate::orders::transitions::OrderStatus;
use crate::payments::Session;
use crate::values::written::Written;
use durable::Timestamp;

/// Filter of a list of orders, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only those placed from this cart.
    pub cart_id: Option<String>,
    /// Only those that stand so.
    pub status: Option<OrderStatus>,
    /// Only the one that people call so.
    pub number: Option<i64>,
    /// Only those placed before the order with this id.
    pub before: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// The outcomes of a round of tasks.
#[derive(Clone, Debug, Default)]
pub struct TaskOutcomes {
    /// Carried out.
    pub done: Vec<Task>,
    /// Failed, and why: to be tried again later.
    pub failed: Vec<(Task, String)>,
    /// The session that was opened on the way.
    pub opened: Option<Session>,
}

/// Choice of due tasks to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueTasks {
    /// All: first those of new orders that wait for their payment page, the newest first; then the
    /// others, the oldest first.
    All,
    /// None of orders that wait for their payment page, the oldest first.
    ButPayments,
}

/// Orders and what must follow from them. Each write is one transaction.
pub trait Orders {
    /// An order with everything that belongs to it.
    async fn order(&self, order_id: &str) -> Result<Option<Order>>;
    /// Orders, the newest first.
    async fn orders(&self, filter: &OrderFilter) -> Result<Vec<Order>>;
    /// Moves an order on; lost when it is no longer at the version it was judged at.
    async fn transition(&self, transition: &Transition, now: Timestamp) -> Result<Written<Order>>;
    /// Notes how a round of tasks went.
    async fn finish_round(
        &self,
        order_id: &str,
        round: &TaskOutcomes,
        now: Timestamp,
    ) -> Result<Order>;
    /// True when any order has tasks due by `now`, or a payment that has to be looked at.
    async fn is_any_due(&self, now: Timestamp) -> Result<bool>;
    /// Takes orders that have tasks due by `now`: nobody else is given them before `taken_until`.
    /// They are about as many as `calls` to the payment provider drive: a session whose request is
    /// too old takes two, anything else one at most.
    async fn take_orders_with_due_tasks(
        &self,
        which: DueTasks,
        now: Timestamp,
        taken_until: Timestamp,
        calls: u32,
    ) -> Result<Vec<String>>;
    /// Pending orders whose payment has to be looked at by `now`, those first that wait longest;
    /// the next look is at `again_at`.
    async fn take_overdue_orders(
        &self,
        now: Timestamp,
        again_at: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>>;
}
