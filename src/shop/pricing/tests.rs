//! Tests of all stages together: for any settings and cart, totals are exact, no line goes below
//! zero, every amount can be charged, and the order in which rules are stored does not matter.

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
use crate::values::languages::Translations;
use crate::values::money::{Currency, Money};
use crate::values::tax_class::{STANDARD, standard};
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
fn cart(code: &str, lines: &[(&str, i64, u32)]) -> (Vec<Line>, BTreeMap<String, Listing>) {
    let listings = lines
        .iter()
        .map(|(sku, price, _)| ((*sku).to_owned(), listing(code, *price, "things", STANDARD)));
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
        cart: &(Vec<Line>, BTreeMap<String, Listing>),
    ) -> Result<PricedLines, Error> {
        price_lines(
            &cart.0,
            &list(settings, &cart.1),
            &self.occasion(),
            "standard",
        )
    }
}

fn list(settings: Settings, listings: &BTreeMap<String, Listing>) -> PriceList {
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

#[test]
fn each_benefit_takes_off_what_it_says() {
    let usd = |amount| Money::new(amount, currency("USD"));
    let things = vec![Selector::Category("things".into())];
    let only = |sku: &str| vec![Selector::Sku(sku.into())];
    // 3 × 10.00, 1 × 25.00, 2 × 0.05
    let cart = cart("USD", &[("A", 1_000, 3), ("B", 2_500, 1), ("C", 5, 2)]);
    for (benefit, items, wanted) in [
        (
            Benefit::Percentage { off_ppm: 100_000 },
            vec![],
            [300, 250, 1],
        ),
        (
            Benefit::Percentage { off_ppm: 1_000_000 },
            only("B"),
            [0, 2_500, 0],
        ),
        (
            Benefit::Amount {
                amounts: vec![usd(1_000)],
            },
            vec![],
            [544, 454, 2],
        ),
        (
            Benefit::Amount {
                amounts: vec![usd(99_999)],
            },
            things,
            [3_000, 2_500, 10],
        ),
        (
            Benefit::BuyXGetY {
                buy: 2,
                get: 1,
                off_ppm: 1_000_000,
                gets: vec![],
            },
            only("A"),
            [1_000, 0, 0],
        ),
        // Six units: two of every three are paid, and the two cheapest are free.
        (
            Benefit::BuyXGetY {
                buy: 2,
                get: 1,
                off_ppm: 1_000_000,
                gets: vec![],
            },
            vec![],
            [0, 0, 10],
        ),
        // Getting two of A twice would need four; so only once, and B is half price.
        (
            Benefit::BuyXGetY {
                buy: 2,
                get: 1,
                off_ppm: 500_000,
                gets: only("B"),
            },
            only("A"),
            [0, 1_250, 0],
        ),
        (
            Benefit::QuantityTiers {
                tiers: vec![
                    QuantityTier {
                        from: 2,
                        off_ppm: 50_000,
                    },
                    QuantityTier {
                        from: 6,
                        off_ppm: 200_000,
                    },
                    QuantityTier {
                        from: 7,
                        off_ppm: 900_000,
                    },
                ],
            },
            vec![],
            [600, 500, 2],
        ),
        (
            Benefit::SubtotalTiers {
                tiers: vec![
                    SubtotalTier {
                        from: usd(5_510),
                        off_ppm: 100_000,
                    },
                    SubtotalTier {
                        from: usd(5_511),
                        off_ppm: 900_000,
                    },
                ],
            },
            vec![],
            [300, 250, 1],
        ),
    ] {
        let offer = Promotion {
            items,
            ..promotion("p", benefit)
        };
        let priced = asked("USD")
            .price(with(vec![offer.clone()]), &cart)
            .unwrap();
        assert_eq!(discounts(&priced), wanted, "{offer:?}");
        assert_eq!(priced.totals.discount_total, wanted.iter().sum::<i64>());
    }
}

#[test]
fn shipping_is_free_by_a_promotion_where_it_says() {
    let cart = cart("USD", &[("A", 1_000, 1)]);
    for (methods, free) in [
        (vec![], true),
        (vec!["standard".to_owned()], true),
        (vec!["express".to_owned()], false),
    ] {
        let offer = Promotion {
            code: Some("ship free".into()),
            ..promotion("p", Benefit::FreeShipping { methods })
        };
        let asked = Asked {
            codes: vec!["SHIPFREE".into()],
            ..asked("USD")
        };
        let priced = asked.price(with(vec![offer]), &cart).unwrap();
        let told = &priced.terms.promotions[0];
        assert_eq!(priced.totals.shipping_total == 0, free);
        assert_eq!(told.discount, if free { 500 } else { 0 });
        assert_eq!(told.passed_over, (!free).then_some(Reason::OtherShipping));
    }
}

#[test]
fn conditions_keep_a_promotion_away_and_say_why() {
    let cart = cart("USD", &[("A", 1_000, 3)]);
    let usd = |amount| vec![Money::new(amount, currency("USD"))];
    let base = || Promotion {
        code: Some("X".into()),
        ..promotion("p", Benefit::Percentage { off_ppm: 100_000 })
    };
    let after = |secs| Some(NOW.plus_secs(secs));
    for (offer, wanted) in [
        (base(), None),
        (
            Promotion {
                starts_at: Some(NOW),
                ends_at: after(1),
                ..base()
            },
            None,
        ),
        (
            Promotion {
                starts_at: after(1),
                ..base()
            },
            Some(Reason::NotStarted),
        ),
        (
            Promotion {
                ends_at: Some(NOW),
                ..base()
            },
            Some(Reason::Ended),
        ),
        (
            Promotion {
                min_subtotal: usd(3_000),
                ..base()
            },
            None,
        ),
        (
            Promotion {
                min_subtotal: usd(3_001),
                ..base()
            },
            Some(Reason::BelowMinimum),
        ),
        (
            Promotion {
                min_subtotal: vec![Money::new(1, currency("EUR"))],
                ..base()
            },
            Some(Reason::NotInCurrency),
        ),
        (
            Promotion {
                min_quantity: Some(3),
                ..base()
            },
            None,
        ),
        (
            Promotion {
                min_quantity: Some(4),
                ..base()
            },
            Some(Reason::NoSuchGoods),
        ),
        (
            Promotion {
                items: vec![Selector::Sku("B".into())],
                ..base()
            },
            Some(Reason::NoSuchGoods),
        ),
        (
            Promotion {
                requires: vec![Selector::Sku("B".into())],
                ..base()
            },
            Some(Reason::NoSuchGoods),
        ),
        (
            Promotion {
                requires: vec![Selector::Sku("A".into())],
                ..base()
            },
            None,
        ),
        (
            Promotion {
                customers: vec!["someone".into()],
                ..base()
            },
            None,
        ),
        (
            Promotion {
                customers: vec!["other".into()],
                ..base()
            },
            None,
        ),
        (
            Promotion {
                first_order: true,
                ..base()
            },
            None,
        ),
        (
            Promotion {
                id: "gone".into(),
                ..base()
            },
            Some(Reason::UsedUp),
        ),
        (
            Promotion {
                benefit: Benefit::Amount {
                    amounts: vec![Money::new(1, currency("EUR"))],
                },
                ..base()
            },
            Some(Reason::NotInCurrency),
        ),
    ] {
        let asked = Asked {
            codes: vec!["X".into()],
            has_ordered: true,
            used_up: vec!["gone".into()],
            ..asked("USD")
        };
        let priced = asked.price(with(vec![offer.clone()]), &cart).unwrap();
        assert_eq!(priced.terms.promotions[0].passed_over, wanted, "{offer:?}");
        assert_eq!(
            priced.totals.discount_total > 0,
            wanted.is_none(),
            "{offer:?}"
        );
    }
}

#[test]
fn a_quote_with_a_code_is_the_same_for_any_address() {
    let cart = cart("USD", &[("A", 1_000, 3)]);
    let ten = Benefit::Percentage { off_ppm: 100_000 };
    let promotions = ["welcome", "few", "each"].map(|id| Promotion {
        code: Some(id.into()),
        first_order: id == "welcome",
        customers: vec!["someone".into(); usize::from(id == "few")],
        limits: Limits {
            per_customer: (id == "each").then_some(1),
            ..Limits::default()
        },
        ..promotion(id, ten.clone())
    });
    let of = |customer, has_ordered| {
        let asked = Asked {
            codes: vec!["WELCOME".into(), "FEW".into(), "EACH".into()],
            customer,
            has_ordered,
            ..asked("USD")
        };
        asked.price(with(promotions.to_vec()), &cart).unwrap()
    };
    assert_eq!(of("someone", false), of("other", true));
    let told = of("other", true).terms.promotions;
    assert!(told.iter().all(|it| it.checked_at_order && it.discount > 0));
}

#[test]
fn what_comes_by_itself_comes_to_whom_it_is_for() {
    let cart = cart("USD", &[("A", 1_000, 3)]);
    let ten = Benefit::Percentage { off_ppm: 100_000 };
    let first = Promotion {
        first_order: true,
        ..promotion("welcome", ten.clone())
    };
    let named = Promotion {
        customers: vec!["someone".into()],
        ..promotion("few", ten)
    };
    for (offer, customer, has_ordered, comes) in [
        (&first, "other", false, true),
        (&first, "other", true, false),
        (&named, "someone", true, true),
        (&named, "other", false, false),
    ] {
        let asked = Asked {
            customer,
            has_ordered,
            ..asked("USD")
        };
        let told = asked.price(with(vec![offer.clone()]), &cart).unwrap();
        assert_eq!(told.terms.promotions.len(), usize::from(comes), "{offer:?}");
    }
}

/// Returns the quote of a cart by `settings`, and the price list behind it.
fn quoted(settings: Settings, cart: &Cart, asked: &Asked<'_>) -> (Quote, PriceList) {
    let list = list(settings, &cart.1);
    let occasion = asked.occasion();
    let priced = price_lines(&cart.0, &list, &occasion, "standard").unwrap();
    let quote = Quote {
        id: "quote_1".into(),
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
fn promotions_that_contradict_themselves_are_told_with_their_place() {
    let ten = |id: &str| promotion(id, Benefit::Percentage { off_ppm: 100_000 });
    let kwd = |amount| Money::new(amount, currency("KWD"));
    let promotions = [
        Promotion {
            code: Some("Ten Off".into()),
            starts_at: Some(NOW),
            ends_at: Some(NOW),
            ..ten("a")
        },
        Promotion {
            code: Some("tenoff".into()),
            limits: Limits {
                total: Some(0),
                per_customer: Some(0),
            },
            ..ten("a")
        },
        Promotion {
            code: Some(" ".into()),
            min_subtotal: vec![kwd(-1), kwd(1)],
            ..ten("b")
        },
        Promotion {
            customers: vec![customer_of("ann@example.com"), "ann".into()],
            ..promotion(
                "c",
                Benefit::Percentage {
                    off_ppm: 10_000_000,
                },
            )
        },
        promotion(
            "d",
            Benefit::Amount {
                amounts: vec![kwd(15)],
            },
        ),
        promotion(
            "e",
            Benefit::BuyXGetY {
                buy: 0,
                get: 1,
                off_ppm: 1,
                gets: vec![],
            },
        ),
        promotion("f", Benefit::QuantityTiers { tiers: vec![] }),
    ];
    let found: Vec<_> = problems_of_promotions(&promotions)
        .into_iter()
        .map(|problem| format!("{} {}", problem.field, problem.code))
        .collect();
    assert_eq!(
        found,
        [
            "promotions[1].id duplicate_id",
            "promotions[0].ends_at invalid_range",
            "promotions[1].limits.total invalid_threshold",
            "promotions[1].limits.per_customer invalid_threshold",
            "promotions[1].code duplicate_code",
            "promotions[2].min_subtotal[0] invalid_threshold",
            "promotions[2].min_subtotal[1] duplicate_currency",
            "promotions[2].code invalid_code",
            "promotions[3].customers[1] invalid_email",
            "promotions[3].benefit.off_ppm invalid_rate",
            "promotions[4].benefit.amounts[0] invalid_price",
            "promotions[5].benefit.buy invalid_threshold",
            "promotions[6].benefit.tiers required",
        ]
    );
}

#[test]
fn what_does_not_stack_stands_alone() {
    let cart = cart("USD", &[("A", 1_000, 1)]);
    let ten = |id: &str, priority, stacks| Promotion {
        priority,
        stacks,
        code: Some(id.into()),
        ..promotion(id, Benefit::Percentage { off_ppm: 100_000 })
    };
    for (promotions, wanted) in [
        // Each on the remaining amount: 10 %, then 10 % of 90 %.
        (
            vec![ten("A", 0, true), ten("B", 0, true)],
            vec![("A", 100, None), ("B", 90, None)],
        ),
        (
            vec![ten("A", 0, false), ten("B", 9, true)],
            vec![("B", 100, None), ("A", 0, Some("B"))],
        ),
        (
            vec![ten("A", 9, false), ten("B", 0, true)],
            vec![("A", 100, None), ("B", 0, Some("A"))],
        ),
        (
            vec![ten("B", 0, false), ten("A", 0, false)],
            vec![("A", 100, None), ("B", 0, Some("A"))],
        ),
    ] {
        let asked = Asked {
            codes: vec!["A".into(), "B".into()],
            ..asked("USD")
        };
        let priced = asked.price(with(promotions), &cart).unwrap();
        let told: Vec<_> = priced
            .terms
            .promotions
            .iter()
            .map(|it| {
                let with = it.passed_over.as_ref().map(|reason| match reason {
                    Reason::DoesNotStack { with } => &**with,
                    other => panic!("{other:?}"),
                });
                (&*it.id, it.discount, with)
            })
            .collect();
        assert_eq!(told, wanted);
    }
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

fn any_benefit(code: &'static str) -> impl Strategy<Value = Benefit> {
    let step = currency(code).charge_increment();
    let part = 1..=1_000_000_i64;
    prop_oneof![
        3 => part.clone().prop_map(|off_ppm| Benefit::Percentage { off_ppm }),
        3 => (1..500_000_i64).prop_map(move |units| Benefit::Amount { amounts: vec![Money::new(units * step, currency(code))] }),
        1 => Just(Benefit::FreeShipping { methods: vec![] }),
        3 => (1..4_u32, 1..4_u32, part.clone(), any_items()).prop_map(|(buy, get, off_ppm, gets)| Benefit::BuyXGetY { buy, get, off_ppm, gets }),
        1 => prop::collection::btree_map(1..40_u32, part.clone(), 1..4).prop_map(|tiers| Benefit::QuantityTiers {
            tiers: tiers.into_iter().map(|(from, off_ppm)| QuantityTier { from, off_ppm }).collect(),
        }),
        1 => prop::collection::btree_map(0..1_000_000_i64, part, 1..4).prop_map(move |tiers| Benefit::SubtotalTiers {
            tiers: tiers.into_iter().map(|(from, off_ppm)| SubtotalTier { from: Money::new(from, currency(code)), off_ppm }).collect(),
        }),
    ]
}

fn any_items() -> impl Strategy<Value = Vec<Selector>> {
    let some = prop::sample::select(vec![
        Selector::Category("red".into()),
        Selector::Category("blue".into()),
        Selector::Sku("SKU0".into()),
    ]);
    prop::collection::vec(some, 0..2)
}

fn any_promotions(code: &'static str) -> impl Strategy<Value = Vec<Promotion>> {
    let one = (
        any_benefit(code),
        any_items(),
        -1..2_i32,
        prop::bool::weighted(0.8),
    );
    prop::collection::vec(one, 0..6).prop_map(|promotions| {
        let numbered = promotions.into_iter().enumerate();
        numbered
            .map(|(at, (benefit, items, priority, stacks))| Promotion {
                items,
                priority,
                stacks,
                ..promotion(&format!("p{at}"), benefit)
            })
            .collect()
    })
}

type Cart = (Vec<Line>, BTreeMap<String, Listing>);

fn any_cart(code: &'static str) -> impl Strategy<Value = Cart> {
    let step = currency(code).charge_increment();
    let category = prop::sample::select(vec!["red", "blue"]);
    let class = prop::sample::select(vec![STANDARD, "reduced", EXEMPT]);
    prop::collection::vec((0..2_000_000_i64, 1..=99_u32, category, class), 1..8).prop_map(
        move |lines| {
            let numbered = lines.into_iter().enumerate();
            numbered
                .map(|(at, (price, quantity, category, class))| {
                    let sku = format!("SKU{at}");
                    let listing = listing(code, price * step, category, class);
                    (
                        Line {
                            sku: sku.clone(),
                            quantity,
                        },
                        (sku, listing),
                    )
                })
                .unzip()
        },
    )
}

#[derive(Clone, Debug)]
struct Case {
    code: &'static str,
    settings: Settings,
    cart: Cart,
    has_vat_number: bool,
}

fn any_case() -> impl Strategy<Value = Case> {
    prop::sample::select(vec!["USD", "JPY", "KWD", "MGA"]).prop_flat_map(|code| {
        let step = currency(code).charge_increment();
        let rates = (0..300_000_i64, 0..100_000_i64, any::<bool>());
        (
            any_cart(code),
            any_promotions(code),
            rates,
            any::<bool>(),
            0..5_000_i64,
            prop::bool::weighted(0.2),
        )
            .prop_map(
                move |(
                    cart,
                    promotions,
                    (standard, second, compound),
                    included,
                    shipping,
                    has_vat_number,
                )| {
                    let rates = vec![
                        rate(STANDARD, standard, false),
                        rate(STANDARD, second, compound),
                        rate("reduced", standard / 2, false),
                    ];
                    let settings = Settings {
                        promotions,
                        ..settings(code, included, rates, shipping * step)
                    };
                    Case {
                        code,
                        settings,
                        cart,
                        has_vat_number,
                    }
                },
            )
    })
}

impl Case {
    fn price(&self, settings: Settings) -> PricedLines {
        let asked = Asked {
            has_vat_number: self.has_vat_number,
            ..asked(self.code)
        };
        asked.price(settings, &self.cart).unwrap()
    }
}

proptest! {
    #[test]
    fn a_quote_holds_while_nothing_that_it_came_from_has_changed(case in any_case()) {
        let asked = Asked { has_vat_number: case.has_vat_number, ..asked(case.code) };
        let (quote, list) = quoted(case.settings.clone(), &case.cart, &asked);
        let same = changed(&list, |_| {});
        prop_assert!(check_quote(&quote, &same).is_ok());
        let shipping = quote.totals.shipping_total;
        let dearer = changed(&list, |it| it.shipping_zones[0].methods[0].rates[0].price.amount += 10_000);
        let is_free = shipping == 0 && quote.terms.shipping.price > 0;
        prop_assert_eq!(check_quote(&quote, &dearer).is_ok(), is_free);
    }

    #[test]
    fn the_settings_of_the_cases_are_accepted(case in any_case()) {
        prop_assert_eq!(case.settings.problems(&[currency(case.code)]), vec![]);
    }

    #[test]
    fn sums_are_exact_and_everything_can_be_charged(case in any_case()) {
        let PricedLines { lines, totals, terms } = case.price(case.settings.clone());
        let step = currency(case.code).charge_increment();
        let on_top = if totals.tax_included { 0 } else { totals.tax_total };
        prop_assert_eq!(totals.subtotal - totals.discount_total + totals.shipping_total + on_top, totals.total);
        prop_assert_eq!(lines.iter().map(|line| line.line_total).sum::<i64>(), totals.subtotal);
        prop_assert_eq!(lines.iter().map(|line| line.tax).sum::<i64>() + totals.shipping_tax, totals.tax_total);
        let charged: i64 = lines.iter().map(|line| totals.charged(line).unwrap()).sum();
        let shipping_on_top = if totals.tax_included { 0 } else { totals.shipping_tax };
        prop_assert_eq!(charged + totals.shipping_total + shipping_on_top, totals.total);
        for (at, line) in lines.iter().enumerate() {
            prop_assert!((0..=line.line_total).contains(&line.discount), "{line:?}");
            prop_assert!(line.tax >= 0 && (!totals.tax_included || line.tax <= line.left()), "{line:?}");
            prop_assert_eq!(terms.promotions_on(at).map(|(_, share)| share).sum::<i64>(), line.discount);
            prop_assert_eq!(line.detail.taxes.iter().map(|part| part.amount).sum::<i64>(), line.tax);
            prop_assert!(line.left() % step == 0 && line.tax % step == 0, "{line:?}");
        }
        prop_assert!(totals.shipping_total >= 0 && totals.shipping_total % step == 0 && totals.total % step == 0);
        let told: i64 = terms.promotions.iter().map(|it| it.discount).sum();
        prop_assert_eq!(told, totals.discount_total + terms.shipping.discount);
    }

    #[test]
    fn nothing_depends_on_the_order_of_promotions(case in any_case(), turn in 0..6_usize) {
        let mut turned = case.settings.clone();
        let count = turned.promotions.len().max(1);
        turned.promotions.rotate_left(turn % count);
        prop_assert_eq!(case.price(case.settings.clone()), case.price(turned));
    }

    #[test]
    fn a_promotion_that_does_not_stack_is_never_beside_another(case in any_case()) {
        let told = case.price(case.settings.clone()).terms.promotions;
        prop_assert!(told.len() <= 1 || told.iter().all(|it| it.stacks), "{told:?}");
    }

    #[test]
    fn a_repeated_quote_says_the_same(case in any_case()) {
        prop_assert_eq!(case.price(case.settings.clone()), case.price(case.settings.clone()));
    }
}
