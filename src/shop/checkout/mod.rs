//! Checkout, from a quote to a placed order. It is a saga, since no transaction spans several
//! objects. The cheapest checks come first, and nothing is written to the database before
//! everything is held. Each step is safe to repeat, and a request may die after any of them.
//!
//! 1. One read fetches the order that the key has placed or that has the cart, and everything
//!    needed to check the quote and the visitor.
//! 2. What was refused a moment ago is refused again from memory
//!    ([`Refusals`](crate::inventory::refusals::Refusals)), without asking an object. If the shop
//!    requires a challenge ([`crate::customers::challenge`]), its solution is verified now; a
//!    repeated request has found its order by then and needs none.
//! 3. The cart is frozen under the order's id; its lines must match the quote's. A request with the
//!    same key joins the one that froze the cart: both work on one order, with the same operations.
//! 4. One use of every limited promotion, and the stock of every line, are held in alphabetical
//!    order, all or nothing.
//! 5. The order is written in one transaction, with its key and its cart, which no two orders
//!    share, and with the tasks that follow: pinning the holds and opening the payment.
//!
//! After a refusal everything held is released, but first the cart is thawed, which reveals whether
//! another request has joined. If one has, the order's first event decides: it is either `placed`
//! or `refused`, never both, so that no request places an order whose holds another is releasing.
//! The state that a dying request leaves behind expires by itself: holds lapse, and an abandoned
//! cart is freed once the order has been recorded as refused in the same way. That happens when
//! someone next orders from the cart or changes it, and at the latest when the cart itself asks
//! about its order.

pub mod checking;
pub mod code_tries;
pub mod freezing;
mod order;
pub mod pending;
pub mod ports;
pub mod quoting;
pub mod record;

use crate::cart::of_order::thaw_cart;
use crate::checkout::checking::check_quote;
use crate::checkout::freezing::{cart_in_checkout, check_lines, freeze_cart, leave_cart};
use crate::checkout::order::order_of;
use crate::checkout::pending::Visitor;
use crate::checkout::ports::CheckoutPorts;
use crate::checkout::record::{
    Checkout, CheckoutInput, Checkouts, ExistingOrder, FIRST_ATTEMPT, interrupted,
};
use crate::codes::Code;
use crate::customers::challenge::{Proof, proof_of};
use crate::error::{Error, Result, key_reused};
use crate::inventory::holds::Holds;
use crate::inventory::line_units::check_memory;
use crate::orders::links::OrderLinks;
use crate::orders::order::Order;
use crate::orders::record::Orders;
use crate::pricing::quote::Quote;
use crate::settlement::effects;
use crate::values::ids::OrderId;
use crate::values::written::Written;
use durable::Timestamp;
use serde_json::json;

/// Result of placing an order.
#[derive(Clone, Debug)]
pub struct PlacedOrder {
    /// The order in its current state.
    pub order: Order,
    /// True if an earlier request with the same key placed it.
    pub replayed: bool,
}

/// Places the order of `checkout`, or returns the one that its key already placed.
///
/// # Errors
/// 409 `sold_out`, `over_limit` or `contended` line by line, `quote_changed` with old and new
/// values, `quote_expired`, `promotion_not_available`, `promotion_used_up`, `promotion_contended`,
/// `cart_in_checkout` with the order that has the cart; 422 `idempotency_key_reused`,
/// `unknown_quote`; 429 `too_many_pending_orders`, `too_many_unproved_orders`; 503
/// `checkout_interrupted` if another request decided otherwise. Nothing is held or frozen after a
/// refusal.
pub async fn place_order(
    ports: &impl CheckoutPorts,
    checkout: &Checkout,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<PlacedOrder> {
    let placed = find_or_place(ports, checkout, links, now).await;
    let placed = placed.map_err(|refusal| refusal.retried_in(checkout.retry_secs()))?;
    // If the provider does not answer, the order has no payment link for now: the failure is
    // recorded with the task, and the sweep retries it.
    let order = effects::drive_or_leave(ports, placed.order, now).await;
    Ok(PlacedOrder { order, ..placed })
}

async fn find_or_place(
    ports: &impl CheckoutPorts,
    checkout: &Checkout,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<PlacedOrder> {
    let found = ports.checkouts().find_checkout(checkout).await?;
    if let Some(standing) = found.standing {
        return standing_order(ports, checkout, &standing).await;
    }
    let CheckoutInput { quote, list } = orderable(found.basis, checkout, now)?;
    check_quote(&quote, &list)?;
    let Visitor {
        limits, solution, ..
    } = &checkout.visitor;
    found.pending.check(*limits, &quote.lines)?;
    check_memory(ports, &quote.lines)?;
    let proof = proof_of(ports.challenge(), solution.as_ref(), &checkout.name()).await;
    found.pending.check_network(*limits, proof, now)?;
    let frozen = freeze_cart(ports, checkout, now).await?;
    let held = (&*quote.lines, &*quote.terms.promotions);
    let mut attempt = Attempt {
        checkout,
        quote: &quote,
        order_id: &frozen.order_id,
        holds: Holds::new(&frozen.order_id, FIRST_ATTEMPT, held),
        proof,
        now,
    };
    match attempt.place(ports, &frozen.cart, links).await {
        Ok(Some(order)) => Ok(PlacedOrder {
            order,
            replayed: false,
        }),
        Ok(None) => attempt.yield_to_other(ports).await,
        Err(refusal @ (Error::Conflict { .. } | Error::Invalid(_) | Error::TooMany { .. })) => {
            attempt.come_to_nothing(ports, refusal).await
        }
        Err(failure) => Err(failure),
    }
}

/// Returns the order that this key placed, in its current state.
async fn standing_order(
    ports: &impl CheckoutPorts,
    checkout: &Checkout,
    standing: &ExistingOrder,
) -> Result<PlacedOrder> {
    let order_id = &standing.order_id;
    if standing.idempotency_key != checkout.idempotency_key {
        return Err(cart_in_checkout(order_id));
    }
    if standing.request_hash != checkout.request_hash {
        return Err(key_reused());
    }
    let order = ports.orders().order(order_id).await?;
    let order = order.ok_or_else(|| Error::internal(format!("no order {order_id}")))?;
    Ok(PlacedOrder {
        order,
        replayed: true,
    })
}

/// Checks that the quote belongs to this cart and has not expired.
fn orderable(
    basis: Option<CheckoutInput>,
    checkout: &Checkout,
    now: Timestamp,
) -> Result<CheckoutInput> {
    let basis = basis
        .filter(|basis| basis.quote.cart_id == checkout.cart_id)
        .ok_or_else(unknown_quote)?;
    if basis.quote.expires_at <= now {
        return Err(quote_expired(&basis.quote));
    }
    Ok(basis)
}

/// A checkout whose cart is frozen, with everything it holds.
struct Attempt<'a> {
    checkout: &'a Checkout,
    quote: &'a Quote,
    order_id: &'a OrderId,
    holds: Holds<'a>,
    proof: Proof,
    now: Timestamp,
}

impl Attempt<'_> {
    /// Steps 4 and 5. `None` means that another request decided the order's fate first.
    async fn place(
        &mut self,
        ports: &impl CheckoutPorts,
        cart: &durable::cart::Cart,
        links: &OrderLinks,
    ) -> Result<Option<Order>> {
        let Self {
            checkout,
            quote,
            order_id,
            proof,
            now,
            ..
        } = *self;
        check_lines(quote, cart)?;
        self.holds.take(ports, &quote.email).await?;
        let order = order_of(ports, checkout, order_id, quote, links, now)?;
        match ports
            .checkouts()
            .place(&order, checkout, proof, now)
            .await?
        {
            Written::Landed(number) => Ok(Some(Order { number, ..order })),
            Written::Lost => Ok(None),
        }
    }

    /// Releases everything held and returns the refusal, unless a request that joined has placed
    /// the order in the meantime.
    async fn come_to_nothing(
        &self,
        ports: &impl CheckoutPorts,
        refusal: Error,
    ) -> Result<PlacedOrder> {
        if leave_cart(ports, self.checkout, self.order_id).await? {
            self.holds.give_back(ports).await?;
            return Err(refusal);
        }
        let checkouts = ports.checkouts();
        let decided = checkouts.refuse_checkout(self.order_id, self.now).await?;
        if decided == Written::Lost
            && let Some(order) = ports.orders().order(self.order_id).await?
        {
            return Ok(PlacedOrder {
                order,
                replayed: true,
            });
        }
        self.let_go(ports).await?;
        Err(refusal)
    }

    /// Returns the order placed by another request. If there is none, this one was recorded as
    /// refused.
    async fn yield_to_other(&self, ports: &impl CheckoutPorts) -> Result<PlacedOrder> {
        let found = ports.checkouts().find_checkout(self.checkout).await?;
        let Some(standing) = found.standing else {
            let refusal = interrupted(self.checkout);
            return self.come_to_nothing(ports, refusal).await;
        };
        if standing.order_id != *self.order_id {
            self.let_go(ports).await?;
        }
        standing_order(ports, self.checkout, &standing).await
    }

    /// Thaws the cart and releases the holds.
    async fn let_go(&self, ports: &impl CheckoutPorts) -> Result<()> {
        thaw_cart(ports, &self.checkout.cart_id, self.order_id, self.now).await?;
        self.holds.give_back(ports).await
    }
}

fn unknown_quote() -> Error {
    Error::invalid(
        "quote_id",
        Code::UnknownQuote,
        "There is no such quote for this cart.",
    )
}

fn quote_expired(quote: &Quote) -> Error {
    Error::conflict(
        Code::QuoteExpired,
        "This quote has expired. Request a new one.",
        json!({"quote_id": quote.id}),
    )
}
