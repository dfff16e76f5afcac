//! Tests of all stages together: for any settings and cart, totals are exact, no line goes below
//! zero, every amount can be charged, and the order in which rules are stored does not matter.

mod any;
mod promotions;

use crate::catalog::Price;
use crate::checkout::checking::check_quote;
use crate::checkout::quoting::QUOTE_SECS;
use crate::codes::Code;
use crate::error::Error;
use crate::pricing::pipeline::{PricedLines, PricingContext, offers_for, price_lines};
use crate::pricing::places::{Destination, Place};
use crate::pricing::price_list::PriceList;
use crate::pricing::prices::Currencies;
use crate::pricing::promotions::problems::problems_of_promotions;
use crate::pricing::promotions::{Benefit, Promotion, QuantityTier, Shopper, SubtotalTier};
use crate::pricing::quote::{Listing, Quote, Reason, Terms};
use crate::pricing::selectors::Selector;
use crate::pricing::settings::{Settings, SettingsVersion};
use crate::pricing::shipping::{Measure, PhoneRule, ShippingMethod, ShippingRate, ShippingZone};
use crate::pricing::tax::{EXEMPT, Market, TaxRate, TaxZone};
use crate::values::addresses::Address;
use crate::values::ids::customer_of;
use crate::values::ids::{QuoteId, Sku};
use crate::values::languages::Translations;
use crate::values::money::{Currency, Money};
use crate::values::tax_class::{STANDARD, standard};
use any::Cart;
use durable::Timestamp;
use durable::cart::Line;
use durable::promotion::Limits;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::rc::Rc;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}

fn anywhere() -> Vec<Place> {
    vec![Place {
        country: "*".into(),
        region: None,
        postal_prefix: None,
    }]
}

fn rate(class: &str, rate_ppm: i64, compound: bool) -> TaxRate {
    TaxRate {
        class: class.into(),
        name: class.into(),
        rate_ppm,
        compound,
    }
}

/// Settings with one market, one tax zone with `rates`, and one shipping method at `shipping`.
fn settings(code: &str, included: bool, rates: Vec<TaxRate>, shipping: i64) -> Settings {
    Settings {
        currencies: Currencies {
            base: currency(code),
            rates: vec![],
        },
        markets: vec![Market {
            id: "de".into(),
            countries: vec!["DE".into()],
            prices_include_tax: included,
        }],
        tax_zones: vec![TaxZone {
            id: "de".into(),
            places: anywhere(),
            rates,
            exempts_businesses: true,
        }],
        shipping_zones: vec![ShippingZone {
            id: "de".into(),
            title: None,
            translations: Translations::new(),
            places: anywhere(),
            methods: vec![ShippingMethod {
                id: "standard".into(),
                title: "Standard".into(),
                translations: Translations::new(),
                by: Measure::Nothing,
                rates: vec![ShippingRate {
                    from: 0,
                    price: Money::new(shipping, currency(code)),
                }],
                up_to: None,
                free_over: vec![],
                excludes: vec![],
                tax_class: standard(),
                working_days: None,
                pick_up: false,
                pick_up_at: None,
                phone: PhoneRule::Optional,
            }],
        }],
        promotions: vec![],
    }
}

fn promotion(id: &str, benefit: Benefit) -> Promotion {
    Promotion {
        id: id.into(),
        title: id.into(),
        code: None,
        priority: 0,
        stacks: true,
        starts_at: None,
        ends_at: None,
        items: vec![],
        requires: vec![],
        min_subtotal: vec![],
        min_quantity: None,
        customers: vec![],
        first_order: false,
        limits: Limits::default(),
        benefit,
    }
}

fn listing(code: &str, price: i64, category: &str, tax_class: &str) -> Listing {
    let price = Price {
        amount: price,
        compare_at_amount: None,
        converted: false,
        conversion: None,
    };
    Listing {
        title: "Thing".into(),
        variant_title: String::new(),
        handle: "thing".into(),
        tracked: true,
        prices: BTreeMap::from([(code.to_owned(), price)]),
        categories: vec![category.into()],
        weight_grams: Some(100),
        tax_class: tax_class.into(),
    }
}

/// A cart of `(SKU, price, quantity)` in the category `things`.
fn cart(code: &str, lines: &[(&str, i64, u32)]) -> (Vec<Line>, BTreeMap<Sku, Listing>) {
    let listings = lines
        .iter()
        .map(|(sku, price, _)| (Sku::from(*sku), listing(code, *price, "things", STANDARD)));
    let cart = lines.iter().map(|(sku, _, quantity)| Line {
        sku: (*sku).to_owned(),
        quantity: *quantity,
    });
    (cart.collect(), listings.collect())
}

struct Asked<'a> {
    code: &'a str,
    codes: Vec<String>,
    has_vat_number: bool,
    customer: &'a str,
    has_ordered: bool,
    used_up: Vec<String>,
}

fn asked(code: &str) -> Asked<'_> {
    Asked {
        code,
        codes: vec![],
        has_vat_number: false,
        customer: "someone",
        has_ordered: false,
        used_up: vec![],
    }
}

impl Asked<'_> {
    fn occasion(&self) -> PricingContext<'_> {
        PricingContext {
            destination: Destination::new("DE", None, Some("10115")),
            has_vat_number: self.has_vat_number,
            shopper: Shopper {
                codes: &self.codes,
                customer: self.customer,
                has_ordered: self.has_ordered,
                used_up: &self.used_up,
                currency: currency(self.code),
                now: NOW,
            },
        }
    }

    fn price(
        &self,
        settings: Settings,
        cart: &(Vec<Line>, BTreeMap<Sku, Listing>),
    ) -> Result<PricedLines, Error> {
        price_lines(
            &cart.0,
            &list(settings, &cart.1),
            &self.occasion(),
            "standard",
        )
    }
}

fn list(settings: Settings, listings: &BTreeMap<Sku, Listing>) -> PriceList {
    PriceList {
        catalog_seq: 1,
        listings: listings
            .iter()
            .map(|(sku, it)| (sku.clone(), Rc::new(it.clone())))
            .collect(),
        settings: Rc::new(SettingsVersion {
            version: 7,
            settings,
        }),
        has_ordered: false,
    }
}

fn discounts(priced: &PricedLines) -> Vec<i64> {
    priced.lines.iter().map(|line| line.discount).collect()
}

fn with(promotions: Vec<Promotion>) -> Settings {
    Settings {
        promotions,
        ..settings("USD", false, vec![], 500)
    }
}

/// Returns the quote of a cart by `settings`, and the price list behind it.
fn quoted(settings: Settings, cart: &Cart, asked: &Asked<'_>) -> (Quote, PriceList) {
    let list = list(settings, &cart.1);
    let occasion = asked.occasion();
    let priced = price_lines(&cart.0, &list, &occasion, "standard").unwrap();
    let quote = Quote {
        id: QuoteId::new("quote_1".into()),
        cart_id: "cart_1".into(),
        expires_at: NOW.plus_secs(QUOTE_SECS),
        catalog_seq: list.catalog_seq,
        currency: occasion.shopper.currency,
        email: "ann@example.com".into(),
        shipping_address: Address {
            name: "Ann".into(),
            line1: "1 Street".into(),
            city: "Berlin".into(),
            region: None,
            postal_code: Some("10115".into()),
            country: "DE".into(),
            ..Address::default()
        },
        billing_address: None,
        shipping_method: "standard".into(),
        lines: priced.lines,
        totals: priced.totals,
        terms: Terms {
            vat_number: asked.has_vat_number.then(|| "DE123456789".to_owned()),
            ..priced.terms
        },
    };
    (quote, list)
}

fn changed(list: &PriceList, change: impl FnOnce(&mut Settings)) -> PriceList {
    let mut settings = list.settings.settings.clone();
    change(&mut settings);
    PriceList {
        settings: Rc::new(SettingsVersion {
            version: list.settings.version + 1,
            settings,
        }),
        ..list.clone()
    }
}

fn refusal(checked: Result<(), Error>) -> (Code, Value) {
    match checked {
        Err(Error::Conflict { code, data, .. }) => (code, data),
        other => panic!("{other:?}"),
    }
}

#[test]
fn settings_that_change_what_a_cart_costs_change_its_quote() {
    let cart = cart("USD", &[("A", 10_000, 1)]);
    let rates = vec![rate(STANDARD, 100_000, false)];
    let ten = promotion("ten", Benefit::Percentage { off_ppm: 100_000 });
    let of_today = Settings {
        promotions: vec![ten],
        ..settings("USD", false, rates, 500)
    };
    let (quote, list) = quoted(of_today, &cart, &asked("USD"));
    check_quote(&quote, &list).unwrap();
    let check = |change: &dyn Fn(&mut Settings)| check_quote(&quote, &changed(&list, change));
    let usd = |amount: i64| json!({"amount": amount, "currency": "USD"});
    let sums = |discount, shipping, tax, total| json!({"discount_total": usd(discount), "shipping_total": usd(shipping), "tax_total": usd(tax), "total": usd(total)});
    let old = sums(1_000, 500, 950, 10_450);
    let taxed = check(&|it| it.tax_zones[0].rates[0].rate_ppm = 200_000);
    let new = sums(1_000, 500, 1_900, 11_400);
    assert_eq!(
        refusal(taxed),
        (Code::QuoteChanged, json!({"old": old, "new": new}))
    );
    let shipped = check(&|it| it.shipping_zones[0].methods[0].rates[0].price.amount = 600);
    assert_eq!(refusal(shipped).1["new"], sums(1_000, 600, 960, 10_560));
    let dearer = check(&|it| it.promotions.clear());
    assert_eq!(refusal(dearer).1["new"], sums(0, 500, 1_050, 11_550));
    let not_carried = check(&|it| it.shipping_zones[0].methods[0].id = "other".into());
    assert_eq!(refusal(not_carried).1["new"], Value::Null);
    // Changes that don't affect the cart, or that leave the outcome open, change nothing.
    check(&|it| it.tax_zones[0].rates.push(rate("reduced", 1, false))).unwrap();
    check(&|it| it.promotions[0].title = "Another".into()).unwrap();
    check(&|it| {
        it.promotions.push(Promotion {
            limits: Limits {
                total: Some(1),
                per_customer: None,
            },
            ..promotion("scarce", Benefit::Percentage { off_ppm: 1_000 })
        });
    })
    .unwrap();
}

#[test]
fn a_promotion_that_ends_after_the_quote_was_made_is_still_in_it() {
    let cart = cart("USD", &[("A", 10_000, 1)]);
    let ending = Promotion {
        ends_at: Some(NOW.plus_secs(1)),
        ..promotion("ten", Benefit::Percentage { off_ppm: 100_000 })
    };
    let (quote, list) = quoted(with(vec![ending]), &cart, &asked("USD"));
    check_quote(&quote, &changed(&list, |_| {})).unwrap();
}

#[test]
fn for_whom_a_code_is_is_told_of_all_reasons_alike_when_it_is_ordered_with() {
    let cart = cart("USD", &[("A", 10_000, 1)]);
    let asked = Asked {
        codes: vec!["X".into()],
        ..asked("USD")
    };
    let base = || Promotion {
        code: Some("X".into()),
        ..promotion("ten", Benefit::Percentage { off_ppm: 100_000 })
    };
    let told = |offer: Promotion, has_ordered| {
        let (quote, list) = quoted(with(vec![offer]), &cart, &asked);
        let list = PriceList {
            has_ordered,
            ..list
        };
        check_quote(&quote, &list)
    };
    let first = Promotion {
        first_order: true,
        ..base()
    };
    let named = |email: &str| Promotion {
        customers: vec![customer_of(email)],
        ..base()
    };
    told(base(), true).unwrap();
    told(first.clone(), false).unwrap();
    told(named("ann@example.com"), true).unwrap();
    let refused = (Code::PromotionNotAvailable, json!({"promotion": "ten"}));
    assert_eq!(refusal(told(first, true)), refused);
    assert_eq!(refusal(told(named("other@example.com"), false)), refused);
}

#[test]
fn an_address_that_is_not_shipped_to_is_told_of() {
    let cart = cart("USD", &[("A", 1_000, 1)]);
    let mut settings = settings("USD", false, vec![], 500);
    settings.shipping_zones[0].places[0].country = "JP".into();
    let list = list(settings, &cart.1);
    let asked = asked("USD");
    let refused = offers_for(&cart.0, &list, &asked.occasion()).unwrap_err();
    assert_eq!(refused.code(), Code::NotShippedThere);
    let anywhere = PricingContext {
        destination: Destination::default(),
        ..asked.occasion()
    };
    assert_eq!(offers_for(&cart.0, &list, &anywhere).unwrap().len(), 1);
}

#[test]
fn what_is_picked_up_is_taxed_where_that_is() {
    let cart = cart("USD", &[("A", 10_000, 1)]);
    let place = |country: &str| Place {
        country: country.into(),
        region: None,
        postal_prefix: None,
    };
    let mut settings = settings("USD", false, vec![rate(STANDARD, 100_000, false)], 0);
    settings.tax_zones[0].places = vec![place("DE")];
    settings.tax_zones.push(TaxZone {
        id: "at".into(),
        places: vec![place("AT")],
        rates: vec![rate(STANDARD, 200_000, false)],
        exempts_businesses: false,
    });
    let asked = asked("USD");
    let tax_with = |pick_up_at: Option<Place>| {
        let mut settings = settings.clone();
        let method = &mut settings.shipping_zones[0].methods[0];
        method.pick_up = true;
        method.pick_up_at = pick_up_at;
        assert_eq!(settings.problems(&[currency("USD")]), vec![]);
        let priced = asked.price(settings, &cart).unwrap();
        (priced.terms.tax_zone, priced.totals.tax_total)
    };
    assert_eq!(tax_with(None), (Some("de".into()), 1_000));
    assert_eq!(tax_with(Some(place("AT"))), (Some("at".into()), 2_000));
    assert_eq!(tax_with(Some(place("JP"))), (None, 0));
}

#[test]
fn a_business_abroad_pays_net_and_owes_the_tax_itself() {
    let cart = cart("EUR", &[("A", 11_900, 2)]);
    let rates = vec![rate(STANDARD, 190_000, false)];
    let asked = Asked {
        has_vat_number: true,
        ..asked("EUR")
    };
    let priced = asked
        .price(settings("EUR", true, rates, 1_190), &cart)
        .unwrap();
    let totals = priced.totals;
    assert_eq!(
        (
            totals.subtotal,
            totals.shipping_total,
            totals.tax_total,
            totals.total
        ),
        (20_000, 1_000, 0, 21_000)
    );
    assert_eq!(priced.lines[0].detail.listed_price, 11_900);
    assert!(priced.terms.tax_exempt);
}
