//! Orders with their checkouts, payments, ledger and outbox in SQL.
//!
//! A guarded `UPDATE` that matches nothing does not abort its batch. So every transition begins
//! with an insert into `order_events` of the version read + 1, which is unique: if two transitions
//! were decided from the same version, the second one's whole batch fails. A write ends by reading
//! the result in the same transaction, so it takes one round trip.

pub mod codes;
pub mod findings;
mod gate;
mod queries;
#[cfg(test)]
mod round_trip;
mod rows;
#[cfg(test)]
pub(in crate::store) mod sqlite;
pub mod standing;
mod statements;
mod stray_payments;

pub use stray_payments::StrayPaymentsD1;

use crate::store::orders::rows::{FoundRow, InstantRow, NumberRow, OrderRow};
use crate::store::orders::statements as sql;
use crate::store::pricing::settings::{SettingsCache, known_version};
use crate::store::sql::{Database, GATE_CLOSED, SqlError, Statement, TextRow, written};
use durable::Timestamp;
use shop::checkout::pending::{check_unproved, too_many_pending_orders};
use shop::checkout::record::{Checkout, Checkouts, Found};
use shop::customers::challenge::Proof;
use shop::error::{Error, Result};
use shop::operations::sweep::bounds::NEW_ORDER_SECS;
use shop::orders::moves::Transition;
use shop::orders::order::Order;
use shop::orders::record::{DueTasks, OrderFilter, Orders, TaskOutcomes};
use shop::payments::SHORTEST_SESSION_SECS;
use shop::values::ids::OrderId;
use shop::values::written::Written;

/// [`Orders`] on a database.
#[derive(Debug)]
pub struct OrdersD1<D> {
    /// The database.
    pub db: D,
    /// Settings that were read last.
    pub known: SettingsCache,
}

impl<D: Database> Checkouts for OrdersD1<D> {
    async fn find_checkout(&self, checkout: &Checkout) -> Result<Found> {
        let statement = Statement::new(queries::FIND_CHECKOUT)
            .bind(known_version(&self.known))
            .bind(checkout.quote_id.as_str())
            .bind(checkout.cart_id.as_str())
            .bind(checkout.idempotency_key.as_str())
            .bind(checkout.visitor.network.as_str())
            .bind(gate::OTHER_UNPROVED);
        let rows: Vec<FoundRow> = self.db.query(statement).await?;
        let row = rows.into_iter().next();
        row.ok_or_else(|| Error::internal("no row for a checkout"))?
            .into_found(&self.known)
    }

    async fn place(
        &self,
        order: &Order,
        checkout: &Checkout,
        proof: Proof,
        now: Timestamp,
    ) -> Result<Written<i64>> {
        let number = Statement::new(queries::ORDER_NUMBER).bind(order.id.as_str());
        let batch = sql::place(order, checkout, proof, now)?;
        let outcome = self.db.batch_then_query(batch, number);
        match outcome.await {
            Err(SqlError::Taken(message)) if message.contains(GATE_CLOSED) => {
                Err(self.too_many(checkout, proof, now).await?)
            }
            outcome => match written(outcome)? {
                Written::Landed(rows) => first_number(rows).map(Written::Landed),
                Written::Lost => Ok(Written::Lost),
            },
        }
    }

    async fn refuse_checkout(&self, order_id: &OrderId, now: Timestamp) -> Result<Written> {
        written(self.db.batch(vec![sql::refuse(order_id, now)]).await)
    }
}

impl<D: Database> Orders for OrdersD1<D> {
    async fn order(&self, order_id: &OrderId) -> Result<Option<Order>> {
        let rows: Vec<OrderRow> = self.db.query(queries::order(order_id)).await?;
        rows.into_iter()
            .next()
            .map(OrderRow::into_order)
            .transpose()
    }

    async fn orders(&self, filter: &OrderFilter) -> Result<Vec<Order>> {
        let rows: Vec<OrderRow> = self.db.query(queries::orders(filter)?).await?;
        rows.into_iter().map(OrderRow::into_order).collect()
    }

    async fn transition(&self, transition: &Transition, now: Timestamp) -> Result<Written<Order>> {
        self.moved(&transition.order_id, sql::transition(transition, now)?)
            .await
    }

    async fn finish_round(
        &self,
        order_id: &OrderId,
        round: &TaskOutcomes,
        now: Timestamp,
    ) -> Result<Order> {
        let statements = sql::finish_round(order_id, round, now)?;
        let query = queries::order(order_id);
        first_order(self.db.batch_then_query(statements, query).await?)
    }

    async fn is_any_due(&self, now: Timestamp) -> Result<bool> {
        let statement = Statement::new(queries::ANY_DUE).bind(now);
        Ok(!self.texts(statement).await?.is_empty())
    }

    async fn take_orders_with_due_tasks(
        &self,
        which: DueTasks,
        now: Timestamp,
        taken_until: Timestamp,
        calls: u32,
    ) -> Result<Vec<OrderId>> {
        let statement = Statement::new(queries::TAKE_ORDERS_WITH_DUE_TASKS)
            .bind(now)
            .bind(taken_until)
            .bind(calls)
            .bind(i64::from(which == DueTasks::All))
            .bind(now.minus_secs(NEW_ORDER_SECS))
            .bind(now.plus_secs(SHORTEST_SESSION_SECS));
        let mut orders = self.texts(statement).await?;
        orders.sort_unstable();
        orders.dedup();
        Ok(orders.into_iter().map(OrderId::new).collect())
    }

    async fn take_overdue_orders(
        &self,
        now: Timestamp,
        again_at: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderId>> {
        let statement = Statement::new(queries::TAKE_OVERDUE_ORDERS)
            .bind(now)
            .bind(again_at)
            .bind(limit);
        let orders = self.texts(statement).await?;
        Ok(orders.into_iter().map(OrderId::new).collect())
    }
}

impl<D: Database> OrdersD1<D> {
    /// Determines which limit closed the gate.
    async fn too_many(&self, checkout: &Checkout, proof: Proof, now: Timestamp) -> Result<Error> {
        if proof == Proof::Missing {
            let query = gate::unproved_since(&checkout.visitor.network);
            let rows: Vec<InstantRow> = self.db.query(query).await?;
            let since = rows.first().map(|row| Timestamp::from_millis(row.at));
            if let Err(refusal) = check_unproved(since, now) {
                return Ok(refusal);
            }
        }
        Ok(too_many_pending_orders())
    }

    async fn moved(&self, order_id: &OrderId, batch: Vec<Statement>) -> Result<Written<Order>> {
        let outcome = self
            .db
            .batch_then_query(batch, queries::order(order_id))
            .await;
        match written(outcome)? {
            Written::Landed(rows) => first_order(rows).map(Written::Landed),
            Written::Lost => Ok(Written::Lost),
        }
    }

    async fn texts(&self, statement: Statement) -> Result<Vec<String>> {
        let rows: Vec<TextRow> = self.db.query(statement).await?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }
}

fn first_order(rows: Vec<OrderRow>) -> Result<Order> {
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::internal("an order that was written is not there"))?
        .into_order()
}

fn first_number(rows: Vec<NumberRow>) -> Result<i64> {
    rows.first()
        .map(|row| row.number)
        .ok_or_else(|| Error::internal("an order that was written has no number"))
}
