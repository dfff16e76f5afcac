//! Store of orders.

use crate::error::Result;
use crate::orders::moves::Transition;
use crate::orders::order::{Order, Task};
use crate::orders::transitions::OrderStatus;
use crate::payments::Session;
use crate::values::ids::{CartId, OrderId};
use crate::values::written::Written;
use durable::Timestamp;

/// Filter for a list of orders, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only orders placed from this cart.
    pub cart_id: Option<CartId>,
    /// Only orders with this status.
    pub status: Option<OrderStatus>,
    /// Only the order with this number.
    pub number: Option<i64>,
    /// Only orders placed before the order with this id.
    pub before: Option<OrderId>,
    /// Maximum number of orders.
    pub limit: u32,
}

/// Outcomes of one round of tasks.
#[derive(Clone, Debug, Default)]
pub struct TaskOutcomes {
    /// Tasks carried out.
    pub done: Vec<Task>,
    /// Tasks that failed, with the reason; they are retried later.
    pub failed: Vec<(Task, String)>,
    /// Payment session opened in this round.
    pub opened: Option<Session>,
}

/// Choice of due tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueTasks {
    /// All tasks: first those of new orders waiting for their payment page, newest first; then the
    /// others, oldest first.
    All,
    /// All but the tasks of orders waiting for their payment page, oldest first.
    ButPayments,
}

/// Store of orders and of the tasks that follow from their transitions. Each write is one
/// transaction.
pub trait Orders {
    /// Returns an order with everything that belongs to it.
    async fn order(&self, order_id: &OrderId) -> Result<Option<Order>>;
    /// Returns orders, newest first.
    async fn orders(&self, filter: &OrderFilter) -> Result<Vec<Order>>;
    /// Writes a transition. `Lost` means that the order is no longer at the version it was decided
    /// from.
    async fn transition(&self, transition: &Transition, now: Timestamp) -> Result<Written<Order>>;
    /// Records the outcomes of a round of tasks.
    async fn finish_round(
        &self,
        order_id: &OrderId,
        round: &TaskOutcomes,
        now: Timestamp,
    ) -> Result<Order>;
    /// True if any order has a task due by `now`, or a payment that must be checked.
    async fn is_any_due(&self, now: Timestamp) -> Result<bool>;
    /// Claims orders with tasks due by `now`; no other caller gets them before `taken_until`. The
    /// number is chosen so that they need about `calls` requests to the payment provider: two for a
    /// session whose request is too old, at most one for anything else.
    async fn take_orders_with_due_tasks(
        &self,
        which: DueTasks,
        now: Timestamp,
        taken_until: Timestamp,
        calls: u32,
    ) -> Result<Vec<OrderId>>;
    /// Claims pending orders whose payment must be checked by `now`, longest-waiting first; their
    /// next check is at `again_at`.
    async fn take_overdue_orders(
        &self,
        now: Timestamp,
        again_at: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderId>>;
}
