//! The cart of a checkout: frozen under the order's id, thawed when that comes to nothing, emptied when it is paid.

use crate::error::{Error, Result};
use crate::shop::checkout::Checkout;
use crate::shop::ports::{CartObjects, Orders, Ports};
use crate::shop::pricing::{Quote, quote_changed};
use durable::machine::Reply;
use durable::{Timestamp, cart};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(super) async fn freeze_cart(
    ports: &impl Ports,
    checkout: &Checkout,
    quote: &Quote,
    now: Timestamp,
) -> Result<()> {
    let frozen = match ask_to_freeze(ports, checkout).await? {
        Reply::Refused {
            refusal: cart::Refusal::FrozenBy { order_id },
        } => {
            if !settle_cart(ports, &checkout.cart_id, &order_id, now).await? {
                return Err(cart_in_checkout(&order_id));
            }
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
    let changes = changes_since(quote, &frozen);
    if changes.is_empty() {
        return Ok(());
    }
    Err(quote_changed(
        "The cart has changed since this quote; ask for a new one.",
        json!({"lines": changes}),
    ))
}

/// What was quoted and what is in the cart, of each SKU where these differ.
fn changes_since(quote: &Quote, cart: &cart::Cart) -> Vec<Value> {
    let quoted = quote.lines.iter().map(|line| (&line.sku, line.quantity));
    let in_cart = cart.lines.iter().map(|line| (&line.sku, line.quantity));
    let (quoted, in_cart): (BTreeMap<_, _>, BTreeMap<_, _>) = (quoted.collect(), in_cart.collect());
    let told = |quantity: Option<&u32>| quantity.map(|quantity| json!({"quantity": quantity}));
    let skus: BTreeSet<_> = quoted.keys().chain(in_cart.keys()).collect();
    skus.into_iter()
        .map(|sku| (sku, quoted.get(sku), in_cart.get(sku)))
        .filter(|(_, old, new)| old != new)
        .map(|(sku, old, new)| json!({"sku": sku, "old": told(old), "new": told(new)}))
        .collect()
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

/// Carries out what an order that no longer has the cart owes it: an outage may have kept it from doing so by itself, and a request that
/// outlived its own checkout may have frozen the cart after all was given back. False while the order, or its checkout, is under way.
///
/// # Errors
/// A port's failure; settling again is safe.
pub async fn settle_cart(
    ports: &impl Ports,
    cart_id: &str,
    order_id: &str,
    now: Timestamp,
) -> Result<bool> {
    let orders = ports.orders();
    match orders.order(order_id).await? {
        Some(order) if order.status.is_sold() => complete_cart(ports, cart_id, order_id).await?,
        Some(order) if order.status.is_dead() => thaw_cart(ports, cart_id, order_id, now).await?,
        None if !orders.is_under_way(order_id).await? => {
            thaw_cart(ports, cart_id, order_id, now).await?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

pub(super) fn cart_in_checkout(order_id: &str) -> Error {
    Error::conflict(
        "cart_in_checkout",
        "An order is already being placed or paid from this cart.",
        json!({"order_id": order_id}),
    )
}
