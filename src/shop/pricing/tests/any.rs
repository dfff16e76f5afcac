//! Properties of prices by any settings and any cart.

use super::*;
use crate::values::ids::Sku;

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

pub(super) type Cart = (Vec<Line>, BTreeMap<Sku, Listing>);

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
                        (Sku::new(sku), listing),
                    )
                })
                .unzip()
        },
    )
}

#[derive(Clone, Debug)]
struct Case {
    pub(super) code: &'static str,
    pub(super) settings: Settings,
    pub(super) cart: Cart,
    pub(super) has_vat_number: bool,
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
    pub(super) fn price(&self, settings: Settings) -> PricedLines {
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
