//! From a quote to a placed order: a saga, since no transaction spans objects. Each step is safe to repeat and to die after.
//!
//! 1. A `checkouts` row names the order, the cart and the key, so that whatever follows can be found and resumed.
//! 2. The quote is checked against the published prices and the settings in force.
//! 3. The cart is frozen under the order's id, its lines must be the quote's; at the same time a use of every scarce promotion and the
//!    stock of every line are held, each in the order of their names, all or none: either is given back when the other is refused.
//! 4. The order is written in one transaction, together with what must follow: pinning the holds and opening the payment.
//!
//! A refusal is decided in the database before anything is given back: the order's first event is `placed` or `refused`, never
//! both, so that two requests with one key can't place and give back at once. A refused checkout is kept for a while after all
//! was given back, and then given back once more: what a request sent before it died may arrive late.

mod cart;
mod holds;
mod order;

pub use cart::{complete_cart, settle_cart, thaw_cart};
pub use holds::{HOLD_SECS, Held, hold_all, hold_id, release_all, tracked_lines};

use crate::error::{Error, Result};
use crate::shop::addresses::Address;
use crate::shop::idempotency::key_reused;
use crate::shop::orders::{Order, OrderLinks};
use crate::shop::ports::{Orders, Ports, Written};
use crate::shop::pricing::{PriceList, Quote, check_quote};
use crate::shop::settlement;
use cart::{cart_in_checkout, freeze_cart};
use durable::Timestamp;
use futures_util::future::join;
use holds::CONTENDED_RETRY_SECS;
use order::order_of;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How often a checkout is begun again because an earlier one was still being given back.
const MAX_BEGINNINGS: u32 = 3;

/// The attempt that an order is placed with.
pub const FIRST_ATTEMPT: u32 = 1;

/// What a checkout needs to be found and resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// The order it becomes.
    pub order_id: String,
    /// The cart it freezes.
    pub cart_id: String,
    /// The caller's name for this one order.
    pub idempotency_key: String,
    /// Digest of the request, to tell a repeat from another request under the same key.
    pub request_hash: String,
    /// What is ordered.
    pub quote_id: String,
    /// Who pays; none: whom the quote names, else who receives.
    pub billing_address: Option<Address>,
    /// How far it is.
    pub step: CheckoutStep,
}

/// How far a checkout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutStep {
    /// Not decided.
    Started,
    /// It is an order.
    Placed,
    /// It came to nothing; what it took is being given back.
    Refused,
    /// All was given back; its key and its cart are free.
    Returned,
}

/// What a checkout is made of: its quote, and what its SKUs would be priced from now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// What is ordered.
    pub quote: Quote,
    /// What is sold now, by which rules.
    pub list: PriceList,
}

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
/// 409 `sold_out`, `over_limit` or `contended` line by line, `quote_changed` with old and new, `quote_expired`, `promotion_not_available`,
/// `promotion_used_up`, `promotion_contended`, `cart_in_checkout` with the order that has the cart; 422 `idempotency_key_reused`, `unknown_quote`. Nothing is held or frozen after a refusal.
pub async fn place_order(
    ports: &impl Ports,
    checkout: Checkout,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<PlacedOrder> {
    let (checkout, basis) = begin(ports, checkout, now).await?;
    let replayed = checkout.step == CheckoutStep::Placed;
    let order = resume(ports, &checkout, basis, links, now).await?;
    // A provider that does not answer leaves the order without its payment link for now: the failure is noted with the task, and
    // the sweep goes on with it.
    let order = settlement::drive_or_leave(ports, order, now).await;
    Ok(PlacedOrder { order, replayed })
}

/// Takes a checkout that is under way as far as it goes: to a written order, or to nothing with all given back.
///
/// # Errors
/// The refusal; or a port's failure, after which resuming again is safe.
pub async fn resume(
    ports: &impl Ports,
    checkout: &Checkout,
    basis: Option<Basis>,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<Order> {
    if checkout.step == CheckoutStep::Placed {
        let order = ports.orders().order(&checkout.order_id).await?;
        return order.ok_or_else(|| Error::internal(format!("no order {}", checkout.order_id)));
    }
    let basis = match basis {
        Some(basis) => basis,
        None => find_basis(ports, &checkout.quote_id).await?,
    };
    match attempt(ports, checkout, &basis, links, now).await {
        Err(refusal @ (Error::Conflict { .. } | Error::Invalid(_))) => {
            let decided = ports
                .orders()
                .refuse_checkout(&checkout.order_id, now)
                .await?;
            if decided == Written::Lost {
                return decided_elsewhere(ports, checkout, &basis, now).await;
            }
            give_back(ports, checkout, &basis.quote, now).await?;
            Err(refusal)
        }
        outcome => outcome,
    }
}

/// Gives back all that a refused checkout took.
///
/// # Errors
/// A port's failure; giving back again is safe.
pub async fn return_checkout(
    ports: &impl Ports,
    checkout: &Checkout,
    now: Timestamp,
) -> Result<()> {
    let basis = find_basis(ports, &checkout.quote_id).await?;
    give_back(ports, checkout, &basis.quote, now).await
}

/// Step 1. A key that is known leads to its checkout, whatever has become of its quote since, and a cart that has a checkout to a
/// conflict with it; but one that came to nothing is given back first, and then this one begins.
async fn begin(
    ports: &impl Ports,
    checkout: Checkout,
    now: Timestamp,
) -> Result<(Checkout, Option<Basis>)> {
    let orders = ports.orders();
    for _ in 0..MAX_BEGINNINGS {
        let begun = orders.begin_checkout(&checkout, now).await?;
        let refusal = match begun {
            Written::Landed(basis) => match orderable(basis, &checkout, now) {
                Ok(basis) => return Ok((checkout, Some(basis))),
                Err(refusal) => Some(refusal),
            },
            Written::Lost => None,
        };
        let standing = orders
            .standing_checkout(&checkout.cart_id, &checkout.idempotency_key)
            .await?;
        match standing {
            Some(standing) if standing.step == CheckoutStep::Refused => {
                return_checkout(ports, &standing, now).await?;
            }
            Some(standing) if standing.idempotency_key == checkout.idempotency_key => {
                return same_request(standing, &checkout).map(|known| (known, None));
            }
            standing => match (refusal, standing) {
                (Some(refusal), _) => return Err(refusal),
                (None, Some(standing)) => return Err(cart_in_checkout(&standing.order_id)),
                (None, None) => {}
            },
        }
    }
    Err(interrupted())
}

/// The quote is this cart's, and its time is not over: what `begin_checkout` asks too.
fn orderable(basis: Option<Basis>, checkout: &Checkout, now: Timestamp) -> Result<Basis> {
    let basis = basis
        .filter(|basis| basis.quote.cart_id == checkout.cart_id)
        .ok_or_else(unknown_quote)?;
    if basis.quote.expires_at <= now {
        return Err(quote_expired(&basis.quote));
    }
    Ok(basis)
}

fn same_request(known: Checkout, asked: &Checkout) -> Result<Checkout> {
    if known.request_hash == asked.request_hash {
        return Ok(known);
    }
    Err(key_reused())
}

/// Steps 2 to 4.
async fn attempt(
    ports: &impl Ports,
    checkout: &Checkout,
    basis: &Basis,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<Order> {
    let Basis { quote, list } = basis;
    check_quote(quote, list)?;
    let order_id = &checkout.order_id;
    let wanted = (&*quote.lines, &*quote.terms.promotions);
    let (frozen, held) = join(
        freeze_cart(ports, checkout, quote, now),
        hold_all(ports, order_id, FIRST_ATTEMPT, &quote.email, wanted),
    )
    .await;
    frozen?;
    held?;
    let order = order_of(ports, checkout, quote, links, now)?;
    match ports.orders().place(&order, now).await? {
        Written::Landed(number) => Ok(Order { number, ..order }),
        Written::Lost => decided_elsewhere(ports, checkout, basis, now).await,
    }
}

/// Another request with this key was faster; what it decided holds. Where that is a refusal, what this one took after the other
/// gave back is given back too.
async fn decided_elsewhere(
    ports: &impl Ports,
    checkout: &Checkout,
    basis: &Basis,
    now: Timestamp,
) -> Result<Order> {
    if let Some(order) = ports.orders().order(&checkout.order_id).await? {
        return Ok(order);
    }
    give_back(ports, checkout, &basis.quote, now).await?;
    Err(interrupted())
}

async fn give_back(
    ports: &impl Ports,
    checkout: &Checkout,
    quote: &Quote,
    now: Timestamp,
) -> Result<()> {
    let held = (&*quote.lines, &*quote.terms.promotions);
    release_all(ports, &checkout.order_id, FIRST_ATTEMPT, held).await?;
    thaw_cart(ports, &checkout.cart_id, &checkout.order_id, now).await?;
    ports.orders().mark_returned(&checkout.order_id, now).await
}

async fn find_basis(ports: &impl Ports, quote_id: &str) -> Result<Basis> {
    let basis = ports.orders().basis(quote_id).await?;
    basis.ok_or_else(|| Error::internal(format!("no quote {quote_id}")))
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

/// 503 for who met another request with the same key on its way.
const fn interrupted() -> Error {
    Error::Unavailable {
        code: "checkout_interrupted",
        retry_after_secs: CONTENDED_RETRY_SECS,
    }
}
