//! Tests of shipping prices, rate by rate.

use super::*;
use crate::pricing::shipping::problems::problems_of_shipping_zones;
use crate::values::ids::Sku;
use proptest::prelude::*;

fn usd(amount: i64) -> Money {
    Money::new(amount, Currency::from_code("USD").unwrap())
}

fn method(by: Measure, rates: &[(i64, i64)]) -> ShippingMethod {
    ShippingMethod {
        id: "standard".into(),
        title: "Standard".into(),
        translations: Translations::new(),
        by,
        rates: rates
            .iter()
            .map(|(from, price)| ShippingRate {
                from: *from,
                price: usd(*price),
            })
            .collect(),
        up_to: None,
        free_over: vec![],
        excludes: vec![],
        tax_class: standard(),
        working_days: None,
        pick_up: false,
        pick_up_at: None,
        phone: PhoneRule::Optional,
    }
}

fn zone_of(methods: Vec<ShippingMethod>) -> [ShippingZone; 1] {
    let us = Place {
        country: "US".into(),
        region: None,
        postal_prefix: None,
    };
    [ShippingZone {
        id: "us".into(),
        title: None,
        translations: Translations::new(),
        places: vec![us],
        methods,
    }]
}

#[test]
fn a_step_begins_where_it_says() {
    let steps = [(0, 500), (1_000, 900), (5_000, 0)];
    for by in [Measure::Weight, Measure::Subtotal, Measure::Quantity] {
        let method = method(by, &steps);
        for (measure, wanted) in [(0, 500), (999, 500), (1_000, 900), (4_999, 900), (5_000, 0)] {
            let parcel = Parcel {
                weight_grams: if by == Measure::Weight { measure } else { 77 },
                subtotal: if by == Measure::Subtotal { measure } else { 77 },
                quantity: if by == Measure::Quantity { measure } else { 77 },
            };
            assert_eq!(
                method.price(parcel, usd(0).currency),
                Some(wanted),
                "{by:?} {measure}"
            );
        }
        assert_eq!(
            method.price(Parcel::default(), Currency::from_code("EUR").unwrap()),
            None
        );
    }
}

#[test]
fn limits_thresholds_and_exclusions_hold() {
    let heavy = ShippingMethod {
        up_to: Some(2_000),
        free_over: vec![usd(10_000)],
        ..method(Measure::Weight, &[(0, 500)])
    };
    let parcel = |weight_grams, subtotal| Parcel {
        weight_grams,
        subtotal,
        quantity: 1,
    };
    let price = |parcel| heavy.price(parcel, usd(0).currency);
    assert_eq!(price(parcel(2_000, 9_999)), Some(500));
    assert_eq!(price(parcel(2_000, 10_000)), Some(0));
    assert_eq!(price(parcel(2_001, 10_000)), None);

    let zones = zone_of(vec![ShippingMethod {
        excludes: vec![Selector::Category("batteries".into())],
        ..method(Measure::Nothing, &[(0, 500)])
    }]);
    let categories = ["power".to_owned(), "batteries".to_owned()];
    let lamp = Sku::from("A");
    let goods = |categories| {
        [Goods {
            sku: &lamp,
            categories,
        }]
    };
    let offered = |country, goods: &[Goods<'_>]| {
        let destination = Destination::new(country, None, None);
        let now = Timestamp::default();
        offers(
            &zones,
            &destination,
            goods,
            parcel(0, 0),
            usd(0).currency,
            now,
        )
        .map(|offers| offers.len())
    };
    assert_eq!(offered("US", &goods(&[])), Some(1));
    assert_eq!(offered("US", &goods(&categories)), Some(0));
    assert_eq!(offered("JP", &goods(&[])), None);
}

#[test]
fn a_weekend_is_no_working_day() {
    let friday = Timestamp::from_millis(1_795_132_800_000 + 23 * 3_600_000);
    for (min, max, earliest, latest) in [
        (0, 0, "2026-11-20", "2026-11-20"),
        (1, 3, "2026-11-23", "2026-11-25"),
        (5, 6, "2026-11-27", "2026-11-30"),
    ] {
        let delivery = WorkingDays { min, max }.from(friday);
        assert_eq!((&*delivery.earliest, &*delivery.latest), (earliest, latest));
    }
    let saturday = friday.plus_secs(24 * 60 * 60);
    assert_eq!(
        WorkingDays { min: 0, max: 1 }.from(saturday).earliest,
        "2026-11-23"
    );
}

#[test]
fn an_estimate_names_what_is_offered_and_says_how_long_it_takes() {
    let days = |min, max| Some(WorkingDays { min, max });
    let post = ShippingMethod {
        working_days: days(3, 5),
        ..method(Measure::Nothing, &[(0, 500)])
    };
    let zone = |id: &str, methods| ShippingZone {
        id: id.into(),
        title: None,
        translations: Translations::new(),
        places: vec![],
        methods,
    };
    let zones = [
        zone("silent", vec![method(Measure::Nothing, &[(0, 500)])]),
        zone(
            "near",
            vec![
                ShippingMethod {
                    id: "here".into(),
                    pick_up: true,
                    ..post.clone()
                },
                ShippingMethod {
                    id: "letter".into(),
                    by: Measure::Weight,
                    up_to: Some(100),
                    ..post.clone()
                },
                ShippingMethod {
                    id: "courier".into(),
                    working_days: days(1, 1),
                    excludes: vec![Selector::Sku("A".into())],
                    ..post.clone()
                },
                post,
            ],
        ),
    ];
    let estimated = |sku: &str, weight_grams, code| {
        let goods = [Goods {
            sku: &sku.into(),
            categories: &[],
        }];
        let parcel = Parcel {
            weight_grams,
            ..Parcel::default()
        };
        let currency = Currency::from_code(code).unwrap();
        let estimates = estimates(&zones, &goods, parcel, currency).into_iter();
        let told = estimates.flat_map(|Estimate { zone, methods }| {
            let methods = methods.into_iter();
            methods.map(|(it, days)| format!("{} {} {}", zone.id, it.id, days.max))
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(estimated("A", 101, "USD"), ["near standard 5"]);
    assert_eq!(
        estimated("B", 100, "USD"),
        ["near letter 5", "near courier 1", "near standard 5"]
    );
    assert!(estimated("B", 100, "EUR").is_empty());
}

proptest! {
    #[test]
    fn a_range_is_in_order_and_on_working_days(millis in 0..4_000_000_000_000_i64, min in 0..200_u16, more in 0..50_u16) {
        let DeliveryEstimate { earliest, latest } = WorkingDays { min, max: min + more }.from(Timestamp::from_millis(millis));
        prop_assert!(date(millis / 1000 / DAY_SECS) <= earliest && earliest <= latest);
        for day in [earliest, latest] {
            let weekday = day.parse::<NaiveDate>().unwrap().format("%u").to_string();
            prop_assert!(&*weekday < "6", "{day} is a weekend's");
        }
    }
}

#[test]
fn what_contradicts_itself_is_told_with_its_place() {
    let broken = ShippingMethod {
        title: " ".into(),
        translations: [(Language::German, String::new())].into(),
        up_to: Some(-1),
        free_over: vec![usd(-1), usd(1)],
        working_days: Some(WorkingDays { min: 3, max: 2 }),
        pick_up_at: Some(Place {
            country: "Germany".into(),
            region: None,
            postal_prefix: None,
        }),
        ..method(Measure::Nothing, &[(0, 500), (0, 600), (5, 700), (0, -1)])
    };
    let zones = zone_of(vec![
        broken.clone(),
        ShippingMethod {
            rates: vec![],
            ..method(Measure::Weight, &[])
        },
        ShippingMethod {
            id: "small".into(),
            up_to: Some(4),
            ..method(Measure::Weight, &[(0, 500), (5, 600)])
        },
        ShippingMethod {
            id: "any".into(),
            up_to: Some(4),
            ..method(Measure::Nothing, &[(0, 500)])
        },
    ]);
    let found: Vec<_> = problems_of_shipping_zones(&zones)
        .into_iter()
        .map(|problem| {
            format!(
                "{} {}",
                problem
                    .field
                    .trim_start_matches("shipping_zones[0].methods"),
                problem.code
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "[1].id duplicate_id",
            "[0].free_over[0] invalid_threshold",
            "[0].free_over[1] duplicate_currency",
            "[0].title required",
            "[0].translations.de required",
            "[0].pick_up_at.country invalid_country",
            "[0].pick_up_at invalid_place",
            "[0].up_to invalid_threshold",
            "[0].working_days invalid_range",
            "[0].rates[1].from overlapping_rates",
            "[0].rates[2].from invalid_threshold",
            "[0].rates[3].price invalid_price",
            "[0].rates[3].from overlapping_rates",
            "[1].rates required",
            "[2].up_to invalid_threshold",
            "[3].up_to invalid_threshold",
        ]
    );
}
