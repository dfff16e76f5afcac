//! Discounts of promotions, and reasons against one.

use super::*;

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
