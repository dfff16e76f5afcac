//! Objects that count stock and uses of promotions.

use crate::error::Result;
use crate::values::ids::Sku;
use durable::board::Posts;
use durable::machine::{Checkup, Entry};
use durable::promotion::View;
use durable::{promotion, stock};

/// Number of uses of a promotion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Uses by all customers.
    pub all: View,
    /// Uses by one customer.
    pub of_customer: u32,
}

/// Stock objects, one per SKU.
pub trait StockObjects {
    /// Carries out `command` once per `operation_id`.
    async fn ask(
        &self,
        sku: &Sku,
        operation_id: String,
        command: stock::Command,
    ) -> Result<stock::Reply>;
    /// Returns the current stock.
    async fn view(&self, sku: &Sku) -> Result<stock::View>;
}

/// Promotion objects, one per limited promotion.
pub trait PromotionObjects {
    /// Carries out `command` once per `operation_id`.
    async fn ask(
        &self,
        id: &str,
        operation_id: String,
        command: promotion::Command,
    ) -> Result<promotion::Reply>;
    /// Returns the uses by all customers and by one.
    async fn uses(&self, id: &str, customer: &str) -> Result<Uses>;
}

/// Access of staff to a stock object's movements.
pub trait StockLedgers {
    /// Returns movements numbered below `before`, newest first.
    async fn movements(
        &self,
        sku: &Sku,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StockMovement>>;
    /// Compares the counters with the movements.
    async fn check(&self, sku: &Sku) -> Result<Checkup<stock::View>>;
    /// Sets the counters to the sums of the movements, and returns the result of the check.
    async fn repair(&self, sku: &Sku) -> Result<Checkup<stock::View>>;
}

/// An entry in a stock object's log, with events in the form the object wrote them.
pub type StockMovement = Entry<serde_json::Value>;

/// Boards: objects that show availability to the public.
pub trait Boards {
    /// Shows `posts` that are newer than what is shown.
    async fn post(&self, bucket: u32, posts: &Posts) -> Result<()>;
}
