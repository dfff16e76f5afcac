//! Lines, totals and terms of a quote and of the order placed with it, each amount with its
//! explanation.

use crate::web::views::instant;
use serde::Serialize;
use shop::catalog::Conversion;
use shop::pricing::quote::{
    Quote, QuoteLine, QuotePromotion, Reason, ShippingOffer, Terms, Totals,
};
use shop::pricing::shipping::{DeliveryEstimate, PhoneRule};
use shop::pricing::tax::TaxPart;
use shop::values::money::{Currency, Money};

/// A quote.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct QuoteView<'a> {
    id: &'a str,
    expires_at: String,
    catalog_version: i64,
    #[cfg_attr(test, schema(value_type = String))]
    currency: Currency,
    lines: Vec<PricedLineView<'a>>,
    shipping_method: &'a str,
    #[serde(flatten)]
    totals: TotalsView,
    #[serde(flatten)]
    terms: TermsView<'a>,
}

impl<'a> QuoteView<'a> {
    /// Creates the view of a stored quote.
    #[must_use]
    pub fn of(quote: &'a Quote) -> Self {
        Self {
            id: quote.id.as_str(),
            expires_at: instant(quote.expires_at),
            catalog_version: quote.catalog_seq,
            currency: quote.currency,
            lines: PricedLineView::all_of(&quote.lines, &quote.terms, quote.currency),
            shipping_method: &quote.shipping_method,
            totals: TotalsView::of(&quote.totals, quote.currency),
            terms: TermsView::of(&quote.terms, quote.currency),
        }
    }
}

/// A line of a quote or an order.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct PricedLineView<'a> {
    sku: &'a str,
    quantity: u32,
    title: &'a str,
    variant_title: &'a str,
    unit_price: Money,
    discount: Money,
    tax: Money,
    line_total: Money,
    listed_price: Money,
    converted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    conversion: Option<Conversion>,
    tax_class: &'a str,
    promotions: Vec<LinePromotionView<'a>>,
    taxes: Vec<TaxView<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct LinePromotionView<'a> {
    id: &'a str,
    discount: Money,
}

/// The amount of one tax.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct TaxView<'a> {
    name: &'a str,
    rate_ppm: i64,
    amount: Money,
}

impl<'a> PricedLineView<'a> {
    /// Creates the views of all lines, in their currency.
    #[must_use]
    pub fn all_of(lines: &'a [QuoteLine], terms: &'a Terms, currency: Currency) -> Vec<Self> {
        let lines = lines.iter().enumerate();
        lines
            .map(|(at, line)| Self::of(at, line, terms, currency))
            .collect()
    }

    fn of(at: usize, line: &'a QuoteLine, terms: &'a Terms, currency: Currency) -> Self {
        let money = |amount| Money::new(amount, currency);
        let promotions = terms
            .promotions_on(at)
            .map(|(promotion, share)| LinePromotionView {
                id: &promotion.id,
                discount: money(share),
            });
        Self {
            sku: &line.sku,
            quantity: line.quantity,
            title: &line.title,
            variant_title: &line.variant_title,
            unit_price: money(line.unit_price),
            discount: money(line.discount),
            tax: money(line.tax),
            line_total: money(line.line_total),
            listed_price: money(line.detail.listed_price),
            converted: line.detail.converted,
            conversion: line.detail.conversion,
            tax_class: &line.detail.tax_class,
            promotions: promotions.collect(),
            taxes: taxes(&line.detail.taxes, currency),
        }
    }
}

fn taxes(parts: &[TaxPart], currency: Currency) -> Vec<TaxView<'_>> {
    let taxes = parts.iter().map(|part| TaxView {
        name: &part.name,
        rate_ppm: part.rate_ppm,
        amount: Money::new(part.amount, currency),
    });
    taxes.collect()
}

/// The totals of a quote or an order.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct TotalsView {
    subtotal: Money,
    discount_total: Money,
    shipping_total: Money,
    tax_total: Money,
    total: Money,
    tax_included: bool,
}

impl TotalsView {
    /// Creates the view of the totals, in their currency.
    #[must_use]
    pub const fn of(totals: &Totals, currency: Currency) -> Self {
        Self {
            subtotal: Money::new(totals.subtotal, currency),
            discount_total: Money::new(totals.discount_total, currency),
            shipping_total: Money::new(totals.shipping_total, currency),
            tax_total: Money::new(totals.tax_total, currency),
            total: Money::new(totals.total, currency),
            tax_included: totals.tax_included,
        }
    }
}

/// The terms of a quote or an order: settings, rates, taxes and discounts that applied.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct TermsView<'a> {
    settings_version: u64,
    #[cfg_attr(test, schema(required))]
    tax_zone: Option<&'a str>,
    tax_exempt: bool,
    #[cfg_attr(test, schema(required))]
    tax_explanation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    vat_number: Option<&'a str>,
    shipping: ShippingView<'a>,
    promotions: Vec<PromotionView<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct ShippingView<'a> {
    title: &'a str,
    price: Money,
    discount: Money,
    taxes: Vec<TaxView<'a>>,
    pick_up: bool,
    #[cfg_attr(test, schema(required))]
    delivery: Option<&'a DeliveryEstimate>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct PromotionView<'a> {
    id: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    code: Option<&'a str>,
    discount: Money,
    stacks: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    passed_over: Option<&'a Reason>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    checked_at_order: bool,
}

impl<'a> TermsView<'a> {
    /// Creates the view of the terms, with amounts in their currency.
    #[must_use]
    pub fn of(terms: &'a Terms, currency: Currency) -> Self {
        let money = |amount| Money::new(amount, currency);
        let promotion = |it: &'a QuotePromotion| PromotionView {
            id: &it.id,
            title: &it.title,
            code: it.code.as_deref(),
            discount: money(it.discount),
            stacks: it.stacks,
            passed_over: it.passed_over.as_ref(),
            checked_at_order: it.checked_at_order,
        };
        Self {
            settings_version: terms.settings_version,
            tax_zone: terms.tax_zone.as_deref(),
            tax_exempt: terms.tax_exempt,
            tax_explanation: tax_explanation(terms),
            vat_number: terms.vat_number.as_deref(),
            shipping: ShippingView {
                title: &terms.shipping.title,
                price: money(terms.shipping.price),
                discount: money(terms.shipping.discount),
                taxes: taxes(&terms.shipping.taxes, currency),
                pick_up: terms.shipping.pick_up,
                delivery: terms.shipping.delivery.as_ref(),
            },
            promotions: terms.promotions.iter().map(promotion).collect(),
        }
    }
}

/// Explains where and why tax is charged, or why it isn't; `None` for orders from before this was
/// stored.
fn tax_explanation(terms: &Terms) -> Option<String> {
    let place = if terms.taxed_at_pick_up {
        "where it is picked up"
    } else {
        "at this address"
    };
    if terms.is_in_no_tax_zone() {
        return Some(format!("No tax is charged {place}: it is in no tax zone."));
    }
    let zone = terms.tax_zone.as_deref()?;
    Some(if terms.tax_exempt {
        format!(
            "No tax is charged {place}, in the tax zone {zone}: reverse charge applies, so the business that buys accounts for it."
        )
    } else {
        format!("Taxed {place}, in the tax zone {zone}.")
    })
}

/// The shipping methods for a cart.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct ShippingOffersView<'a> {
    data: Vec<ShippingOfferView<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct ShippingOfferView<'a> {
    id: &'a str,
    title: &'a str,
    price: Money,
    pick_up: bool,
    #[cfg_attr(test, schema(required))]
    delivery: Option<&'a DeliveryEstimate>,
    phone: PhoneRule,
}

impl<'a> ShippingOffersView<'a> {
    /// Creates the view of the methods, in their currency.
    #[must_use]
    pub fn of(offers: &'a [ShippingOffer], currency: Currency) -> Self {
        let data = offers.iter().map(|offer| ShippingOfferView {
            id: &offer.id,
            title: &offer.title,
            price: Money::new(offer.price, currency),
            pick_up: offer.pick_up,
            delivery: offer.delivery.as_ref(),
            phone: offer.phone,
        });
        Self {
            data: data.collect(),
        }
    }
}
