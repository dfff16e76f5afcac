//! From a quote to a placed order: a saga, since no transaction spans objects. Each step is safe to repeat and to die after.
//!
//! 1. A `checkouts` row names the order, the cart and the key, so that whatever follows can be found and resumed.
//! 2. The cart is frozen under the order's id; its lines must be the quote's.
//! 3. The quote is checked against the published prices.
//! 4. The stock of every line is held, in SKU order, all or none.
//! 5. The order is written in one transaction, together with what must follow: pinning the holds and opening the payment.
//!
//! A refusal is decided in the database before anything is given back: the order's first event is `placed` or `refused`, never
//! both, so that two requests with one key can't place and give back at once.

use crate::error::{Error, Result};
use crate::shop::orders::{Address, Effect, Order, OrderLinks, Payment, Status};
use crate::shop::payments::{NewSession, PaymentStatus, SESSION_SECS, SessionItem};
use crate::shop::ports::{CartObjects, Orders, Payments, Ports, Prices, StockObjects, Written};
use crate::shop::pricing::{Quote, QuoteLine, check_quote, quote_changed};
use crate::shop::settlement;
use durable::machine::Reply;
use durable::{Timestamp, cart, stock};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Seconds that a hold waits for its order to be written and pinned.
pub const HOLD_SECS: u32 = 10 * 60;

/// Seconds after which a shopper who met a held unit should try again.
const CONTENDED_RETRY_SECS: u32 = 2;

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
}

/// An order, and whether this request placed it.
#[derive(Clone, Debug)]
pub struct PlacedOrder {
    /// Which order.
    pub order_id: String,
    /// True when an earlier request with the same key did.
    pub replayed: bool,
}

/// Places the order of `checkout`, or finds the one that its key already placed.
///
/// # Errors
/// 409 `sold_out` or `contended` line by line, `quote_changed` with old and new, `cart_in_checkout` with the order that has
/// the cart; 422 `idempotency_key_reused`, `unknown_quote`. Nothing is held or frozen after a refusal.
pub async fn place_order(
    ports: &impl Ports,
    checkout: Checkout,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<PlacedOrder> {
    let orders = ports.orders();
    let (known, checkout) = match orders
        .checkout_by_key(&checkout.cart_id, &checkout.idempotency_key)
        .await?
    {
        Some(known) => (true, same_request(known, &checkout)?),
        None => begin(ports, checkout, now).await?,
    };
    let replayed = known && checkout.step == CheckoutStep::Placed;
    resume(ports, &checkout, links, now).await?;
    // A provider that does not answer leaves the order without its payment link for now: the failure is noted with the effect, and
    // the sweep goes on with it.
    let _ = settlement::drive_effects(ports, &checkout.order_id, now).await;
    Ok(PlacedOrder {
        order_id: checkout.order_id,
        replayed,
    })
}

/// Takes a checkout as far as it goes: to a written order, or to nothing with all given back.
///
/// # Errors
/// The refusal; or a port's failure, after which resuming again is safe.
pub async fn resume(
    ports: &impl Ports,
    checkout: &Checkout,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<()> {
    match checkout.step {
        CheckoutStep::Placed => Ok(()),
        CheckoutStep::Refused => give_back(ports, checkout).await,
        CheckoutStep::Started => match attempt(ports, checkout, links, now).await {
            Err(refusal @ (Error::Conflict { .. } | Error::Invalid(_))) => {
                if ports
                    .orders()
                    .refuse_checkout(&checkout.order_id, now)
                    .await?
                    == Written::Landed
                {
                    give_back(ports, checkout).await?;
                }
                Err(refusal)
            }
            outcome => outcome,
        },
    }
}

async fn begin(ports: &impl Ports, checkout: Checkout, now: Timestamp) -> Result<(bool, Checkout)> {
    let orders = ports.orders();
    find_quote(ports, &checkout, now).await?;
    if orders.begin_checkout(&checkout, now).await? == Written::Landed {
        return Ok((false, checkout));
    }
    if let Some(known) = orders
        .checkout_by_key(&checkout.cart_id, &checkout.idempotency_key)
        .await?
    {
        return Ok((true, same_request(known, &checkout)?));
    }
    let first = orders.live_checkout(&checkout.cart_id).await?;
    Err(cart_in_checkout(first.map(|first| first.order_id)))
}

/// Steps 2 to 5.
async fn attempt(
    ports: &impl Ports,
    checkout: &Checkout,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<()> {
    let quote = ports
        .prices()
        .quote(&checkout.quote_id)
        .await?
        .ok_or_else(unknown_quote)?;
    freeze_cart(ports, checkout, &quote).await?;
    let (_, listings) = ports.prices().listings(&skus_of(&quote.lines)).await?;
    check_quote(&quote, &listings)?;
    hold_lines(ports, &checkout.order_id, FIRST_ATTEMPT, &quote.lines).await?;

    let order = order_of(checkout, quote, now);
    let payment = first_payment(ports, &order, links, now)?;
    match ports
        .orders()
        .place(&order, &payment, &[Effect::OpenPayment], now)
        .await?
    {
        Written::Landed => Ok(()),
        Written::Lost => decided_elsewhere(ports, checkout).await,
    }
}

const FIRST_ATTEMPT: u32 = 1;

/// Another request with this key was faster; what it decided holds.
async fn decided_elsewhere(ports: &impl Ports, checkout: &Checkout) -> Result<()> {
    match ports.orders().order(&checkout.order_id).await? {
        Some(_) => Ok(()),
        None => Err(Error::Unavailable {
            code: "checkout_interrupted",
            retry_after_secs: CONTENDED_RETRY_SECS,
        }),
    }
}

async fn freeze_cart(ports: &impl Ports, checkout: &Checkout, quote: &Quote) -> Result<()> {
    let command = cart::Command {
        if_version: None,
        change: cart::Change::Freeze {
            order_id: checkout.order_id.clone(),
        },
    };
    let operation_id = format!("{}:freeze", checkout.order_id);
    let frozen = match ports
        .carts()
        .ask(&checkout.cart_id, operation_id, command)
        .await?
    {
        Reply::Done { view, .. } => view,
        Reply::Refused { refusal } => {
            return Err(match refusal {
                cart::Refusal::FrozenBy { order_id } => cart_in_checkout(Some(order_id)),
                _ => Error::invalid("cart", "cart_empty", "The cart is empty."),
            });
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

/// Holds every tracked line, in SKU order; stops at the first refusal and tells of all lines that are short.
///
/// # Errors
/// 409 `sold_out` or `contended`. What was held until then is still held: the caller gives it back.
pub async fn hold_lines(
    ports: &impl Ports,
    order_id: &str,
    attempt: u32,
    lines: &[QuoteLine],
) -> Result<()> {
    let mut tracked = tracked_lines(lines).into_iter();
    let mut short = Vec::new();
    for line in tracked.by_ref() {
        let command = stock::Command::Hold {
            hold_id: hold_id(order_id, attempt),
            quantity: line.quantity,
            ttl_secs: HOLD_SECS,
            customer: None,
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

/// Thaws the cart that an order has frozen.
///
/// # Errors
/// A port's failure; thawing again is safe.
pub async fn thaw_cart(ports: &impl Ports, cart_id: &str, order_id: &str) -> Result<()> {
    let command = cart::Command {
        if_version: None,
        change: cart::Change::Thaw {
            order_id: order_id.to_owned(),
        },
    };
    ports
        .carts()
        .ask(cart_id, format!("{order_id}:thaw"), command)
        .await?;
    Ok(())
}

async fn give_back(ports: &impl Ports, checkout: &Checkout) -> Result<()> {
    if let Some(quote) = ports.prices().quote(&checkout.quote_id).await? {
        release_lines(ports, &checkout.order_id, FIRST_ATTEMPT, &quote.lines).await?;
    }
    thaw_cart(ports, &checkout.cart_id, &checkout.order_id).await?;
    ports.orders().forget_checkout(&checkout.order_id).await
}

async fn find_quote(ports: &impl Ports, checkout: &Checkout, now: Timestamp) -> Result<Quote> {
    let quote = ports
        .prices()
        .quote(&checkout.quote_id)
        .await?
        .filter(|quote| quote.cart_id == checkout.cart_id)
        .ok_or_else(unknown_quote)?;
    if quote.expires_at <= now {
        return Err(Error::conflict(
            "quote_expired",
            "This quote has expired; ask for a new one.",
            json!({"quote_id": quote.id}),
        ));
    }
    Ok(quote)
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

fn order_of(checkout: &Checkout, quote: Quote, now: Timestamp) -> Order {
    Order {
        id: checkout.order_id.clone(),
        number: 0,
        version: 1,
        status: Status::PendingPayment,
        attempt: FIRST_ATTEMPT,
        cart_id: checkout.cart_id.clone(),
        currency: quote.currency,
        email: quote.email,
        shipping_address: quote.shipping_address,
        billing_address: checkout.billing_address.clone(),
        shipping_method: quote.shipping_method,
        lines: quote.lines,
        totals: quote.totals,
        created_at: now,
    }
}

fn first_payment(
    ports: &impl Ports,
    order: &Order,
    links: &OrderLinks,
    now: Timestamp,
) -> Result<Payment> {
    let expires_at = now.plus_secs(SESSION_SECS);
    let request = ports.payments().prepare(&NewSession {
        order_id: order.id.clone(),
        email: order.email.clone(),
        currency: order.currency,
        items: session_items(order),
        expires_at,
        success_url: links.status(&order.id),
        cancel_url: links.unpaid(&order.id),
    })?;
    Ok(Payment {
        id: order.id.replacen("ord_", "pay_", 1),
        order_id: order.id.clone(),
        status: PaymentStatus::Preparing,
        session_id: None,
        url: None,
        request,
        expires_at,
    })
}

/// One item per order line with its final amount, then shipping and tax: their sum is the total.
fn session_items(order: &Order) -> Vec<SessionItem> {
    let of_lines = order.lines.iter().map(|line| SessionItem {
        name: line.name(),
        amount: line.line_total.saturating_sub(line.discount),
    });
    let others = [
        ("Shipping", order.totals.shipping_total),
        ("Tax", order.totals.tax_total),
    ];
    of_lines
        .chain(others.map(|(name, amount)| SessionItem {
            name: name.to_owned(),
            amount,
        }))
        .filter(|item| item.amount > 0)
        .collect()
}

impl QuoteLine {
    /// As a shopper reads it: `iPhone 17 Pro Max, Deep Blue / 256GB × 2`.
    #[must_use]
    pub fn name(&self) -> String {
        let variant = if self.variant_title.is_empty() {
            String::new()
        } else {
            format!(", {}", self.variant_title)
        };
        let quantity = if self.quantity == 1 {
            String::new()
        } else {
            format!(" × {}", self.quantity)
        };
        format!("{}{variant}{quantity}", self.title)
    }
}

/// A line that stock refused.
struct ShortLine {
    sku: String,
    contended: bool,
    max_quantity: i64,
}

impl ShortLine {
    fn of_refusal(sku: &str, refusal: &stock::Refusal) -> Result<Self> {
        match refusal {
            stock::Refusal::Short {
                available,
                contended,
                ..
            } => Ok(Self {
                sku: sku.to_owned(),
                contended: *contended,
                max_quantity: *available,
            }),
            stock::Refusal::HoldEnded => Ok(Self {
                sku: sku.to_owned(),
                contended: true,
                max_quantity: 0,
            }),
            other => Err(Error::internal(format!("hold of {sku}: {other:?}"))),
        }
    }

    /// Short by what the object says now, though it was not asked to hold.
    fn of_view(line: &QuoteLine, view: &stock::View) -> Option<Self> {
        (view.available < i64::from(line.quantity)).then(|| Self {
            sku: line.sku.clone(),
            contended: view.reserved > 0,
            max_quantity: view.available,
        })
    }

    fn code(&self) -> &'static str {
        if self.contended {
            "contended"
        } else {
            "sold_out"
        }
    }
}

fn short_stock(short: &[ShortLine]) -> Error {
    let lines: Vec<Value> = short
        .iter()
        .map(|line| {
            let max_quantity = line.max_quantity.clamp(0, i64::from(cart::MAX_QUANTITY));
            json!({"sku": line.sku, "code": line.code(), "max_quantity": max_quantity})
        })
        .collect();
    if short.iter().all(|line| line.contended) {
        return Error::conflict(
            "contended",
            "Other shoppers are buying the last units; some may come back within minutes.",
            json!({"lines": lines, "retry_after_secs": CONTENDED_RETRY_SECS}),
        );
    }
    Error::conflict(
        "sold_out",
        "There is not enough stock for this order.",
        json!({"lines": lines}),
    )
}

fn cart_in_checkout(order_id: Option<String>) -> Error {
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

fn skus_of(lines: &[QuoteLine]) -> Vec<String> {
    lines.iter().map(|line| line.sku.clone()).collect()
}
