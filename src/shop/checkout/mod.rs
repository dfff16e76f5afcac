//! From a quote to a placed order: a saga, since no transaction spans objects. The cheapest refusal
//! comes first, and nothing is written to the database before everything is held. Each step is safe
//! to repeat and to die after.
//!
//! 1. One read finds the order that the key has placed, or that has the cart, and what the quote
//!    and the visitor are checked against.
//! 2. What was refused a moment ago is refused again from memory
//!    ([`Refusals`](crate::inventory::refusals::Refusals)), without asking an object. Where the
//!    shop asks for a proof ([`crate::customers::challenge`]), it is judged now: a repeat has found
//!    its order by then, and needs none.
//! 3. The cart is frozen under the order's id; its lines must be the quote's. A request with the
//!    same key joins the one that froze it: both work on one order, by the same operations.
//! 4. A use of every scarce promotion and the stock of every line are held, each in the order of
//!    their names, all or none.
//! 5. The order is written in one transaction: with its key and its cart, which no two orders
//!    share, and with what must follow, pinning the holds and opening the payment.
//!
//! A refusal gives back what was held until then, but the cart first, which tells whether another
//! request has joined. If so, the order's first event decides, which is `placed` or `refused`,
//! never both: so that none places what the other gives back. What a request leaves that dies has a
//! clock: holds lapse, and a cart left behind is set free by whoever next orders from it or changes
//! it, once it is decided in the same way that the order came to nothing; at the latest when it
//! asks after its order by itself.

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
use crate::customers::challenge::{Proof, proof_of};
use crate::error::{Error, Result, key_reused};
use crate::inventory::holds::Holds;
use crate::inventory::line_units::check_memory;
use crate::orders::links::OrderLinks;
use crate::orders::order::Order;
use crate::orders::record::Orders;
use crate::pricing::quote::Quote;
use crate::settlement::effects;
use crate::values::written::Written;
use durable::Timestamp;
use serde_json::json;

/// An order, and whether an earlier request placed it.
#[derive(Clone, Debug)]
pub struct PlacedOrder {
    /// The order in its current state.
    pub order: Order,
    /// True when an earlier request with the same key did.
    pub replayed: bool,
}

/// Places the order of `checkout`, or finds the one that its key already placed.
///
/// # Errors
/// 409 `sold_out`, `over_limit` or `contended` line by line, `quote_changed` with old and new,
/// `quote_expired`, `promotion_not_available`, `promotion_used_up`, `promotion_contended`,
/// `cart_in_checkout` with the order that has the cart; 422 `idempotency_key_reused`,
/// `unknown_quote`; 429 `too_many_pending_orders`, `too_many_unproved_orders`; 503
/// `checkout_interrupted` where another request decided otherwise. Nothing is held or frozen after
/// a refusal.
pub async fn place_order(
    ports: &impl CheckoutPorts,
    checkout: &Checkout,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<PlacedOrder> {
    let placed = find_or_place(ports, checkout, links, now).await;
    let placed = placed.map_err(|refusal| refusal.retried_in(checkout.retry_secs()))?;
    // A provider that does not answer leaves the order without its payment link for now: the
    // failure is noted with the task, and the sweep goes on with it.
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

/// The order that this key placed, in its current state.
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

/// The quote is this cart's, and its time is not over.
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

/// A checkout whose cart is frozen, and what it has taken.
struct Attempt<'a> {
    checkout: &'a Checkout,
    quote: &'a Quote,
    order_id: &'a str,
    holds: Holds<'a>,
    proof: Proof,
    now: Timestamp,
}

impl Attempt<'_> {
    /// Steps 4 and 5. None: another request was faster, and what it decided holds.
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

    /// Gives back what was taken for nothing, and refuses; but a request that joined may have
    /// placed the order meanwhile.
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

    /// The order that stands in place of this one. Where that is none, this one was decided to come
    /// to nothing.
    async fn yield_to_other(&self, ports: &impl CheckoutPorts) -> Result<PlacedOrder> {
        let found = ports.checkouts().find_checkout(self.checkout).await?;
        let Some(standing) = found.standing else {
            let refusal = interrupted(self.checkout);
            return self.come_to_nothing(ports, refusal).await;
        };
        if standing.order_id != self.order_id {
            self.let_go(ports).await?;
        }
        standing_order(ports, self.checkout, &standing).await
    }

    /// Gives back the cart and the holds.
    async fn let_go(&self, ports: &impl CheckoutPorts) -> Result<()> {
        thaw_cart(ports, &self.checkout.cart_id, self.order_id, self.now).await?;
        self.holds.give_back(ports).await
    }
}

fn unknown_quote() -> Error {
    Error::invalid(
        "quote_id",
        "unknown_quote",
        "There is no such quote for this cart.",
    )
}

fn quote_expired(quote: &Quote) -> Error {
    Error::conflict(
        "quote_expired",
        "This quote has expired; ask for a new one.",
        json!({"quote_id": quote.id}),
    )
}
