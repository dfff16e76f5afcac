//! All pricing stages in order: goods at their listed price, promotions on goods, shipping,
//! promotions on shipping, tax, totals.

use crate::codes::Code;
use crate::error::{Error, FieldError, Result};
use crate::pricing::item::Item;
use crate::pricing::places::Destination;
use crate::pricing::price_list::PriceList;
use crate::pricing::promotions::{Shopper, discount_goods, discount_shipping};
use crate::pricing::quote::{
    LineDetail, Listing, QuoteLine, QuotePromotion, QuoteShipping, ShippingOffer, Terms, Totals,
};
use crate::pricing::selectors::Goods;
use crate::pricing::shipping::{Offer, Parcel, offers, offers_anywhere, place_of_pick_up};
use crate::pricing::tax::{Taxation, taxation};
use crate::values::ids::Sku;
use crate::values::money::{Currency, sum, times};
use durable::cart::Line;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The buyer and the destination that a cart is priced for.
#[derive(Clone, Debug)]
pub struct PricingContext<'a> {
    /// Destination of the parcel.
    pub destination: Destination,
    /// True if the buyer is a business with a VAT number.
    pub has_vat_number: bool,
    /// The buyer's codes, currency and history.
    pub shopper: Shopper<'a>,
}

/// A cart after all pricing stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLines {
    /// One line per SKU.
    pub lines: Vec<QuoteLine>,
    /// Totals of the cart.
    pub totals: Totals,
    /// Settings version, taxes, shipping and promotions behind the numbers.
    pub terms: Terms,
}

/// Returns the shipping methods available for `lines`, each with its price.
///
/// # Errors
/// 422 `not_shipped_there` if the shop does not ship to the destination, and 422 for lines that
/// can't be sold.
pub fn offers_for(
    lines: &[Line],
    list: &PriceList,
    occasion: &PricingContext<'_>,
) -> Result<Vec<ShippingOffer>> {
    let settings = &list.settings.settings;
    let mut goods = discounted_goods(lines, list, occasion, &occasion.destination)?;
    // A list of shipping offers does not show each line's share of a discount, so it isn't copied.
    for promotion in &mut goods.promotions {
        promotion.shares.clear();
    }
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
                translations: offer.method.translations.clone(),
                price: sum([offer.price, discount.saturating_neg()])?,
                pick_up: offer.method.pick_up,
                delivery: offer.delivery,
                phone: offer.method.phone,
            })
        })
        .collect()
}

/// Runs `lines` through all pricing stages.
///
/// # Errors
/// 422 naming each line that can't be sold, or a shipping method that is not available.
pub fn price_lines(
    lines: &[Line],
    list: &PriceList,
    occasion: &PricingContext<'_>,
    shipping_method: &str,
) -> Result<PricedLines> {
    let settings = &list.settings.settings;
    let currency = occasion.shopper.currency;
    let pick_up = place_of_pick_up(
        &settings.shipping_zones,
        &occasion.destination,
        shipping_method,
    );
    let taxed_at = pick_up.as_ref().unwrap_or(&occasion.destination);
    let mut goods = discounted_goods(lines, list, occasion, taxed_at)?;
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
            tax_exempt: goods.taxation.exempt,
            taxed_at_pick_up: pick_up.is_some(),
            shipping: QuoteShipping {
                title: offer.method.title.clone(),
                translations: offer.method.translations.clone(),
                price,
                discount,
                taxes: shipping_tax.parts,
                pick_up: offer.method.pick_up,
                delivery: offer.delivery,
            },
            promotions: goods.promotions,
            ..Terms::default()
        },
    })
}

/// A cart after the stages for goods, before shipping.
struct DiscountedGoods<'a> {
    items: Vec<Item<'a>>,
    taxation: Taxation<'a>,
    promotions: Vec<QuotePromotion>,
}

fn discounted_goods<'a>(
    lines: &[Line],
    list: &'a PriceList,
    occasion: &PricingContext<'_>,
    taxed_at: &Destination,
) -> Result<DiscountedGoods<'a>> {
    let settings = &list.settings.settings;
    let taxation = taxation(
        &settings.markets,
        &settings.tax_zones,
        taxed_at,
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
    fn offers<'l>(
        &self,
        list: &'l PriceList,
        occasion: &PricingContext<'_>,
    ) -> Result<Vec<Offer<'l>>> {
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
            Error::invalid("shipping_address.country", Code::NotShippedThere, detail)
        })
    }

    fn offer<'l>(
        &self,
        list: &'l PriceList,
        occasion: &PricingContext<'_>,
        method: &str,
    ) -> Result<Offer<'l>> {
        let mut offers = self.offers(list, occasion)?;
        if let Some(at) = offers.iter().position(|offer| offer.method.id == method) {
            return Ok(offers.swap_remove(at));
        }
        let known: Vec<_> = offers.iter().map(|offer| &*offer.method.id).collect();
        let detail = if known.is_empty() {
            "No shipping method delivers these items to this address.".to_owned()
        } else {
            format!("Must be one of: {}.", known.join(", "))
        };
        Err(Error::invalid(
            "shipping_method",
            Code::UnknownShippingMethod,
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

/// First stage: each line at its published price.
fn listed_items<'a>(
    lines: &[Line],
    listings: &'a BTreeMap<Sku, Rc<Listing>>,
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
    listings: &'a BTreeMap<Sku, Rc<Listing>>,
    taxation: &Taxation<'_>,
    currency: Currency,
) -> Result<Item<'a>, (Code, String)> {
    let listing = listings.get(line.sku.as_str()).ok_or_else(|| {
        (
            Code::UnknownSku,
            "This item is no longer on sale.".to_owned(),
        )
    })?;
    let price = listing.prices.get(currency.code()).ok_or_else(|| {
        let detail = format!("This item is not sold in {currency}.");
        (Code::NotSoldInCurrency, detail)
    })?;
    let priced = taxation
        .price(price.amount, &listing.tax_class, currency)
        .and_then(|unit_price| Ok((unit_price, times(unit_price, line.quantity)?)));
    let (unit_price, line_total) = priced.map_err(|_| {
        let detail = "This is more than one order can contain.".to_owned();
        (Code::AmountTooLarge, detail)
    })?;
    Ok(Item {
        listing,
        line: QuoteLine {
            sku: Sku::new(line.sku.clone()),
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
                conversion: price.conversion,
                tax_class: listing.tax_class.clone(),
                ..LineDetail::default()
            },
        },
    })
}

/// Last stage: totals.
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
