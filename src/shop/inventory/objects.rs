//! The objects that count stock and uses of promotions.

use crate::error::Result;
use durable::board::Posts;
use durable::machine::{Checkup, Entry};
use durable::promotion::View;
use durable::{promotion, stock};

/// Uses of a promotion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// By all.
    pub all: View,
    /// By one customer.
    pub of_customer: u32,
}

/// One object per SKU.
pub trait StockObjects {
    /// Carries out `command` once per `operation_id`.
    async fn ask(
        &self,
        sku: &str,
        operation_id: String,
        command: stock::Command,
    ) -> Result<stock::Reply>;
    /// The stock as it stands.
    async fn view(&self, sku: &str) -> Result<stock::View>;
}

/// One object per promotion that can be used up.
pub trait PromotionObjects {
    /// Carries out `command` once per `operation_id`.
    async fn ask(
        &self,
        id: &str,
        operation_id: String,
        command: promotion::Command,
    ) -> Result<promotion::Reply>;
    /// Its uses, by all and by a customer.
    async fn uses(&self, id: &str, customer: &str) -> Result<Uses>;
}

/// A stock object as staff ask it.
pub trait StockLedgers {
    /// Movements before number `before`, newest first.
    async fn movements(
        &self,
        sku: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StockMovement>>;
    /// Compares the counters with the movements.
    async fn check(&self, sku: &str) -> Result<Checkup<stock::View>>;
    /// Sets the counters to what the movements tell; returns what was found.
    async fn repair(&self, sku: &str) -> Result<Checkup<stock::View>>;
}

/// An entry of a stock object's log, its events as the object wrote them.
pub type StockMovement = Entry<serde_json::Value>;

/// The objects that show what the public may know.
pub trait Boards {
    /// Shows `posts`, where they are newer than what is shown.
    async fn post(&self, bucket: u32, posts: &Posts) -> Result<()>;
}
