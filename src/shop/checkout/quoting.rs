//! Creation of quotes and listing of shipping methods, with validation of the requests.

use crate::cart::skus_of;
use crate::checkout::ports::CheckoutPorts;
use crate::codes::Code;
use crate::error::{Error, FieldError, Result};
use crate::inventory::uses::used_up;
use crate::payments::Payments;
use crate::payments::limits::{ChargeLimits, ChargeRefusal};
use crate::pricing::pipeline::{PricedLines, PricingContext, offers_for, price_lines};
use crate::pricing::places::Destination;
use crate::pricing::price_list::{PriceList, Prices};
use crate::pricing::promotions::Shopper;
use crate::pricing::quote::{Quote, QuotePromotion, QuoteRequest, Reason, ShippingOffer, Terms};
use crate::pricing::shipping::missing_phone;
use crate::pricing::vat_numbers::read_vat_number;
use crate::values::addresses::Address;
use crate::values::channel::Channel;
use crate::values::ids::{CartId, QuoteId};
use crate::values::ids::{customer_of, digest_of};
use crate::values::mail_addresses::{email_fault, kept_address};
use crate::values::money::{Currency, Money};
use crate::values::typing::plain_code;
use durable::Timestamp;
use durable::cart::Cart;
use std::collections::BTreeSet;

/// Seconds for which a quote can be ordered from.
pub const QUOTE_SECS: u32 = 30 * 60;

/// Seconds for which a quote is stored; until then, its data fills in the checkout form again. An
/// order copies all it needs from its quote, nothing is kept about people who did not order, and
/// carts filled by strangers must not fill the database.
const KEPT_SECS: u32 = 2 * 60 * 60;

/// Maximum number of quotes deleted at once.
const MAX_FORGOTTEN: u32 = 10_000;

/// Maximum number of codes in one quote.
const MAX_CODES: usize = 10;

/// Prices a cart and saves the quote, replacing the cart's previous one. `unique` makes the quote's
/// id unique.
///
/// # Errors
/// 422 naming each invalid field; `cart_empty` for an empty cart. 409 `promotion_contended` while
/// other checkouts hold the last uses of a code.
pub async fn create_quote(
    ports: &impl CheckoutPorts,
    channel: &Channel,
    unique: &str,
    cart_id: &CartId,
    cart: &Cart,
    mut request: QuoteRequest,
    now: Timestamp,
) -> Result<Quote> {
    request.shipping_address = request.shipping_address.normalized();
    request.billing_address = request.billing_address.map(Address::normalized);
    request.email = kept_address(&request.email);
    let currency = accept_currency(&request.currency, &channel.currencies)?;
    if request.codes.len() > MAX_CODES {
        let detail = format!("At most {MAX_CODES} codes can be used.");
        return Err(Error::invalid("codes", Code::TooManyCodes, detail));
    }
    let customer = customer_of(&request.email);
    let prices = ports.prices();
    let list = prices.price_list(&skus_of(cart), &request.email).await?;
    let codes: Vec<String> = request.codes.iter().map(|code| plain_code(code)).collect();
    let mut errors = request_errors(&request, &list);
    if cart.lines.is_empty() {
        errors.push(FieldError::new(
            "cart",
            Code::CartEmpty,
            "The cart is empty.",
        ));
    }
    let occasion = PricingContext {
        destination: Destination::of(&request.shipping_address),
        has_vat_number: request.vat_number.is_some(),
        shopper: Shopper {
            codes: &codes,
            customer: &customer,
            has_ordered: list.has_ordered,
            used_up: &[],
            currency,
            now,
        },
    };
    let method = &request.shipping_method;
    let priced = match price_with_what_is_left(ports, cart, &list, occasion, method).await {
        Ok(priced) => priced,
        Err(Error::Invalid(problems)) => {
            errors.extend(problems);
            return Err(Error::Invalid(errors));
        }
        Err(error) => return Err(error),
    };
    errors.extend(code_errors(&codes, &priced.terms.promotions));
    let limits = ports.payments(ports.new_payments())?.limits(currency);
    errors.extend(charge_error(priced.totals.total, limits, currency)?);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let vat_number = request.vat_number.as_deref();
    let country = &request.shipping_address.country;
    let terms = Terms {
        channel: channel.id.clone(),
        vat_number: vat_number.and_then(|number| read_vat_number(number, country).ok()),
        ..priced.terms
    };
    let quote = Quote {
        id: QuoteId::new(format!("{}{unique}", ids_of_quotes(cart_id))),
        cart_id: cart_id.to_owned(),
        expires_at: now.plus_secs(QUOTE_SECS),
        catalog_seq: list.catalog_seq,
        currency,
        email: request.email,
        shipping_address: request.shipping_address,
        billing_address: request.billing_address,
        shipping_method: request.shipping_method,
        lines: priced.lines,
        totals: priced.totals,
        terms,
    };
    prices.save_quote(&quote, now).await?;
    Ok(quote)
}

/// Prices a cart with the promotions this customer can still use. A promotion with no uses left is
/// omitted, and another may apply instead.
async fn price_with_what_is_left(
    ports: &impl CheckoutPorts,
    cart: &Cart,
    list: &PriceList,
    occasion: PricingContext<'_>,
    shipping_method: &str,
) -> Result<PricedLines> {
    let mut left_out: Vec<String> = Vec::new();
    loop {
        let mut occasion = occasion.clone();
        occasion.shopper.used_up = &left_out;
        let priced = price_lines(&cart.lines, list, &occasion, shipping_method)?;
        let customer = occasion.shopper.customer;
        let gone = used_up(&ports.promotions(), &priced.terms.promotions, customer).await?;
        if gone.is_empty() {
            return Ok(priced);
        }
        left_out.extend(gone);
    }
}

/// Prefix of the ids of a cart's quotes, different for each cart. Quotes of a cart are found by it
/// without an extra index.
#[must_use]
pub fn ids_of_quotes(cart_id: &CartId) -> String {
    format!("quote_{}_", digest_of(cart_id.as_bytes()))
}

/// Deletes quotes that are past their storage time.
///
/// # Errors
/// Fails if the database can't be written; calling it again is safe.
pub async fn forget_quotes(prices: &impl Prices, now: Timestamp) -> Result<()> {
    prices
        .forget_quotes(now.minus_secs(KEPT_SECS), MAX_FORGOTTEN)
        .await
}

/// Returns the shipping methods for a cart, each with its price without any codes. Without a
/// destination, each has its lowest price.
///
/// # Errors
/// 422 `not_shipped_there` if the shop does not ship to the destination, and 422 for lines that
/// can't be sold.
pub async fn list_shipping_methods(
    prices: &impl Prices,
    currency: Currency,
    cart: &Cart,
    destination: Option<Destination>,
    now: Timestamp,
) -> Result<Vec<ShippingOffer>> {
    let list = prices.price_list(&skus_of(cart), "").await?;
    let occasion = PricingContext {
        destination: destination.unwrap_or_default(),
        has_vat_number: false,
        shopper: Shopper {
            codes: &[],
            customer: "",
            has_ordered: true,
            used_up: &[],
            currency,
            now,
        },
    };
    offers_for(&cart.lines, &list, &occasion)
}

/// Returns the currency with this code, if the shop sells in it.
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
            let detail = format!(
                "Must be a currency that the shop sells in: {}.",
                codes.join(", ")
            );
            Error::invalid("currency", Code::UnknownCurrency, detail)
        })
}

fn request_errors(request: &QuoteRequest, list: &PriceList) -> Vec<FieldError> {
    let mut errors = request.shipping_address.errors("shipping_address");
    if let Some(billing) = &request.billing_address {
        errors.extend(billing.errors("billing_address"));
    }
    errors.extend(missing_phone(
        &list.settings.settings.shipping_zones,
        &Destination::of(&request.shipping_address),
        &request.shipping_method,
        request.shipping_address.phone.as_deref(),
    ));
    errors.extend(email_fault(&request.email));
    if let Some(number) = &request.vat_number
        && let Err(detail) = read_vat_number(number, &request.shipping_address.country)
    {
        errors.push(FieldError::new(
            "vat_number",
            Code::InvalidVatNumber,
            detail,
        ));
    }
    errors.extend(unknown_codes(&request.codes, list));
    errors
}

fn unknown_codes(codes: &[String], list: &PriceList) -> Vec<FieldError> {
    if codes.is_empty() {
        return vec![];
    }
    let promotions = &list.settings.settings.promotions;
    let known: BTreeSet<String> = promotions
        .iter()
        .filter_map(|it| it.code.as_deref().map(plain_code))
        .collect();
    let unknown = |(at, code): (usize, &String)| {
        let detail = format!("There is no promotion with the code `{code}`.");
        let error = FieldError::new(format!("codes.{at}"), Code::UnknownCode, detail);
        (!known.contains(&plain_code(code))).then_some(error)
    };
    codes.iter().enumerate().filter_map(unknown).collect()
}

/// Returns an error for each code that can't be accepted. A code that merely gives way to another
/// promotion is no error; the quote states the reason.
fn code_errors(codes: &[String], promotions: &[QuotePromotion]) -> Vec<FieldError> {
    let refused = promotions.iter().filter_map(|promotion| {
        let (code, detail) = refusal_of(promotion.passed_over.as_ref()?)?;
        let plain = plain_code(promotion.code.as_deref()?);
        let at = codes.iter().position(|given| *given == plain)?;
        Some(FieldError::new(format!("codes.{at}"), code, detail))
    });
    refused.collect()
}

/// Returns an error if the total can't be charged: it must be 0, or within the provider's limits.
/// Prices are rounded so that every provider can charge them.
fn charge_error(
    total: i64,
    limits: ChargeLimits,
    currency: Currency,
) -> Result<Option<FieldError>> {
    let (code, detail) = match limits.judge(total) {
        Ok(()) => return Ok(None),
        Err(ChargeRefusal::TooSmall) => {
            let least = Money::new(limits.smallest, currency);
            let detail = format!("The smallest amount that can be charged is {least}.");
            (Code::BelowSmallestCharge, detail)
        }
        Err(ChargeRefusal::TooLarge) => {
            let most = Money::new(limits.largest, currency);
            let detail = format!("The largest amount that can be charged at once is {most}.");
            (Code::AboveLargestCharge, detail)
        }
        Err(ChargeRefusal::BetweenSteps) => {
            let step = limits.step;
            return Err(Error::internal(format!(
                "a total of {total} {currency}, which is charged in steps of {step}"
            )));
        }
    };
    Ok(Some(FieldError::new("cart", code, detail)))
}

const fn refusal_of(reason: &Reason) -> Option<(Code, &'static str)> {
    Some(match reason {
        Reason::NotStarted => (Code::CodeNotStarted, "This promotion has not started yet."),
        Reason::Ended => (Code::CodeEnded, "This promotion has ended."),
        Reason::UsedUp => (Code::CodeUsedUp, "This promotion has been used up."),
        Reason::NotInCurrency => (
            Code::CodeNotMet,
            "This promotion is not available in this currency.",
        ),
        Reason::BelowMinimum => (
            Code::CodeNotMet,
            "The cart is below the minimum for this promotion.",
        ),
        Reason::NoSuchGoods => (
            Code::CodeNotMet,
            "The cart doesn't contain enough qualifying items for this promotion.",
        ),
        Reason::OtherShipping => (
            Code::CodeNotMet,
            "This promotion is not valid for this shipping method.",
        ),
        Reason::DoesNotStack { .. } | Reason::NothingLeft => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_charged_is_refused() {
        let (little, much) = (
            Some(Code::BelowSmallestCharge),
            Some(Code::AboveLargestCharge),
        );
        let limits = ChargeLimits {
            smallest: 50,
            largest: 99_990,
            step: 10,
        };
        let dollars = Currency::from_code("USD").unwrap();
        for (total, refused) in [
            (0, None),
            (1, little),
            (49, little),
            (50, None),
            (99_990, None),
            (99_991, much),
        ] {
            let error = charge_error(total, limits, dollars).unwrap();
            assert_eq!(error.map(|it| it.code), refused, "{total}");
        }
        assert!(charge_error(55, limits, dollars).is_err());
    }
}
