//! From a quote to a placed order: a saga, since no transaction spans objects. Each step is safe to repeat and to die after.
//!
//! 1. A `checkouts` row names the order, the cart and the key, so that whatever follows can be found and resumed.
//! 2. The cart is frozen under the order's id; its lines must be the quote's.
//! 3. The quote is checked against the published prices.
//! 4. The stock of every line is held, in SKU order, all or none.
//! 5. The order is written in one transaction, together with what must follow: pinning the holds and opening the payment.
//!
//! A refusal is decided in the database before anything is given back: the order's first event is `placed` or `refused`, never
//! both, so that two requests with one key can't place and give back at once. A refused checkout is kept for a while after all
//! was given back, and then given back once more: what a request sent before it died may arrive late.

use crate::error::{Error, Result};
use crate::shop::addresses::Address;
use crate::shop::orders::{Order, OrderLinks, Payment, Task};
use crate::shop::payments::{NewSession, PaymentStatus, SESSION_SECS, SessionItem};
use crate::shop::ports::{CartObjects, Orders, Payments, Ports, StockObjects, Written};
use crate::shop::pricing::{Listing, Quote, QuoteLine, check_quote, quote_changed};
use crate::shop::settlement;
use crate::shop::stock::customer_of;
use crate::shop::transitions::{Effect, Status};
use durable::machine::Reply;
use durable::{Timestamp, cart, stock};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Seconds that a hold waits for its order to be written and pinned.
pub const HOLD_SECS: u32 = 10 * 60;

/// Seconds after which a shopper who met a held unit should try again.
const CONTENDED_RETRY_SECS: u32 = 2;

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
    /// Who pays; none: who receives.
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

/// What a checkout is made of: its quote, and what is published now under the SKUs of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// What is ordered.
    pub quote: Quote,
    /// What is sold now.
    pub listings: BTreeMap<String, Listing>,
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
/// 409 `sold_out` or `contended` line by line, `quote_changed` with old and new, `quote_expired`, `cart_in_checkout` with the
/// order that has the cart; 422 `idempotency_key_reused`, `unknown_quote`. Nothing is held or frozen after a refusal.
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
            give_back(ports, checkout, &basis.quote.lines, now).await?;
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
    give_back(ports, checkout, &basis.quote.lines, now).await
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
    Err(Error::invalid(
        "Idempotency-Key",
        "idempotency_key_reused",
        "This key was used for another request; take a new one.",
    ))
}

/// Steps 2 to 5.
async fn attempt(
    ports: &impl Ports,
    checkout: &Checkout,
    basis: &Basis,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<Order> {
    let Basis { quote, listings } = basis;
    freeze_cart(ports, checkout, quote, now).await?;
    check_quote(quote, listings)?;
    hold_lines(
        ports,
        &checkout.order_id,
        FIRST_ATTEMPT,
        &quote.email,
        &quote.lines,
    )
    .await?;
    let order = order_of(ports, checkout, quote, links, now)?;
    match ports.orders().place(&order, now).await? {
        Written::Landed(order) => Ok(order),
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
    give_back(ports, checkout, &basis.quote.lines, now).await?;
    Err(interrupted())
}

async fn freeze_cart(
    ports: &impl Ports,
    checkout: &Checkout,
    quote: &Quote,
    now: Timestamp,
) -> Result<()> {
    let frozen = match ask_to_freeze(ports, checkout).await? {
        Reply::Refused {
            refusal: cart::Refusal::FrozenBy { order_id },
        } => {
            free_cart(ports, &checkout.cart_id, &order_id, now).await?;
            ask_to_freeze(ports, checkout).await?
        }
        reply => reply,
    };
    let frozen = match frozen {
        Reply::Done { view, .. } => view,
        Reply::Refused {
            refusal: cart::Refusal::FrozenBy { order_id },
        } => return Err(cart_in_checkout(&order_id)),
        Reply::Refused { .. } => {
            return Err(Error::invalid("cart", "cart_empty", "The cart is empty."));
        }
    };
    let ordered = quote
        .lines
        .iter()
        .map(|line| (line.sku.as_str(), line.quantity));
    let in_cart = frozen
        .lines
        .iter()
        .map(|line| (line.sku.as_str(), line.quantity));
    if ordered.eq(in_cart) {
        return Ok(());
    }
    Err(quote_changed(
        "The cart has changed since this quote; ask for a new one.",
        json!({}),
    ))
}

async fn ask_to_freeze(ports: &impl Ports, checkout: &Checkout) -> Result<cart::Reply> {
    let command = cart::Command {
        if_version: None,
        change: cart::Change::Freeze {
            order_id: checkout.order_id.clone(),
        },
    };
    let operation_id = format!("{}:freeze", checkout.order_id);
    ports
        .carts()
        .ask(&checkout.cart_id, operation_id, command)
        .await
}

/// Carries out what an order that no longer has the cart owes it: an outage may have kept it from doing so by itself.
///
/// # Errors
/// 409 `cart_in_checkout` while that order is under way.
async fn free_cart(
    ports: &impl Ports,
    cart_id: &str,
    order_id: &str,
    now: Timestamp,
) -> Result<()> {
    match ports.orders().order(order_id).await? {
        Some(order) if order.status.is_dead() => thaw_cart(ports, cart_id, order_id, now).await,
        Some(order) if order.status.is_sold() => complete_cart(ports, cart_id, order_id).await,
        _ => Err(cart_in_checkout(order_id)),
    }
}

/// Holds every tracked line, in SKU order; stops at the first refusal and tells of all lines that are short.
///
/// # Errors
/// 409 `sold_out` or `contended`. What was held until then is still held: the caller gives it back.
pub async fn hold_lines(
    ports: &impl Ports,
    order_id: &str,
    attempt: u32,
    email: &str,
    lines: &[QuoteLine],
) -> Result<()> {
    let customer = customer_of(email);
    let mut tracked = tracked_lines(lines).into_iter();
    let mut short = Vec::new();
    for line in tracked.by_ref() {
        let command = stock::Command::Hold {
            hold_id: hold_id(order_id, attempt),
            quantity: line.quantity,
            ttl_secs: HOLD_SECS,
            customer: Some(customer.clone()),
        };
        let operation_id = format!("{}:hold", hold_id(order_id, attempt));
        match ports.stock().ask(&line.sku, operation_id, command).await? {
            Reply::Done { .. } => {}
            Reply::Refused { refusal } => {
                short.push(ShortLine::of_refusal(&line.sku, &refusal)?);
                break;
            }
        }
    }
    if short.is_empty() {
        return Ok(());
    }
    for line in tracked {
        let view = ports.stock().view(&line.sku).await?;
        short.extend(ShortLine::of_view(line, &view));
    }
    Err(short_stock(&short))
}

/// The id of an order's hold on each of its SKUs.
#[must_use]
pub fn hold_id(order_id: &str, attempt: u32) -> String {
    format!("{order_id}:{attempt}")
}

/// The lines whose units are held, in SKU order: two checkouts that want the same SKUs ask in the same order.
#[must_use]
pub fn tracked_lines(lines: &[QuoteLine]) -> Vec<&QuoteLine> {
    let mut tracked: Vec<&QuoteLine> = lines.iter().filter(|line| line.tracked).collect();
    tracked.sort_by(|a, b| a.sku.cmp(&b.sku));
    tracked
}

/// Releases what `attempt` of an order holds, on every line: a hold that is still on its way meets the tombstone.
///
/// # Errors
/// A port's failure; releasing again is safe.
pub async fn release_lines(
    ports: &impl Ports,
    order_id: &str,
    attempt: u32,
    lines: &[QuoteLine],
) -> Result<()> {
    for line in tracked_lines(lines) {
        let hold_id = hold_id(order_id, attempt);
        let operation_id = format!("{hold_id}:release");
        let command = stock::Command::Release { hold_id };
        let reply = ports.stock().ask(&line.sku, operation_id, command).await?;
        if let Reply::Refused { refusal } = reply {
            return Err(Error::internal(format!(
                "release of {order_id}: {refusal:?}"
            )));
        }
    }
    Ok(())
}

/// Thaws the cart that an order has frozen. Each time counts anew: an earlier one may have come before the freeze.
///
/// # Errors
/// A port's failure; thawing again is safe.
pub async fn thaw_cart(
    ports: &impl Ports,
    cart_id: &str,
    order_id: &str,
    now: Timestamp,
) -> Result<()> {
    let command = cart::Command {
        if_version: None,
        change: cart::Change::Thaw {
            order_id: order_id.to_owned(),
        },
    };
    ports
        .carts()
        .ask(
            cart_id,
            format!("{order_id}:thaw:{}", now.as_millis()),
            command,
        )
        .await?;
    Ok(())
}

/// Takes the bought lines out of the cart that an order has frozen.
///
/// # Errors
/// A port's failure; asking again is safe.
pub async fn complete_cart(ports: &impl Ports, cart_id: &str, order_id: &str) -> Result<()> {
    let command = cart::Command {
        if_version: None,
        change: cart::Change::Complete {
            order_id: order_id.to_owned(),
        },
    };
    ports
        .carts()
        .ask(cart_id, format!("{order_id}:complete"), command)
        .await?;
    Ok(())
}

async fn give_back(
    ports: &impl Ports,
    checkout: &Checkout,
    lines: &[QuoteLine],
    now: Timestamp,
) -> Result<()> {
    release_lines(ports, &checkout.order_id, FIRST_ATTEMPT, lines).await?;
    thaw_cart(ports, &checkout.cart_id, &checkout.order_id, now).await?;
    ports.orders().mark_returned(&checkout.order_id, now).await
}

async fn find_basis(ports: &impl Ports, quote_id: &str) -> Result<Basis> {
    let basis = ports.orders().basis(quote_id).await?;
    basis.ok_or_else(|| Error::internal(format!("no quote {quote_id}")))
}

fn order_of(
    ports: &impl Ports,
    checkout: &Checkout,
    quote: &Quote,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<Order> {
    let order_id = &checkout.order_id;
    let expires_at = now.plus_secs(SESSION_SECS);
    let request = ports.payments().prepare(&NewSession {
        order_id: order_id.clone(),
        email: quote.email.clone(),
        currency: quote.currency,
        items: session_items(quote),
        expires_at,
        success_url: links.status(order_id),
        cancel_url: links.unpaid(order_id),
    })?;
    Ok(Order {
        id: order_id.clone(),
        number: 0,
        version: 1,
        status: Status::PendingPayment,
        attempt: FIRST_ATTEMPT,
        cart_id: checkout.cart_id.clone(),
        currency: quote.currency,
        email: quote.email.clone(),
        shipping_address: quote.shipping_address.clone(),
        billing_address: checkout.billing_address.clone(),
        shipping_method: quote.shipping_method.clone(),
        lines: quote.lines.clone(),
        totals: quote.totals,
        created_at: now,
        payment: Payment {
            id: order_id.replacen("ord_", "pay_", 1),
            status: PaymentStatus::Preparing,
            session_id: None,
            url: None,
            request,
            expires_at,
            captured: None,
        },
        events: vec![],
        tasks: vec![Task {
            effect: Effect::OpenPayment,
            subject: String::new(),
        }],
        fulfillments: vec![],
        returns: vec![],
        refunds: vec![],
        disputes: vec![],
    })
}

/// One item per line with its final amount, then shipping and tax: their sum is the total.
fn session_items(quote: &Quote) -> Vec<SessionItem> {
    let of_lines = quote.lines.iter().map(|line| SessionItem {
        name: line.name(),
        amount: line.line_total.saturating_sub(line.discount),
    });
    let others = [
        ("Shipping", quote.totals.shipping_total),
        ("Tax", quote.totals.tax_total),
    ];
    of_lines
        .chain(others.map(|(name, amount)| SessionItem {
            name: name.to_owned(),
            amount,
        }))
        .filter(|item| item.amount > 0)
        .collect()
}

/// A line that stock refused.
struct ShortLine {
    sku: String,
    code: &'static str,
    max_quantity: i64,
}

impl ShortLine {
    fn of_refusal(sku: &str, refusal: &stock::Refusal) -> Result<Self> {
        let (code, max_quantity) = match refusal {
            stock::Refusal::Short {
                available,
                contended,
                ..
            } => (short_code(*contended), *available),
            stock::Refusal::HoldEnded => (CONTENDED, 0),
            stock::Refusal::OverLimit { left, .. } => (OVER_LIMIT, i64::from(*left)),
            other => return Err(Error::internal(format!("hold of {sku}: {other:?}"))),
        };
        Ok(Self {
            sku: sku.to_owned(),
            code,
            max_quantity,
        })
    }

    /// Short by what the object says now, though it was not asked to hold.
    fn of_view(line: &QuoteLine, view: &stock::View) -> Option<Self> {
        (view.available < i64::from(line.quantity)).then(|| Self {
            sku: line.sku.clone(),
            code: short_code(view.reserved > 0),
            max_quantity: view.available,
        })
    }
}

const CONTENDED: &str = "contended";
const SOLD_OUT: &str = "sold_out";
const OVER_LIMIT: &str = "over_limit";

const fn short_code(contended: bool) -> &'static str {
    if contended { CONTENDED } else { SOLD_OUT }
}

fn short_stock(short: &[ShortLine]) -> Error {
    let lines: Vec<Value> = short
        .iter()
        .map(|line| {
            let max_quantity = line.max_quantity.clamp(0, i64::from(cart::MAX_QUANTITY));
            json!({"sku": line.sku, "code": line.code, "max_quantity": max_quantity})
        })
        .collect();
    if short.iter().all(|line| line.code == CONTENDED) {
        return Error::conflict(
            CONTENDED,
            "Other shoppers are buying the last units; some may come back within minutes.",
            json!({"lines": lines, "retry_after_secs": CONTENDED_RETRY_SECS}),
        );
    }
    if short.iter().any(|line| line.code == OVER_LIMIT) {
        return Error::conflict(
            OVER_LIMIT,
            "This is more than one customer may buy.",
            json!({"lines": lines}),
        );
    }
    Error::conflict(
        SOLD_OUT,
        "There is not enough stock for this order.",
        json!({"lines": lines}),
    )
}

fn cart_in_checkout(order_id: &str) -> Error {
    Error::conflict(
        "cart_in_checkout",
        "An order is already being placed or paid from this cart.",
        json!({"order_id": order_id}),
    )
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
