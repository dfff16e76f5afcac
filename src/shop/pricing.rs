//! What a cart costs: a pipeline of pure stages (price, discount, shipping, tax), and the quote that keeps its outcome.
//!
//! A quote is immutable: what is quoted is ordered and charged. Lines + shipping + tax − discounts = total, exactly. Tax is rounded
//! half up, once per line, to what can be charged ([`share_half_up`]), and stored.

use crate::error::{Error, FieldError, Result};
use crate::shop::addresses::Address;
use crate::shop::catalog::Price;
use crate::shop::money::{Currency, share_half_up, split, sum, times};
use crate::shop::ports::Prices;
use durable::Timestamp;
use durable::cart::Cart;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// Seconds that a quote can be ordered from.
pub const QUOTE_SECS: u32 = 30 * 60;

/// What a publish sells under a SKU, and at which price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Of the product.
    pub title: String,
    /// Of the variant; empty for the only one.
    pub variant_title: String,
    /// Name of the product in its URL.
    pub handle: String,
    /// False when units are not counted.
    pub tracked: bool,
    /// Price in each currency.
    pub prices: BTreeMap<String, Price>,
}

/// A way to ship.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingMethod {
    /// `standard`
    pub id: String,
    /// As shoppers read it.
    pub title: String,
    /// Minor units in each currency it is offered in.
    pub prices: BTreeMap<String, i64>,
}

/// A flat tax on goods and shipping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaxRate {
    /// Parts per million.
    pub parts_per_million: i64,
}

/// What a cart is priced from: one published catalog, and the merchant's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceList {
    /// Which publish.
    pub catalog_seq: i64,
    /// What is sold under each of the cart's SKUs.
    pub listings: BTreeMap<String, Listing>,
    /// The ways to ship.
    pub shipping_methods: Vec<ShippingMethod>,
    /// The tax on everything.
    pub tax_rate: TaxRate,
}

/// What a shopper wants priced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct QuoteRequest {
    /// ISO 4217.
    pub currency: String,
    /// Where it goes.
    pub shipping_address: Address,
    /// Id of a way to ship.
    pub shipping_method: String,
    /// Where the confirmation goes.
    pub email: String,
    /// Promotion codes.
    #[serde(default)]
    pub codes: Vec<String>,
}

/// The price of a cart, kept as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// `quote_…`
    pub id: String,
    /// The cart it prices.
    pub cart_id: String,
    /// When it can no longer be ordered from.
    pub expires_at: Timestamp,
    /// The publish that its prices are from.
    pub catalog_seq: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// Where the confirmation goes.
    pub email: String,
    /// Where it goes.
    pub shipping_address: Address,
    /// Id of the way to ship.
    pub shipping_method: String,
    /// A line per SKU.
    pub lines: Vec<QuoteLine>,
    /// What it adds up to.
    #[serde(flatten)]
    pub totals: Totals,
}

/// A line of a quote and, word for word, of its order. Amounts in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteLine {
    /// Stock keeping unit.
    pub sku: String,
    /// Units.
    pub quantity: u32,
    /// Of the product.
    pub title: String,
    /// Of the variant.
    pub variant_title: String,
    /// Whether its units are held.
    pub tracked: bool,
    /// Price of one unit.
    pub unit_price: i64,
    /// Unit price times quantity.
    pub line_total: i64,
    /// Taken off the line.
    pub discount: i64,
    /// On the line, less its discount.
    pub tax: i64,
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

/// Sums, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Of the lines.
    pub subtotal: i64,
    /// Taken off.
    pub discount_total: i64,
    /// For shipping.
    pub shipping_total: i64,
    /// On goods and shipping.
    pub tax_total: i64,
    /// What is charged.
    pub total: i64,
}

/// Prices a cart and keeps the quote.
///
/// # Errors
/// 422 naming each field that can't be accepted; `cart_empty` for an empty cart.
pub async fn create_quote(
    prices: &impl Prices,
    sold_in: &[Currency],
    quote_id: String,
    cart_id: &str,
    cart: &Cart,
    request: QuoteRequest,
    now: Timestamp,
) -> Result<Quote> {
    let currency = accept_currency(&request.currency, sold_in)?;
    let list = prices.price_list(&skus_of(cart)).await?;
    let mut errors = request_errors(&request);
    let shipping = list
        .shipping_methods
        .iter()
        .find(|method| method.id == request.shipping_method)
        .and_then(|method| method.prices.get(currency.code()));
    if shipping.is_none() {
        let known: Vec<_> = list
            .shipping_methods
            .iter()
            .map(|method| method.id.as_str())
            .collect();
        let detail = format!("One of: {}.", known.join(", "));
        errors.push(FieldError::new(
            "shipping_method",
            "unknown_shipping_method",
            detail,
        ));
    }
    if cart.lines.is_empty() {
        errors.push(FieldError::new("cart", "cart_empty", "The cart is empty."));
    }
    let lines = price_lines(cart, &list.listings, currency).unwrap_or_else(|problems| {
        errors.extend(problems);
        vec![]
    });
    let (Some(shipping), true) = (shipping, errors.is_empty()) else {
        return Err(Error::Invalid(errors));
    };
    let lines = discount_lines(lines, 0)?;
    let (lines, shipping_tax) = tax_lines(lines, *shipping, list.tax_rate, currency)?;
    let totals = add_up(&lines, *shipping, shipping_tax)?;
    let quote = Quote {
        id: quote_id,
        cart_id: cart_id.to_owned(),
        expires_at: now.plus_secs(QUOTE_SECS),
        catalog_seq: list.catalog_seq,
        currency,
        email: request.email,
        shipping_address: request.shipping_address,
        shipping_method: request.shipping_method,
        lines,
        totals,
    };
    prices.save_quote(&quote, now).await?;
    Ok(quote)
}

/// Whether `quote` still says what the published prices say.
///
/// # Errors
/// 409 `quote_changed` with old and new.
pub fn check_quote(quote: &Quote, listings: &BTreeMap<String, Listing>) -> Result<()> {
    let changes: Vec<_> = quote
        .lines
        .iter()
        .filter_map(|line| {
            let listing = listings.get(&line.sku);
            let unit_price = listing
                .and_then(|listing| listing.prices.get(quote.currency.code()))
                .map(|price| price.amount);
            let same = unit_price == Some(line.unit_price)
                && listing.is_some_and(|listing| listing.tracked == line.tracked);
            (!same).then(|| {
                json!({"sku": line.sku, "old": {"unit_price": line.unit_price}, "new": unit_price.map(|unit_price| json!({"unit_price": unit_price}))})
            })
        })
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    Err(quote_changed(
        "Prices have changed since this quote; ask for a new one.",
        json!({"lines": changes}),
    ))
}

/// 409 `quote_changed`.
pub fn quote_changed(detail: &str, data: serde_json::Value) -> Error {
    Error::conflict("quote_changed", detail, data)
}

/// The currency with this code, if the shop sells in it.
///
/// # Errors
/// 422 `unknown_currency`.
pub fn accept_currency(code: &str, sold_in: &[Currency]) -> Result<Currency> {
    sold_in
        .iter()
        .find(|currency| currency.code() == code)
        .copied()
        .ok_or_else(|| {
            let codes: Vec<_> = sold_in.iter().map(|currency| currency.code()).collect();
            let detail = format!("The shop sells in {}.", codes.join(", "));
            Error::invalid("currency", "unknown_currency", detail)
        })
}

/// SKUs of a cart.
#[must_use]
pub fn skus_of(cart: &Cart) -> Vec<String> {
    cart.lines.iter().map(|line| line.sku.clone()).collect()
}

/// The first stage: what each line costs at its published price.
fn price_lines(
    cart: &Cart,
    listings: &BTreeMap<String, Listing>,
    currency: Currency,
) -> Result<Vec<QuoteLine>, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut lines = Vec::new();
    for line in &cart.lines {
        let field = format!("cart.{}", line.sku);
        let Some(listing) = listings.get(&line.sku) else {
            errors.push(FieldError::new(
                field,
                "unknown_sku",
                "This item is no longer on sale.",
            ));
            continue;
        };
        let Some(price) = listing.prices.get(currency.code()) else {
            let detail = format!("This item is not sold in {currency}.");
            errors.push(FieldError::new(field, "not_sold_in_currency", detail));
            continue;
        };
        let Ok(line_total) = times(price.amount, line.quantity) else {
            errors.push(FieldError::new(
                field,
                "amount_too_large",
                "This is more than an order can take.",
            ));
            continue;
        };
        lines.push(QuoteLine {
            sku: line.sku.clone(),
            quantity: line.quantity,
            title: listing.title.clone(),
            variant_title: listing.variant_title.clone(),
            tracked: listing.tracked,
            unit_price: price.amount,
            line_total,
            discount: 0,
            tax: 0,
        });
    }
    if errors.is_empty() {
        Ok(lines)
    } else {
        Err(errors)
    }
}

/// The second stage: `discount` on the whole order, spread over the lines by what they cost; no line goes below zero.
fn discount_lines(mut lines: Vec<QuoteLine>, discount: i64) -> Result<Vec<QuoteLine>> {
    let weights: Vec<i64> = lines.iter().map(|line| line.line_total).collect();
    let discount = discount.clamp(0, sum(weights.iter().copied())?);
    for (line, share) in lines.iter_mut().zip(split(discount, &weights)?) {
        line.discount = share;
    }
    Ok(lines)
}

/// The last stage: tax on each line, less its discount, and on shipping.
fn tax_lines(
    mut lines: Vec<QuoteLine>,
    shipping: i64,
    rate: TaxRate,
    currency: Currency,
) -> Result<(Vec<QuoteLine>, i64)> {
    let tax_on =
        |amount| share_half_up(amount, rate.parts_per_million, currency.charge_increment());
    for line in &mut lines {
        line.tax = tax_on(sum([line.line_total, line.discount.saturating_neg()])?)?;
    }
    Ok((lines, tax_on(shipping)?))
}

fn add_up(lines: &[QuoteLine], shipping_total: i64, shipping_tax: i64) -> Result<Totals> {
    let subtotal = sum(lines.iter().map(|line| line.line_total))?;
    let discount_total = sum(lines.iter().map(|line| line.discount))?;
    let tax_total = sum(lines.iter().map(|line| line.tax).chain([shipping_tax]))?;
    let total = sum([
        subtotal,
        discount_total.saturating_neg(),
        shipping_total,
        tax_total,
    ])?;
    Ok(Totals {
        subtotal,
        discount_total,
        shipping_total,
        tax_total,
        total,
    })
}

fn request_errors(request: &QuoteRequest) -> Vec<FieldError> {
    let mut errors = request.shipping_address.errors("shipping_address");
    errors.extend(email_errors(&request.email));
    errors.extend(request.codes.iter().enumerate().map(|(at, code)| {
        FieldError::new(
            format!("codes.{at}"),
            "unknown_code",
            format!("There is no promotion `{code}`."),
        )
    }));
    errors
}

fn email_errors(email: &str) -> Option<FieldError> {
    let plausible = email.len() <= 254
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && !domain.contains('@')
        })
        && !email
            .chars()
            .any(|character| character.is_whitespace() || character.is_control());
    (!plausible).then(|| {
        FieldError::new(
            "email",
            "invalid_email",
            "An address such as name@example.com.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(unit_price: i64, quantity: u32) -> QuoteLine {
        QuoteLine {
            sku: "A".into(),
            quantity,
            title: String::new(),
            variant_title: String::new(),
            tracked: true,
            unit_price,
            line_total: unit_price * i64::from(quantity),
            discount: 0,
            tax: 0,
        }
    }

    proptest! {
        #[test]
        fn totals_add_up_to_what_can_be_charged(
            lines in prop::collection::vec((0..10_000_000_i64, 1..99_u32), 0..20),
            discount in 0..1_000_000_000_i64,
            shipping in 0..100_000_i64,
            parts_per_million in 0..400_000_i64,
            code in prop::sample::select(vec!["USD", "JPY", "KWD"]),
        ) {
            let currency = Currency::from_code(code).unwrap();
            let step = currency.charge_increment();
            let lines: Vec<_> = lines.into_iter().map(|(unit, quantity)| line(unit * step, quantity)).collect();
            let lines = discount_lines(lines, discount).unwrap();
            let (lines, shipping_tax) = tax_lines(lines, shipping * step, TaxRate { parts_per_million }, currency).unwrap();
            let totals = add_up(&lines, shipping * step, shipping_tax).unwrap();
            let of_lines: i64 = lines.iter().map(|line| line.line_total - line.discount).sum();
            prop_assert_eq!(of_lines + totals.shipping_total + totals.tax_total, totals.total);
            prop_assert_eq!(totals.subtotal - totals.discount_total + totals.shipping_total + totals.tax_total, totals.total);
            prop_assert!(lines.iter().all(|line| line.tax >= 0 && line.tax % step == 0));
            prop_assert!(lines.iter().all(|line| (0..=line.line_total).contains(&line.discount)));
            prop_assert_eq!((totals.total + totals.discount_total) % step, 0);
            prop_assert_eq!(totals.discount_total, discount.min(totals.subtotal));
        }
    }

    #[test]
    fn addresses_of_mail_are_plausible() {
        for good in ["a@example.com", "a.b+c@sub.example.co"] {
            assert_eq!(email_errors(good), None, "{good}");
        }
        for bad in [
            "",
            "a",
            "a@b",
            "@example.com",
            "a@.com",
            "a b@example.com",
            "a@example.com\n",
            "a@b@c.com",
        ] {
            assert!(email_errors(bad).is_some(), "{bad}");
        }
    }
}
