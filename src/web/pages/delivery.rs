//! Delivery time of a product for visitors who have not named a place: first for the home of the
//! page's currency, then for all other zones.

use crate::app::App;
use crate::web::http::log::log_failure;
use crate::web::pages::icons::{TRUCK, icon};
use crate::web::pages::visit::PageContext;
use maud::{Markup, html};
use shop::catalog::{Product, Variant};
use shop::pricing::places::{Destination, Place, zone_of};
use shop::pricing::selectors::Goods;
use shop::pricing::settings::SettingsVersion;
use shop::pricing::shipping::{Estimate, Parcel, ShippingZone, WorkingDays, estimates};
use std::rc::Rc;

/// Returns the settings to estimate by; `None` means they can't be read. The product page is shown
/// all the same.
pub async fn settings(app: &App) -> Option<Rc<SettingsVersion>> {
    match app.settings().shown_settings(app.now).await {
        Ok(settings) => Some(settings),
        Err(error) => {
            log_failure("settings_not_shown", "delivery", &error);
            None
        }
    }
}

/// Renders the delivery time of one unit of `variant` by the methods that accept it; nothing if no
/// method names one.
#[must_use]
pub fn estimate(
    visit: &PageContext,
    zones: &[ShippingZone],
    product: &Product,
    variant: &Variant,
) -> Markup {
    let Some(price) = variant.price(visit.currency) else {
        return Markup::default();
    };
    let categories = product.category_handles();
    let goods = [Goods {
        sku: &variant.sku,
        categories: &categories,
    }];
    let parcel = Parcel {
        weight_grams: variant.weight_grams.unwrap_or_default().into(),
        subtotal: price.amount,
        quantity: 1,
    };
    let estimates = estimates(zones, &goods, parcel, visit.currency);
    let home = zone_of(
        zones,
        &Destination::new(visit.currency.country(), None, None),
    );
    let nearest = estimates
        .iter()
        .find(|it| home.is_some_and(|home| home.id == it.zone.id))
        .or_else(|| estimates.first());
    match nearest {
        Some(nearest) => view(visit, nearest, &estimates, zones.len() == 1),
        None => Markup::default(),
    }
}

fn view(
    visit: &PageContext,
    nearest: &Estimate<'_>,
    estimates: &[Estimate<'_>],
    only: bool,
) -> Markup {
    let texts = visit.texts();
    html! {
        details class="delivery" {
            summary {
                (icon(TRUCK))
                span {
                    @if let Some((_, days)) = nearest.methods.first() { strong { (texts.delivery) ": " (working_days(visit, *days)) } }
                    small { (zone_name(visit, nearest.zone, only)) }
                }
            }
            dl {
                @for Estimate { zone, methods } in estimates {
                    div {
                        dt { (zone_name(visit, zone, only)) }
                        @for (method, days) in methods {
                            dd { bdi { (visit.language.title(&method.title, &method.translations)) } ": " (working_days(visit, *days)) }
                        }
                    }
                }
            }
        }
    }
}

fn working_days(visit: &PageContext, days: WorkingDays) -> String {
    (visit.texts().working_days)(days.min, days.max)
}

/// Returns the merchant's name of a zone, or else the names of its places. A zone for anywhere is
/// called everywhere only if it is the only zone.
fn zone_name(visit: &PageContext, zone: &ShippingZone, only: bool) -> String {
    if let Some(title) = &zone.title {
        return visit.language.title(title, &zone.translations).to_owned();
    }
    let names: Vec<String> = zone
        .places
        .iter()
        .map(|place| place_name(visit, place, only))
        .collect();
    names.join(", ")
}

fn place_name(visit: &PageContext, place: &Place, only: bool) -> String {
    let texts = visit.texts();
    if place.is_anywhere() {
        let anywhere = if only {
            texts.everywhere
        } else {
            texts.elsewhere
        };
        return anywhere.to_owned();
    }
    let country = texts.country_name(&place.country);
    let within = place.region.as_deref().map(str::to_owned);
    let within = within.or_else(|| place.postal_prefix.as_ref().map(|it| format!("{it}…")));
    match within {
        Some(within) => format!("{country} ({within})"),
        None => country,
    }
}
