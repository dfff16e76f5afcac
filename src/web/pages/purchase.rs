//! The parts shared by a quote and the order placed with it: lines, totals, addresses and shipping.

use crate::web::http::call::Call;
use crate::web::pages::pictures::{Fetched, picture};
use crate::web::pages::visit::PageContext;
use maud::{Markup, html};
use shop::catalog::pictures::list_pictures;
use shop::pricing::quote::{QuoteLine, QuoteShipping, Terms, Totals};
use shop::pricing::shipping::DeliveryEstimate;
use shop::values::addresses::Address;
use shop::values::money::{Currency, Money};

/// Renders the shipping method and the date of arrival.
#[must_use]
pub fn shipping(visit: &PageContext, shipping: &QuoteShipping) -> Markup {
    html! {
        p { bdi { (visit.language.title(&shipping.title, &shipping.translations)) } }
        @if let Some(when) = arrival(visit, shipping.delivery.as_ref(), shipping.pick_up) { p class="quiet" { (when) } }
    }
}

/// Renders the date of arrival, if it is known.
#[must_use]
pub fn arrival(
    visit: &PageContext,
    delivery: Option<&DeliveryEstimate>,
    pick_up: bool,
) -> Option<String> {
    let texts = visit.texts();
    let days = delivery?.days(visit.language)?;
    Some(if pick_up {
        (texts.ready_for_pick_up)(&days)
    } else {
        (texts.arrives)(&days)
    })
}

/// Renders the lines of a quote or an order, with the pictures that the catalog still has.
pub async fn quote_lines(
    call: &Call<'_>,
    visit: &PageContext,
    lines: &[QuoteLine],
    currency: Currency,
) -> Markup {
    let skus = lines.iter().map(|line| &line.sku);
    let pictures = list_pictures(&call.app.catalog(), skus).await;
    let texts = visit.texts();
    html! {
        ul class="lines" {
            @for line in lines {
                li {
                    @match pictures.get(&line.sku) {
                        Some(url) => (picture(url, "", (64, 64), Fetched::Now)),
                        None => span class="no-image" {},
                    }
                    div {
                        span class="title" { bdi { (line.title) } }
                        p class="quiet" { @if !line.variant_title.is_empty() { bdi { (line.variant_title) } " · " } (texts.quantity) " " (line.quantity) }
                    }
                    span class="price" { (visit.money(Money::new(line.line_total, currency))) }
                }
            }
        }
    }
}

/// Renders the totals of a quote or an order, and the reason if there is no tax.
#[must_use]
pub fn totals(visit: &PageContext, totals: &Totals, terms: &Terms, currency: Currency) -> Markup {
    let texts = visit.texts();
    let untaxed = if terms.is_in_no_tax_zone() {
        Some(texts.no_tax_there)
    } else {
        terms.tax_exempt.then_some(texts.tax_is_owed_by_buyer)
    };
    let money = |amount| visit.money(Money::new(amount, currency));
    html! {
        dl class="totals" {
            dt { (texts.subtotal) } dd { (money(totals.subtotal)) }
            @if totals.discount_total > 0 { dt { (texts.discount) } dd { (money(totals.discount_total.saturating_neg())) } }
            dt { (texts.shipping) } dd { (money(totals.shipping_total)) }
            dt { (if totals.tax_included { texts.included_tax } else { texts.tax }) } dd { (money(totals.tax_total)) }
            dt class="grand" { (texts.total) } dd class="grand" { strong { (money(totals.total)) } }
        }
        @if let Some(untaxed) = untaxed { p class="quiet" { (untaxed) } }
    }
}

/// Renders an address as on a parcel, with the phone number for the carrier.
#[must_use]
pub fn label(visit: &PageContext, address: &Address) -> Markup {
    let mut lines = address.label();
    if let Some(country) = lines.last_mut() {
        visit
            .texts()
            .country_name(&address.country)
            .clone_into(country);
    }
    html! {
        address {
            @for line in lines { bdi { (line) } br; }
            @if let Some(phone) = &address.phone { (visit.texts().phone) " " bdi { (phone) } }
        }
    }
}
