//! Check of a quote when it is ordered: published prices, the merchant's settings, and the
//! customers that its promotions are for must still be what they were.
//!
//! A quote names the publish and the settings version it was made by. If both are still current,
//! nothing has changed. Otherwise the cart is priced again as of the time of the quote, so that the
//! passing of time alone changes nothing.

use crate::checkout::quoting::QUOTE_SECS;
use crate::codes::Code;
use crate::error::{Error, Result};
use crate::inventory::uses::not_available;
use crate::pricing::pipeline::{PricedLines, PricingContext, price_lines};
use crate::pricing::places::Destination;
use crate::pricing::price_list::PriceList;
use crate::pricing::promotions::{Promotion, Shopper};
use crate::pricing::quote::{Quote, QuoteLine, Totals};
use crate::pricing::shipping::missing_phone;
use crate::values::ids::customer_of;
use crate::values::money::Money;
use crate::values::typing::plain_code;
use durable::cart::Line;
use durable::promotion::Limits;
use serde_json::{Value, json};

/// Checks that `quote` still matches `list`, and that its promotions are open to this customer.
///
/// # Errors
/// 409 `quote_changed` with old and new values, or `promotion_not_available`; 422 `phone_required`
/// if its shipping method now needs a phone number.
pub fn check_quote(quote: &Quote, list: &PriceList) -> Result<()> {
    let is_current = quote.catalog_seq == list.catalog_seq
        && quote.terms.settings_version == list.settings.version;
    if !is_current {
        check_phone(quote, list)?;
        check_prices(quote, list)?;
        check_sums(quote, list)?;
    }
    check_customer(quote, list)
}

/// Returns a 409 `quote_changed`.
pub fn quote_changed(detail: &str, data: Value) -> Error {
    Error::conflict(Code::QuoteChanged, detail, data)
}

fn check_prices(quote: &Quote, list: &PriceList) -> Result<()> {
    let told = |price| json!({"unit_price": Money::new(price, quote.currency)});
    let changes = quote.lines.iter().filter_map(|line| {
        let listing = list.listings.get(&line.sku);
        let price = listing
            .and_then(|listing| listing.prices.get(quote.currency.code()))
            .map(|price| price.amount);
        let same = price == Some(line.detail.listed_price)
            && listing.is_some_and(|listing| listing.tracked == line.tracked);
        (!same).then(|| json!({"sku": line.sku, "old": told(line.detail.listed_price), "new": price.map(told)}))
    });
    let changes: Vec<Value> = changes.collect();
    if changes.is_empty() {
        return Ok(());
    }
    Err(quote_changed(
        "Prices have changed since this quote. Request a new one.",
        json!({"lines": changes}),
    ))
}

fn check_phone(quote: &Quote, list: &PriceList) -> Result<()> {
    let missing = missing_phone(
        &list.settings.settings.shipping_zones,
        &Destination::of(&quote.shipping_address),
        &quote.shipping_method,
        quote.shipping_address.phone.as_deref(),
    );
    missing.map_or(Ok(()), |fault| Err(Error::Invalid(vec![fault])))
}

fn check_sums(quote: &Quote, list: &PriceList) -> Result<()> {
    let new = match price_anew(quote, list) {
        Ok(anew) if is_like(&anew, quote) => return Ok(()),
        Ok(anew) => Some(anew),
        Err(Error::Invalid(_)) => None,
        Err(error) => return Err(error),
    };
    let sums = |totals: &Totals| {
        let money = |amount| Money::new(amount, quote.currency);
        json!({
            "discount_total": money(totals.discount_total), "shipping_total": money(totals.shipping_total),
            "tax_total": money(totals.tax_total), "total": money(totals.total),
        })
    };
    Err(quote_changed(
        "Tax, shipping or discounts have changed since this quote. Request a new one.",
        json!({"old": sums(&quote.totals), "new": new.map(|new| sums(&new.totals))}),
    ))
}

/// Prices the quote's cart with the current price list. Uses of limited promotions are not checked
/// here: those in the quote are held when it is ordered, and all other limited promotions are left
/// out.
fn price_anew(quote: &Quote, list: &PriceList) -> Result<PricedLines> {
    let promotions = &quote.terms.promotions;
    let codes: Vec<String> = promotions
        .iter()
        .filter_map(|it| it.code.as_deref().map(plain_code))
        .collect();
    let is_had = |id: &str| {
        promotions
            .iter()
            .any(|it| it.id == id && it.passed_over.is_none())
    };
    let scarce = |it: &&Promotion| it.limits() != Limits::default() && !is_had(&it.id);
    let settings = &list.settings.settings;
    let others: Vec<String> = settings
        .promotions
        .iter()
        .filter(scarce)
        .map(|it| it.id.clone())
        .collect();
    let lines: Vec<Line> = quote
        .lines
        .iter()
        .map(|line| Line {
            sku: line.sku.as_str().to_owned(),
            quantity: line.quantity,
        })
        .collect();
    let occasion = PricingContext {
        destination: Destination::of(&quote.shipping_address),
        has_vat_number: quote.terms.vat_number.is_some(),
        shopper: Shopper {
            codes: &codes,
            customer: &customer_of(&quote.email),
            has_ordered: list.has_ordered,
            used_up: &others,
            currency: quote.currency,
            now: quote.expires_at.minus_secs(QUOTE_SECS),
        },
    };
    price_lines(&lines, list, &occasion, &quote.shipping_method)
}

fn is_like(priced: &PricedLines, quote: &Quote) -> bool {
    let of = |line: &QuoteLine| (line.unit_price, line.discount, line.tax);
    priced.totals == quote.totals && priced.lines.iter().map(of).eq(quote.lines.iter().map(of))
}

/// Checks that the quote's promotions are open to the customer. The quote does not reveal this,
/// because anyone can request one for any address. The refusal is the same for every reason.
fn check_customer(quote: &Quote, list: &PriceList) -> Result<()> {
    let customer = customer_of(&quote.email);
    let settings = &list.settings.settings;
    for had in &quote.terms.promotions {
        let promotion = settings.promotions.iter().find(|it| it.id == had.id);
        let is_for = promotion.is_none_or(|it| it.is_for(&customer, list.has_ordered));
        if had.passed_over.is_none() && !is_for {
            return Err(not_available(&had.id));
        }
    }
    Ok(())
}
