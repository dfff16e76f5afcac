//! The quote: every stage of pricing in its order, and the outcome as it is kept.
//!
//! A quote is immutable: what is quoted is ordered and charged. It says by which catalog and which settings it was made, and of every
//! number how it came about.

use crate::error::{Error, FieldError, Result};
use crate::shop::addresses::Address;
use crate::shop::catalog::Price;
use crate::shop::money::{Currency, Money, sum, times};
use crate::shop::ports::{Ports, Prices};
use crate::shop::pricing::places::Destination;
use crate::shop::pricing::promotions::{
    QuotePromotion, Reason, Shopper, discount_goods, discount_shipping, plain_code,
};
use crate::shop::pricing::selectors::Goods;
use crate::shop::pricing::shipping::{Delivery, Offer, Parcel, offers, offers_anywhere};
use crate::shop::pricing::tax::{TaxPart, Taxation, standard, taxation};
use crate::shop::pricing::vat_numbers::read_vat_number;
use crate::shop::promotions::used_up;
use crate::shop::settings::SettingsVersion;
use crate::shop::stock::customer_of;
use durable::Timestamp;
use durable::cart::{Cart, Line};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Seconds that a quote can be ordered from.
pub const QUOTE_SECS: u32 = 30 * 60;

/// Most codes of one quote.
const MAX_CODES: usize = 10;

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
    /// Handles of the categories it is in, from the root down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Of one unit, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<u32>,
    /// How it is taxed.
    #[serde(default = "standard")]
    pub tax_class: String,
}

/// What a cart is priced from: one published catalog, and the merchant's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceList {
    /// Which publish.
    pub catalog_seq: i64,
    /// What is sold under each of the cart's SKUs.
    pub listings: BTreeMap<String, Listing>,
    /// The rules.
    pub settings: Rc<SettingsVersion>,
    /// Whether the shopper has an order that came to something.
    pub has_ordered: bool,
}

/// What a shopper wants priced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct QuoteRequest {
    /// ISO 4217.
    pub currency: String,
    /// Where it goes.
    pub shipping_address: Address,
    /// Id of a way to ship.
    pub shipping_method: String,
    /// Where the confirmation goes.
    pub email: String,
    /// Promotion codes, in any case and with any spaces.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Of a business in the European Union.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<String>,
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
    /// What it came from.
    #[serde(default)]
    pub terms: Terms,
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
    /// On the line, less its discount; in it, where prices include tax.
    pub tax: i64,
    /// How these came about.
    #[serde(default)]
    pub detail: LineDetail,
}

/// How the numbers of a line came about. Amounts in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDetail {
    /// What the publish says one unit costs. A buyer who owes the tax itself pays the price without it.
    #[serde(default)]
    pub listed_price: i64,
    /// Whether that was converted from another currency.
    #[serde(default)]
    pub converted: bool,
    /// How it is taxed.
    #[serde(default)]
    pub tax_class: String,
    /// What each promotion took off.
    #[serde(default)]
    pub promotions: Vec<LinePromotion>,
    /// What each tax comes to.
    #[serde(default)]
    pub taxes: Vec<TaxPart>,
}

/// What a promotion took off a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinePromotion {
    /// Which.
    pub id: String,
    /// In minor units.
    pub amount: i64,
}

/// What a quote came from, beside its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// The version of the settings.
    pub settings_version: u64,
    /// The zone whose taxes hold.
    pub tax_zone: Option<String>,
    /// Of the business that buys, where it gave one.
    pub vat_number: Option<String>,
    /// Whether the buyer owes the tax itself.
    pub tax_exempt: bool,
    /// How it is shipped.
    pub shipping: QuoteShipping,
    /// What took something off, and what was asked for and did not.
    pub promotions: Vec<QuotePromotion>,
}

/// How a quote is shipped. Amounts in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuoteShipping {
    /// As shoppers read it.
    pub title: String,
    /// What it costs by itself.
    pub price: i64,
    /// What promotions took off that.
    pub discount: i64,
    /// What each tax comes to.
    pub taxes: Vec<TaxPart>,
    /// Whether the shopper comes for it.
    pub pick_up: bool,
    /// When it arrives, where that is known.
    pub delivery: Option<Delivery>,
}

/// A way to ship a cart, at what it would cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingOffer {
    /// `standard`
    pub id: String,
    /// As shoppers read it.
    pub title: String,
    /// In minor units, after promotions.
    pub price: i64,
    /// Whether the shopper comes for it.
    pub pick_up: bool,
    /// When it arrives, where that is known.
    pub delivery: Option<Delivery>,
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

    /// What it costs after its discount.
    #[must_use]
    pub const fn left(&self) -> i64 {
        self.line_total.saturating_sub(self.discount)
    }
}

/// Sums, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Of the lines.
    pub subtotal: i64,
    /// Taken off the lines.
    pub discount_total: i64,
    /// For shipping, after what was taken off it.
    pub shipping_total: i64,
    /// On goods and shipping.
    pub tax_total: i64,
    /// What is charged.
    pub total: i64,
    /// What of the tax is on shipping.
    #[serde(default)]
    pub shipping_tax: i64,
    /// Whether the tax is in the prices already, those of lines and shipping.
    #[serde(default)]
    pub tax_included: bool,
}

impl Totals {
    /// What a line comes to, with its tax.
    ///
    /// # Errors
    /// When amounts do not fit.
    pub fn charged(&self, line: &QuoteLine) -> Result<i64> {
        sum([line.left(), if self.tax_included { 0 } else { line.tax }])
    }
}

/// A line on its way through the stages.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// What is sold.
    pub listing: &'a Listing,
    /// What it costs so far.
    pub line: QuoteLine,
}

impl Item<'_> {
    /// What rules may know of it.
    #[must_use]
    pub fn goods(&self) -> Goods<'_> {
        Goods {
            sku: &self.line.sku,
            categories: &self.listing.categories,
        }
    }
}

/// For whom and where a cart is priced.
#[derive(Clone, Debug)]
pub struct Occasion<'a> {
    /// Where it goes.
    pub destination: Destination,
    /// Whether a business shows a VAT number.
    pub has_vat_number: bool,
    /// Who buys, by which codes.
    pub shopper: Shopper<'a>,
}

/// A cart that went through all stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLines {
    /// A line per SKU.
    pub lines: Vec<QuoteLine>,
    /// What it adds up to.
    pub totals: Totals,
    /// What it came from.
    pub terms: Terms,
}

/// Prices a cart and keeps the quote.
///
/// # Errors
/// 422 naming each field that can't be accepted; `cart_empty` for an empty cart.
pub async fn create_quote(
    ports: &impl Ports,
    sold_in: &[Currency],
    quote_id: String,
    cart_id: &str,
    cart: &Cart,
    request: QuoteRequest,
    now: Timestamp,
) -> Result<Quote> {
    let currency = accept_currency(&request.currency, sold_in)?;
    let customer = customer_of(&request.email);
    let prices = ports.prices();
    let list = prices.price_list(&skus_of(cart), &request.email).await?;
    let codes: Vec<String> = request.codes.iter().map(|code| plain_code(code)).collect();
    let mut errors = request_errors(&request, &list);
    if cart.lines.is_empty() {
        errors.push(FieldError::new("cart", "cart_empty", "The cart is empty."));
    }
    let occasion = Occasion {
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
    errors.extend(charge_error(priced.totals.total, currency));
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let vat_number = request.vat_number.as_deref();
    let country = &request.shipping_address.country;
    let terms = Terms {
        vat_number: vat_number.and_then(|number| read_vat_number(number, country).ok()),
        ..priced.terms
    };
    let quote = Quote {
        id: quote_id,
        cart_id: cart_id.to_owned(),
        expires_at: now.plus_secs(QUOTE_SECS),
        catalog_seq: list.catalog_seq,
        currency,
        email: request.email,
        shipping_address: request.shipping_address,
        shipping_method: request.shipping_method,
        lines: priced.lines,
        totals: priced.totals,
        terms,
    };
    prices.save_quote(&quote, now).await?;
    Ok(quote)
}

/// Prices a cart by the promotions that this customer can still use: one that has been used up is left out, and another may come in its
/// place.
async fn price_with_what_is_left(
    ports: &impl Ports,
    cart: &Cart,
    list: &PriceList,
    occasion: Occasion<'_>,
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

/// The ways to ship a cart to a place, at what each would cost, without any code; without a place, each as cheaply as it can be.
///
/// # Errors
/// 422 `not_shipped_there` where the shop does not ship, and for lines that can't be sold.
pub async fn list_shipping_methods(
    prices: &impl Prices,
    currency: Currency,
    cart: &Cart,
    destination: Option<Destination>,
    now: Timestamp,
) -> Result<Vec<ShippingOffer>> {
    let list = prices.price_list(&skus_of(cart), "").await?;
    let occasion = Occasion {
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

/// The ways to ship `lines`, at what each would cost.
///
/// # Errors
/// As [`list_shipping_methods`].
pub fn offers_for(
    lines: &[Line],
    list: &PriceList,
    occasion: &Occasion<'_>,
) -> Result<Vec<ShippingOffer>> {
    let settings = &list.settings.settings;
    let goods = discounted_goods(lines, list, occasion)?;
    goods
        .offers(list, occasion)?
        .into_iter()
        .map(|offer| {
            let mut told = goods.promotions.clone();
            let discount = discount_shipping(
                &settings.promotions,
                &occasion.shopper,
                &goods.items,
                &offer.method.id,
                offer.price,
                &mut told,
            )?;
            Ok(ShippingOffer {
                id: offer.method.id.clone(),
                title: offer.method.title.clone(),
                price: sum([offer.price, discount.saturating_neg()])?,
                pick_up: offer.method.pick_up,
                delivery: offer.delivery,
            })
        })
        .collect()
}

/// Takes `lines` through all stages.
///
/// # Errors
/// 422 naming each line that can't be sold, and a method that is not offered.
pub fn price_lines(
    lines: &[Line],
    list: &PriceList,
    occasion: &Occasion<'_>,
    shipping_method: &str,
) -> Result<PricedLines> {
    let settings = &list.settings.settings;
    let currency = occasion.shopper.currency;
    let mut goods = discounted_goods(lines, list, occasion)?;
    let offer = goods.offer(list, occasion, shipping_method)?;
    let price = goods
        .taxation
        .price(offer.price, &offer.method.tax_class, currency)?;
    let discount = discount_shipping(
        &settings.promotions,
        &occasion.shopper,
        &goods.items,
        shipping_method,
        price,
        &mut goods.promotions,
    )?;
    let shipping_total = sum([price, discount.saturating_neg()])?;
    let shipping_tax = goods
        .taxation
        .tax_on(shipping_total, &offer.method.tax_class, currency)?;
    for Item { listing, line } in &mut goods.items {
        let tax = goods
            .taxation
            .tax_on(line.left(), &listing.tax_class, currency)?;
        line.tax = tax.amount;
        line.detail.taxes = tax.parts;
    }
    let lines: Vec<QuoteLine> = goods.items.into_iter().map(|item| item.line).collect();
    Ok(PricedLines {
        totals: add_up(
            &lines,
            shipping_total,
            shipping_tax.amount,
            goods.taxation.included,
        )?,
        lines,
        terms: Terms {
            settings_version: list.settings.version,
            tax_zone: goods.taxation.zone.map(|zone| zone.id.clone()),
            vat_number: None,
            tax_exempt: goods.taxation.exempt,
            shipping: QuoteShipping {
                title: offer.method.title.clone(),
                price,
                discount,
                taxes: shipping_tax.parts,
                pick_up: offer.method.pick_up,
                delivery: offer.delivery,
            },
            promotions: goods.promotions,
        },
    })
}

/// A cart after the stages that goods go through without their shipping.
struct DiscountedGoods<'a> {
    items: Vec<Item<'a>>,
    taxation: Taxation<'a>,
    promotions: Vec<QuotePromotion>,
}

fn discounted_goods<'a>(
    lines: &[Line],
    list: &'a PriceList,
    occasion: &Occasion<'_>,
) -> Result<DiscountedGoods<'a>> {
    let settings = &list.settings.settings;
    let taxation = taxation(
        &settings.markets,
        &settings.tax_zones,
        &occasion.destination,
        occasion.has_vat_number,
    );
    let mut items = listed_items(lines, &list.listings, &taxation, occasion.shopper.currency)?;
    let promotions = discount_goods(&settings.promotions, &occasion.shopper, &mut items)?;
    Ok(DiscountedGoods {
        items,
        taxation,
        promotions,
    })
}

impl DiscountedGoods<'_> {
    fn offers<'l>(&self, list: &'l PriceList, occasion: &Occasion<'_>) -> Result<Vec<Offer<'l>>> {
        let goods: Vec<Goods<'_>> = self.items.iter().map(Item::goods).collect();
        let zones = &list.settings.settings.shipping_zones;
        let (parcel, shopper) = (self.parcel()?, &occasion.shopper);
        let Destination { country, .. } = &occasion.destination;
        if country.is_empty() {
            let (currency, now) = (shopper.currency, shopper.now);
            return Ok(offers_anywhere(zones, &goods, parcel, currency, now));
        }
        offers(
            zones,
            &occasion.destination,
            &goods,
            parcel,
            shopper.currency,
            shopper.now,
        )
        .ok_or_else(|| {
            let detail = format!("The shop does not ship to this address in {country}.");
            Error::invalid("shipping_address.country", "not_shipped_there", detail)
        })
    }

    fn offer<'l>(
        &self,
        list: &'l PriceList,
        occasion: &Occasion<'_>,
        method: &str,
    ) -> Result<Offer<'l>> {
        let mut offers = self.offers(list, occasion)?;
        if let Some(at) = offers.iter().position(|offer| offer.method.id == method) {
            return Ok(offers.swap_remove(at));
        }
        let known: Vec<_> = offers.iter().map(|offer| &*offer.method.id).collect();
        let detail = if known.is_empty() {
            "Nothing carries these goods to this address.".to_owned()
        } else {
            format!("One of: {}.", known.join(", "))
        };
        Err(Error::invalid(
            "shipping_method",
            "unknown_shipping_method",
            detail,
        ))
    }

    fn parcel(&self) -> Result<Parcel> {
        let lines = || self.items.iter().map(|item| &item.line);
        let weights = self.items.iter().map(|item| {
            let grams = item.listing.weight_grams.unwrap_or(0);
            times(grams.into(), item.line.quantity)
        });
        Ok(Parcel {
            weight_grams: sum(weights.collect::<Result<Vec<_>>>()?)?,
            subtotal: sum(lines().map(QuoteLine::left))?,
            quantity: sum(lines().map(|line| line.quantity.into()))?,
        })
    }
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
            let same = unit_price == Some(line.detail.listed_price)
                && listing.is_some_and(|listing| listing.tracked == line.tracked);
            (!same).then(|| {
                json!({"sku": line.sku, "old": {"unit_price": line.detail.listed_price}, "new": unit_price.map(|unit_price| json!({"unit_price": unit_price}))})
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
fn listed_items<'a>(
    lines: &[Line],
    listings: &'a BTreeMap<String, Listing>,
    taxation: &Taxation<'_>,
    currency: Currency,
) -> Result<Vec<Item<'a>>> {
    let mut errors = Vec::new();
    let mut items = Vec::with_capacity(lines.len());
    for line in lines {
        match listed_item(line, listings, taxation, currency) {
            Ok(item) => items.push(item),
            Err((code, detail)) => {
                let field = format!("cart.{}", line.sku);
                errors.push(FieldError::new(field, code, detail));
            }
        }
    }
    if errors.is_empty() {
        Ok(items)
    } else {
        Err(Error::Invalid(errors))
    }
}

fn listed_item<'a>(
    line: &Line,
    listings: &'a BTreeMap<String, Listing>,
    taxation: &Taxation<'_>,
    currency: Currency,
) -> Result<Item<'a>, (&'static str, String)> {
    let listing = listings
        .get(&line.sku)
        .ok_or_else(|| ("unknown_sku", "This item is no longer on sale.".to_owned()))?;
    let price = listing.prices.get(currency.code()).ok_or_else(|| {
        let detail = format!("This item is not sold in {currency}.");
        ("not_sold_in_currency", detail)
    })?;
    let priced = taxation
        .price(price.amount, &listing.tax_class, currency)
        .and_then(|unit_price| Ok((unit_price, times(unit_price, line.quantity)?)));
    let (unit_price, line_total) = priced.map_err(|_| {
        let detail = "This is more than an order can take.".to_owned();
        ("amount_too_large", detail)
    })?;
    Ok(Item {
        listing,
        line: QuoteLine {
            sku: line.sku.clone(),
            quantity: line.quantity,
            title: listing.title.clone(),
            variant_title: listing.variant_title.clone(),
            tracked: listing.tracked,
            unit_price,
            line_total,
            discount: 0,
            tax: 0,
            detail: LineDetail {
                listed_price: price.amount,
                converted: price.converted,
                tax_class: listing.tax_class.clone(),
                ..LineDetail::default()
            },
        },
    })
}

/// The last stage.
fn add_up(
    lines: &[QuoteLine],
    shipping_total: i64,
    shipping_tax: i64,
    tax_included: bool,
) -> Result<Totals> {
    let subtotal = sum(lines.iter().map(|line| line.line_total))?;
    let discount_total = sum(lines.iter().map(|line| line.discount))?;
    let tax_total = sum(lines.iter().map(|line| line.tax).chain([shipping_tax]))?;
    let total = sum([
        subtotal,
        discount_total.saturating_neg(),
        shipping_total,
        if tax_included { 0 } else { tax_total },
    ])?;
    Ok(Totals {
        subtotal,
        discount_total,
        shipping_total,
        tax_total,
        total,
        shipping_tax,
        tax_included,
    })
}

fn request_errors(request: &QuoteRequest, list: &PriceList) -> Vec<FieldError> {
    let mut errors = request.shipping_address.errors("shipping_address");
    errors.extend(email_errors(&request.email));
    if let Some(number) = &request.vat_number
        && let Err(detail) = read_vat_number(number, &request.shipping_address.country)
    {
        errors.push(FieldError::new("vat_number", "invalid_vat_number", detail));
    }
    if request.codes.len() > MAX_CODES {
        let detail = format!("At most {MAX_CODES}.");
        errors.push(FieldError::new("codes", "too_many_codes", detail));
    }
    let promotions = &list.settings.settings.promotions;
    let is_known = |plain: &str| {
        promotions
            .iter()
            .filter_map(|it| it.code.as_deref())
            .any(|code| plain_code(code) == plain)
    };
    for (at, code) in request.codes.iter().enumerate() {
        if !is_known(&plain_code(code)) {
            let detail = format!("There is no promotion `{code}`.");
            errors.push(FieldError::new(
                format!("codes.{at}"),
                "unknown_code",
                detail,
            ));
        }
    }
    errors
}

/// What keeps a code from being accepted. One that only gives way to another promotion is kept, and the quote tells why.
fn code_errors(codes: &[String], promotions: &[QuotePromotion]) -> Vec<FieldError> {
    let refused = promotions.iter().filter_map(|promotion| {
        let (code, detail) = refusal_of(promotion.passed_over.as_ref()?)?;
        let plain = plain_code(promotion.code.as_deref()?);
        let at = codes.iter().position(|given| *given == plain)?;
        Some(FieldError::new(format!("codes.{at}"), code, detail))
    });
    refused.collect()
}

/// What costs nothing is not charged; what costs something must be worth a charge.
fn charge_error(total: i64, currency: Currency) -> Option<FieldError> {
    let least = currency.smallest_charge();
    (0 < total && total < least).then(|| {
        let least = Money::new(least, currency);
        let detail = format!("Less than {least} can't be charged.");
        FieldError::new("cart", "below_smallest_charge", detail)
    })
}

const fn refusal_of(reason: &Reason) -> Option<(&'static str, &'static str)> {
    Some(match reason {
        Reason::NotStarted => ("code_not_started", "This promotion has not begun."),
        Reason::Ended => ("code_ended", "This promotion is over."),
        Reason::UsedUp => ("code_used_up", "This promotion has been used up."),
        Reason::NotInCurrency => ("code_not_met", "It is not offered in this currency."),
        Reason::BelowMinimum => ("code_not_met", "The cart is below its minimum."),
        Reason::NoSuchGoods => (
            "code_not_met",
            "The cart has not enough of the goods it is for.",
        ),
        Reason::NotForCustomer => ("code_not_met", "It is for other customers."),
        Reason::NotFirstOrder => ("code_not_met", "It is for a first order."),
        Reason::OtherShipping => ("code_not_met", "It is for other ways to ship."),
        Reason::DoesNotStack { .. } | Reason::NothingLeft => return None,
    })
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

    #[test]
    fn what_is_too_little_to_be_charged_is_refused() {
        for (total, code, refused) in [
            (0, "USD", false),
            (1, "USD", true),
            (49, "USD", true),
            (50, "USD", false),
            (29, "GBP", true),
            (49, "JPY", true),
            (17_499, "HUF", true),
            (10, "KWD", false),
        ] {
            let currency = Currency::from_code(code).unwrap();
            let error = charge_error(total, currency);
            assert_eq!(error.is_some(), refused, "{total} {code}");
        }
    }
}
