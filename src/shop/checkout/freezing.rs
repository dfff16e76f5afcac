//! Cart of a checkout: frozen under the order's id, thawed if the order is not placed or ends
//! unpaid, emptied of what was bought when it is paid.

use crate::cart as carts;
use crate::cart::of_order::{ask, complete_cart, thaw_cart};
use crate::cart::{CartObjects, ChangedCart};
use crate::checkout::checking::quote_changed;
use crate::checkout::ports::CheckoutPorts;
use crate::checkout::record::{Checkout, Checkouts, interrupted};
use crate::codes::Code;
use crate::error::{Error, Result, key_reused};
use crate::inventory::hold_ids::HOLD_SECS;
use crate::orders::record::Orders;
use crate::pricing::quote::Quote;
use crate::values::ids::{CartId, OrderId, digest_of};
use crate::values::written::Written;
use durable::cart::{Cart, Change, CheckoutName, Refusal};
use durable::machine::Reply;
use durable::{Timestamp, cart};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds after which any request has ended. A cart frozen for longer under an order that does not
/// exist was left behind.
const REQUEST_SECS: u32 = 60;

/// Seconds for which another request may join a frozen cart: holds made for it lapse soon after.
const JOINED_SECS: u32 = HOLD_SECS - REQUEST_SECS;

/// Maximum attempts to freeze a cart: a second one after it was freed from another order.
const MAX_FREEZES: u32 = 2;

/// A cart frozen for an order.
pub(super) struct FrozenCart {
    /// Id of the order: the request's own, or that of the checkout it has joined.
    pub(super) order_id: OrderId,
    pub(super) cart: Cart,
}

pub(super) async fn freeze_cart(
    ports: &impl CheckoutPorts,
    checkout: &Checkout,
    now: Timestamp,
) -> Result<FrozenCart> {
    for turn in 0..MAX_FREEZES {
        let (order_id, in_the_way) = match ask_to_freeze(ports, checkout, turn).await? {
            Reply::Done { view, .. } => {
                let frozen = frozen_for_order(view)?;
                if !is_too_old(&frozen, checkout, now) {
                    return Ok(frozen);
                }
                (frozen.order_id, interrupted(checkout))
            }
            Reply::Refused {
                refusal: Refusal::FrozenBy { order_id },
            } => {
                let order_id = OrderId::new(order_id);
                let conflict = cart_in_checkout(&order_id);
                (order_id, conflict)
            }
            Reply::Refused {
                refusal: Refusal::KeyReused,
            } => return Err(key_reused()),
            Reply::Refused { .. } => {
                return Err(Error::invalid(
                    "cart",
                    Code::CartEmpty,
                    "The cart is empty.",
                ));
            }
        };
        if !settle_cart(ports, &checkout.cart_id, &order_id, now).await? {
            return Err(in_the_way);
        }
    }
    Err(interrupted(checkout))
}

fn frozen_for_order(cart: Cart) -> Result<FrozenCart> {
    let order_id = cart.frozen_by.clone().map(OrderId::new);
    let order_id = order_id.ok_or_else(|| Error::internal("a frozen cart without its order"))?;
    Ok(FrozenCart { order_id, cart })
}

fn is_too_old(frozen: &FrozenCart, checkout: &Checkout, now: Timestamp) -> bool {
    let has_joined = frozen.order_id != checkout.order_id;
    has_joined && is_frozen_since(&frozen.cart, JOINED_SECS, now)
}

fn is_frozen_since(cart: &Cart, secs: u32, now: Timestamp) -> bool {
    cart.changed_at
        .is_none_or(|frozen_at| frozen_at.plus_secs(secs) <= now)
}

/// Compares the frozen lines with the quoted ones.
pub(super) fn check_lines(quote: &Quote, cart: &Cart) -> Result<()> {
    let changes = changes_since(quote, cart);
    if changes.is_empty() {
        return Ok(());
    }
    Err(quote_changed(
        "The cart has changed since this quote. Request a new one.",
        json!({"lines": changes}),
    ))
}

/// Lists quoted and current quantity of each SKU where they differ.
fn changes_since(quote: &Quote, cart: &Cart) -> Vec<Value> {
    let quoted = quote
        .lines
        .iter()
        .map(|line| (line.sku.as_str(), line.quantity));
    let in_cart = cart
        .lines
        .iter()
        .map(|line| (line.sku.as_str(), line.quantity));
    let (quoted, in_cart): (BTreeMap<_, _>, BTreeMap<_, _>) = (quoted.collect(), in_cart.collect());
    let told = |quantity: Option<&u32>| quantity.map(|quantity| json!({"quantity": quantity}));
    let skus: BTreeSet<_> = quoted.keys().chain(in_cart.keys()).collect();
    skus.into_iter()
        .map(|sku| (sku, quoted.get(sku), in_cart.get(sku)))
        .filter(|(_, old, new)| old != new)
        .map(|(sku, old, new)| json!({"sku": sku, "old": told(old), "new": told(new)}))
        .collect()
}

/// Thaws the cart that a request has frozen or joined. Returns false if another request is working
/// on the same order.
pub(super) async fn leave_cart(
    ports: &impl CheckoutPorts,
    checkout: &Checkout,
    order_id: &OrderId,
) -> Result<bool> {
    let operation_id = format!("{}:leave", checkout.order_id);
    let thaw = Change::Thaw {
        order_id: order_id.as_str().to_owned(),
        alone: true,
    };
    let reply = ask(ports, &checkout.cart_id, operation_id, thaw).await?;
    Ok(matches!(reply, Reply::Done { .. }))
}

/// Completes or thaws the cart of an order that has ended. An outage may have kept the order from
/// doing so, and a request may have died with the cart frozen, or have frozen it too late. Returns
/// false while the order or the request is in progress.
///
/// # Errors
/// Fails if a port fails; settling again is safe.
pub async fn settle_cart(
    ports: &impl CheckoutPorts,
    cart_id: &CartId,
    order_id: &OrderId,
    now: Timestamp,
) -> Result<bool> {
    match ports.orders().order(order_id).await? {
        Some(order) if order.status.is_sold() => complete_cart(ports, cart_id, order_id).await?,
        Some(order) if order.status.is_dead() => thaw_cart(ports, cart_id, order_id, now).await?,
        Some(_) => return Ok(false),
        None => return set_free(ports, cart_id, order_id, now).await,
    }
    Ok(true)
}

/// Thaws a cart that was left behind, after recording that its order is refused, so that a request
/// that was merely slow can no longer place it.
async fn set_free(
    ports: &impl CheckoutPorts,
    cart_id: &CartId,
    order_id: &OrderId,
    now: Timestamp,
) -> Result<bool> {
    let cart = ports.carts().view(cart_id).await?;
    if cart.frozen_by.as_deref() != Some(order_id) {
        return Ok(true);
    }
    if !is_frozen_since(&cart, REQUEST_SECS, now) {
        return Ok(false);
    }
    let decided = ports.checkouts().refuse_checkout(order_id, now).await?;
    if decided == Written::Lost && ports.orders().order(order_id).await?.is_some() {
        return Ok(false);
    }
    thaw_cart(ports, cart_id, order_id, now).await?;
    Ok(true)
}

/// Returns true if the cart is frozen for an order that has not been placed yet.
///
/// # Errors
/// Fails if a port fails.
pub async fn is_being_placed(
    ports: &impl CheckoutPorts,
    cart_id: &CartId,
    order_id: &OrderId,
    now: Timestamp,
) -> Result<bool> {
    let cart = ports.carts().view(cart_id).await?;
    if cart.frozen_by.as_deref() != Some(order_id) {
        return Ok(false);
    }
    Ok(!settle_cart(ports, cart_id, order_id, now).await?)
}

/// Changes a cart, once per `operation_id`. A cart still frozen for an order that has ended is
/// freed first.
///
/// # Errors
/// Same as [`carts::change_cart`], or a port's failure.
pub async fn change_cart(
    ports: &impl CheckoutPorts,
    cart_id: &CartId,
    operation_id: String,
    if_version: Option<u64>,
    change: Change,
    now: Timestamp,
) -> Result<ChangedCart> {
    let objects = ports.carts();
    let asked = || (operation_id.clone(), if_version, change.clone());
    let (id, version, first) = asked();
    let changed = carts::change_cart(&objects, cart_id, id, version, first).await;
    let Some(order_id) = changed.as_ref().err().and_then(order_in_the_way) else {
        return changed;
    };
    if !settle_cart(ports, cart_id, &order_id, now).await? {
        return changed;
    }
    let (id, version, again) = asked();
    carts::change_cart(&objects, cart_id, id, version, again).await
}

/// Returns the order that has frozen the cart, if that is the reason for the error.
#[must_use]
pub fn order_in_the_way(error: &Error) -> Option<OrderId> {
    match error {
        Error::Conflict {
            code: Code::CartInCheckout,
            data,
            ..
        } => data
            .get("order_id")?
            .as_str()
            .map(|id| OrderId::new(id.to_owned())),
        _ => None,
    }
}

async fn ask_to_freeze(
    ports: &impl CheckoutPorts,
    checkout: &Checkout,
    turn: u32,
) -> Result<cart::Reply> {
    let freeze = Change::Freeze {
        order_id: checkout.order_id.as_str().to_owned(),
        checkout: Some(CheckoutName {
            key: digest_of(checkout.idempotency_key.as_bytes()),
            request: digest_of(checkout.request_hash.as_bytes()),
        }),
    };
    let operation_id = format!("{}:freeze:{turn}", checkout.order_id);
    ask(ports, &checkout.cart_id, operation_id, freeze).await
}

pub(super) fn cart_in_checkout(order_id: &OrderId) -> Error {
    Error::conflict(
        Code::CartInCheckout,
        "An order is already being placed or paid from this cart.",
        json!({"order_id": order_id}),
    )
}
