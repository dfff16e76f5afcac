//! A request for an order, and the record of what it finds and comes to.

use crate::checkout::pending::{Pending, Visitor};
use crate::customers::challenge::Proof;
use crate::error::{Error, Result};
use crate::inventory::hold_refusal::MIN_RETRY_SECS;
use crate::orders::order::Order;
use crate::pricing::price_list::PriceList;
use crate::pricing::quote::Quote;
use crate::values::addresses::Address;
use crate::values::written::Written;
use durable::Timestamp;

/// A request for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// The order that it becomes, unless it joins another request.
    pub order_id: String,
    /// The cart that it freezes.
    pub cart_id: String,
    /// The caller's name for this one order.
    pub idempotency_key: String,
    /// Digest of the request, to tell a repeat from another request under the same key.
    pub request_hash: String,
    /// The quote that is ordered.
    pub quote_id: String,
    /// The address of whoever pays. None means the one that the quote names, else that of whoever
    /// receives.
    pub billing_address: Option<Address>,
    /// A random number, to spread those who are to try again.
    pub jitter: u32,
    /// Whoever orders.
    pub visitor: Visitor,
}

/// The input of a checkout: its quote, and the prices and rules in force for its SKUs now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutInput {
    /// The quote that is ordered.
    pub quote: Quote,
    /// Prices and rules in force.
    pub list: PriceList,
}

/// The order that a key has placed, or that has a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingOrder {
    /// The order.
    pub order_id: String,
    /// The key that placed it.
    pub idempotency_key: String,
    /// Digest of the request that placed it.
    pub request_hash: String,
}

/// State that a request for an order meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The order of its key, else the pending one of its cart.
    pub standing: Option<ExistingOrder>,
    /// None: there is no such quote.
    pub basis: Option<CheckoutInput>,
    /// Pending orders of whoever orders.
    pub pending: Pending,
}

impl Checkout {
    pub(crate) const fn retry_secs(&self) -> u32 {
        MIN_RETRY_SECS.saturating_add(self.jitter % (SPREAD_SECS + 1))
    }

    /// Name that no other checkout has, and its repeats have.
    pub(crate) fn name(&self) -> String {
        format!("{}\0{}", self.cart_id, self.idempotency_key)
    }
}

/// Checkouts: what a request finds, and what it comes to. Each write is one transaction.
pub trait Checkouts {
    /// The order that stands for a request already, its quote, and what its SKUs would be priced
    /// from now.
    async fn find_checkout(&self, checkout: &Checkout) -> Result<Found>;
    /// Writes `order` with its payment and tasks as what `checkout` has come to, and returns the
    /// number that it was given; lost when that was decided before, or its key or its cart has
    /// another order. Fails with 429 where as much is pending as may be.
    async fn place(
        &self,
        order: &Order,
        checkout: &Checkout,
        proof: Proof,
        now: Timestamp,
    ) -> Result<Written<i64>>;
    /// Decides that an order comes to nothing; lost when that was decided before, or it was placed.
    async fn refuse_checkout(&self, order_id: &str, now: Timestamp) -> Result<Written>;
}

pub(crate) const SPREAD_SECS: u32 = 4;

/// The attempt that an order is placed with.
pub const FIRST_ATTEMPT: u32 = 1;

/// 503 for who met another request on its way.
pub(crate) const fn interrupted(checkout: &Checkout) -> Error {
    Error::Unavailable {
        code: "checkout_interrupted",
        retry_after_secs: checkout.retry_secs(),
    }
}
