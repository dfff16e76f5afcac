//! Request to place an order, and the store of checkouts.

use crate::checkout::pending::{Pending, Visitor};
use crate::codes::Code;
use crate::customers::challenge::Proof;
use crate::error::{Error, Result};
use crate::inventory::hold_refusal::MIN_RETRY_SECS;
use crate::orders::order::Order;
use crate::pricing::price_list::PriceList;
use crate::pricing::quote::Quote;
use crate::values::addresses::Address;
use crate::values::ids::{CartId, OrderId, QuoteId};
use crate::values::written::Written;
use durable::Timestamp;

/// Request to place an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Id of the order to be placed, unless the request joins another.
    pub order_id: OrderId,
    /// Cart that is ordered.
    pub cart_id: CartId,
    /// Idempotency key sent by the client.
    pub idempotency_key: String,
    /// Digest of the request, to distinguish a repeat from a different request with the same key.
    pub request_hash: String,
    /// Quote that is ordered.
    pub quote_id: QuoteId,
    /// Billing address. `None` means the quote's billing address, or else its shipping address.
    pub billing_address: Option<Address>,
    /// Random number that spreads out retries.
    pub jitter: u32,
    /// Visitor who places the order.
    pub visitor: Visitor,
}

/// Input of a checkout: its quote, and the prices and settings now in force for its SKUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutInput {
    /// Quote that is ordered.
    pub quote: Quote,
    /// Prices and settings in force.
    pub list: PriceList,
}

/// Order that a key has placed, or that has a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingOrder {
    /// Id of the order.
    pub order_id: OrderId,
    /// Idempotency key that placed it.
    pub idempotency_key: String,
    /// Digest of the request that placed it.
    pub request_hash: String,
}

/// Result of looking up a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Order placed with its key, or else the pending order of its cart.
    pub standing: Option<ExistingOrder>,
    /// Quote with current prices and settings. `None` means there is no such quote.
    pub basis: Option<CheckoutInput>,
    /// Pending orders of the visitor.
    pub pending: Pending,
}

impl Checkout {
    pub(crate) const fn retry_secs(&self) -> u32 {
        MIN_RETRY_SECS.saturating_add(self.jitter % (SPREAD_SECS + 1))
    }

    /// Name that identifies the checkout; repeats of the request share it.
    pub(crate) fn name(&self) -> String {
        format!("{}\0{}", self.cart_id, self.idempotency_key)
    }
}

/// Store of checkouts. Each write is one transaction.
pub trait Checkouts {
    /// Returns an existing order for the request, its quote, and the prices and settings now in
    /// force for its SKUs.
    async fn find_checkout(&self, checkout: &Checkout) -> Result<Found>;
    /// Writes `order` with its payment and tasks as the result of `checkout`, and returns its order
    /// number. `Lost` means that the result was decided before, or that its key or cart has another
    /// order. Fails with 429 if a limit on pending orders is reached.
    async fn place(
        &self,
        order: &Order,
        checkout: &Checkout,
        proof: Proof,
        now: Timestamp,
    ) -> Result<Written<i64>>;
    /// Records that an order is refused. `Lost` means that this was decided before, or that it was
    /// placed.
    async fn refuse_checkout(&self, order_id: &OrderId, now: Timestamp) -> Result<Written>;
}

pub(crate) const SPREAD_SECS: u32 = 4;

/// Number of the attempt to hold stock when an order is placed.
pub const FIRST_ATTEMPT: u32 = 1;

/// Returns a 503 for a request that got in another one's way.
pub(crate) const fn interrupted(checkout: &Checkout) -> Error {
    Error::Unavailable {
        code: Code::CheckoutInterrupted,
        retry_after_secs: checkout.retry_secs(),
    }
}
