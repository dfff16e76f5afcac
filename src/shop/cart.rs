//! The cart as shoppers see it: the object's lines with titles, pictures and prices of the published catalog.
//!
//! These are for reading only. What an order costs is decided by its quote, from the published price rows.

use crate::error::{Error, Result};
use crate::shop::catalog::{Product, find_product_of_sku};
use crate::shop::money::{Currency, Money, sum, times};
use crate::shop::ports::{CartObjects, PublishedCatalog};
use durable::cart::{Cart, Change, Command, Refusal};
use durable::machine::Reply;
use serde_json::json;

/// A cart with what the catalog says of its lines.
#[derive(Clone, Debug)]
pub struct PricedCart {
    /// Changes so far.
    pub version: u64,
    /// In the order they were added.
    pub lines: Vec<PricedLine>,
    /// Sum of the lines.
    pub subtotal: Money,
    /// The order that has frozen it.
    pub frozen_by: Option<String>,
}

/// A line of a cart.
#[derive(Clone, Debug)]
pub struct PricedLine {
    /// Stock keeping unit.
    pub sku: String,
    /// Units.
    pub quantity: u32,
    /// Name of the product in its URL; none when it is no longer on sale.
    pub handle: Option<String>,
    /// Of the product.
    pub title: String,
    /// Of the variant.
    pub variant_title: String,
    /// URL of a picture.
    pub image: Option<String>,
    /// Price of one unit; none when it can't be bought in this currency.
    pub unit_price: Option<Money>,
    /// Unit price times quantity.
    pub line_total: Option<Money>,
}

/// Changes a cart, once per `operation_id`.
///
/// # Errors
/// 422 for a quantity or number of lines beyond the limits, 412 for a stale version, 409 while an order has the cart.
pub async fn change_cart(
    carts: &impl CartObjects,
    cart_id: &str,
    operation_id: String,
    if_version: Option<u64>,
    change: Change,
) -> Result<Cart> {
    let command = Command { if_version, change };
    match carts.ask(cart_id, operation_id, command).await? {
        Reply::Done { view, .. } => Ok(view),
        Reply::Refused { refusal } => Err(refused(refusal)),
    }
}

/// Adds titles and prices in `currency` to the lines of `cart`.
///
/// # Errors
/// When the published catalog can't be read.
pub async fn price_cart(
    catalog: &impl PublishedCatalog,
    cart: &Cart,
    currency: Currency,
) -> Result<PricedCart> {
    let mut lines = Vec::with_capacity(cart.lines.len());
    for line in &cart.lines {
        let product = find_product_of_sku(catalog, &line.sku).await?;
        lines.push(priced_line(
            &line.sku,
            line.quantity,
            product.as_deref(),
            currency,
        )?);
    }
    let amounts = lines
        .iter()
        .filter_map(|line| line.line_total)
        .map(|total| total.amount);
    Ok(PricedCart {
        version: cart.version,
        subtotal: Money::new(sum(amounts)?, currency),
        frozen_by: cart.frozen_by.clone(),
        lines,
    })
}

impl PricedCart {
    /// Units in all lines.
    #[must_use]
    pub fn quantity(&self) -> u32 {
        self.lines
            .iter()
            .fold(0, |sum, line| sum.saturating_add(line.quantity))
    }
}

fn priced_line(
    sku: &str,
    quantity: u32,
    product: Option<&Product>,
    currency: Currency,
) -> Result<PricedLine> {
    let variant = product.and_then(|product| product.variant(sku));
    let unit_price = variant.and_then(|variant| variant.price(currency));
    let line_total = match unit_price {
        Some(price) => Some(Money::new(times(price.amount, quantity)?, currency)),
        None => None,
    };
    let primary = product.and_then(|product| product.images.first());
    Ok(PricedLine {
        sku: sku.to_owned(),
        quantity,
        handle: product.map(|product| product.handle.clone()),
        title: product.map_or_else(
            || "No longer on sale".to_owned(),
            |product| product.title.clone(),
        ),
        variant_title: variant
            .map(|variant| variant.title.clone())
            .unwrap_or_default(),
        image: variant
            .and_then(|variant| variant.image.clone())
            .or_else(|| primary.map(|image| image.url.clone())),
        unit_price,
        line_total,
    })
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::QuantityOutOfRange { max } => invalid_quantity(max),
        Refusal::TooManyLines { max } => Error::invalid(
            "sku",
            "too_many_lines",
            format!("A cart takes at most {max} different items."),
        ),
        Refusal::Empty => Error::invalid("cart", "cart_empty", "The cart is empty."),
        Refusal::FrozenBy { order_id } => Error::conflict(
            "cart_in_checkout",
            "An order is being placed or paid from this cart; it can't be changed until that has ended.",
            json!({"order_id": order_id}),
        ),
        Refusal::Stale { version } => Error::PreconditionFailed { version },
    }
}

/// 422 for a quantity that a cart can't take.
pub fn invalid_quantity(max: u32) -> Error {
    Error::invalid(
        "quantity",
        "invalid_quantity",
        format!("A whole number from 1 to {max}."),
    )
}
