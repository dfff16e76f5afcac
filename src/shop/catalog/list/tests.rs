//! Tests of lists against a simple model, and of the cards they are made of.

use super::*;
use crate::catalog::{Price, Variant};
use crate::values::ids::VariantId;
use durable::stock::PublicStock;
use proptest::prelude::*;

fn variant(sku: &str, amount: i64) -> Variant {
    let price = Price {
        amount,
        compare_at_amount: None,
        converted: false,
        conversion: None,
    };
    Variant {
        id: VariantId::new(format!("var_{sku}")),
        sku: sku.into(),
        sku_generated: false,
        title: String::new(),
        option_values: vec![],
        prices: BTreeMap::from([("USD".to_owned(), price)]),
        barcode: None,
        weight_grams: None,
        image: None,
        tracked: true,
        tax_class: "standard".into(),
        source: BTreeMap::new(),
    }
}

fn card(vendor: &str, amounts: &[i64]) -> Card {
    let variants = amounts
        .iter()
        .map(|amount| variant(&format!("{amount}"), *amount));
    let product = Product {
        title: "Thing".into(),
        vendor: vendor.into(),
        variants: variants.collect(),
        ..Product::default()
    };
    product.card(0, "p".into())
}

#[test]
fn a_price_is_that_of_a_variant() {
    let usd = Currency::from_code("USD").unwrap();
    let listed = |amounts: &[i64], min: Option<i64>, max: Option<i64>| {
        let card = card("", amounts);
        let mut cards = vec![&card];
        let query = ListQuery {
            min_price: min,
            max_price: max,
            ..ListQuery::all(usd, 10)
        };
        query.keep_beside_facets(&mut cards);
        !cards.is_empty()
    };
    for (amounts, min, max, wanted) in [
        (&[1000, 10_000][..], Some(4000), Some(6000), false),
        (&[1000, 5000, 10_000], Some(4000), Some(6000), true),
        (&[1000, 3000, 7000, 10_000], Some(4000), Some(6000), false),
        (&[4000], Some(4000), Some(4000), true),
        (&[1000, 10_000], Some(4000), None, true),
        (&[1000, 10_000], None, Some(4000), true),
        (&[1000, 10_000], Some(10_001), None, false),
        (&[1000], Some(6000), Some(4000), false),
        (&[], None, Some(4000), false),
    ] {
        assert_eq!(
            listed(amounts, min, max),
            wanted,
            "{amounts:?} {min:?} {max:?}"
        );
    }
}

#[test]
fn a_maker_is_one_choice_however_it_is_written() {
    let makers = [
        "Zeta", "ACME", "Acme ", "acme", "Acme", "Örn", "Levi’s", "Levi's", "Nova", "", " ",
    ];
    let cards = makers.map(|maker| card(maker, &[1]));
    let cards: Vec<&Card> = cards.iter().collect();
    let choices = facets(cards.iter(), |card| &card.vendor);
    let told: Vec<(&str, usize)> = choices.iter().map(|it| (&*it.value, it.count)).collect();
    assert_eq!(
        told,
        [
            ("Acme", 4),
            ("Levi's", 2),
            ("Nova", 1),
            ("Örn", 1),
            ("Zeta", 1)
        ]
    );
    for choice in &choices {
        let chosen = Chosen::of(Some(&choice.value), &cards, |card| &card.vendor);
        let left = cards.iter().filter(|card| chosen.has(&card.vendor)).count();
        assert_eq!(left, choice.count, "{}", choice.value);
        assert!(choice.is(&choice.value.to_uppercase()));
    }
}

#[test]
fn cards_of_the_version_before_still_read() {
    let mut stored = serde_json::to_value(card("Acme", &[1000, 5000, 10_000])).unwrap();
    for field in ["prices_between", "price_places", "barcodes"] {
        stored.as_object_mut().unwrap().remove(field);
    }
    let card: Card = serde_json::from_value(stored).unwrap();
    let usd = Currency::from_code("USD").unwrap();
    for (wanted, fits) in [
        (0..=1000, true),
        (4000..=6000, true),
        (0..=999, false),
        (10_001..=20_000, false),
    ] {
        assert_eq!(card.has_price_in(usd, &wanted), fits, "{wanted:?}");
    }
}

const CURRENCIES: [&str; 3] = ["EUR", "JPY", "USD"];

/// Prices of a variant, true if its stock is tracked, and the availability on its board.
type Offer = ([Option<i64>; 3], bool, Option<Availability>);

fn offer() -> impl Strategy<Value = Offer> {
    let amount = || prop::option::weighted(0.8, 0..5_i64);
    let word = prop::sample::select(vec![
        Availability::InStock,
        Availability::Low,
        Availability::Out,
        Availability::Preorder,
    ]);
    (
        [amount(), amount(), amount()],
        prop::bool::weighted(0.8),
        prop::option::of(word),
    )
}

fn product_of(nth: usize, offers: &[Offer]) -> Product {
    let variants = offers
        .iter()
        .enumerate()
        .map(|(place, (amounts, tracked, _))| {
            let priced = variant(&sku(nth, place), 0);
            let price = priced.prices["USD"];
            let prices = CURRENCIES.iter().zip(amounts);
            let prices = prices.filter_map(|(code, amount)| {
                let amount = (*amount)?;
                Some(((*code).to_owned(), Price { amount, ..price }))
            });
            Variant {
                prices: prices.collect(),
                tracked: *tracked,
                ..priced
            }
        });
    Product {
        variants: variants.collect(),
        ..Product::default()
    }
}

fn sku(nth: usize, place: usize) -> String {
    format!("{nth}-{place}")
}

proptest! {
    #[test]
    fn one_variant_costs_what_is_asked_for_and_can_be_bought(
        products in prop::collection::vec(prop::collection::vec(offer(), 1..5), 0..6),
        (min, max) in (prop::option::of(0..6_i64), prop::option::of(0..6_i64)),
        code in prop::sample::select(CURRENCIES.to_vec()),
        available in any::<bool>(),
    ) {
        let query = ListQuery {
            min_price: min,
            max_price: max,
            ..ListQuery::all(Currency::from_code(code).unwrap(), 10)
        };
        let at = CURRENCIES.iter().position(|it| *it == code).unwrap();
        let fits = |(amounts, ..): &Offer| {
            (min.is_none() && max.is_none())
                || amounts[at].is_some_and(|it| min.is_none_or(|min| min <= it) && max.is_none_or(|max| it <= max))
        };
        let is_sold = |(_, tracked, word): &Offer| !tracked || word.is_some_and(|word| word != Availability::Out);
        let mut posts = Posts::new();
        let mut cards = Vec::new();
        for (nth, offers) in products.iter().enumerate() {
            for (place, (.., word)) in offers.iter().enumerate() {
                let post = word.map(|stock| PublicStock { stock, ..PublicStock::default() });
                posts.extend(post.map(|post| (sku(nth, place), post)));
            }
            let position = i64::try_from(nth).unwrap();
            let json = serde_json::to_string(&product_of(nth, offers).card(position, String::new())).unwrap();
            cards.push(serde_json::from_str::<Card>(&json).unwrap());
        }
        let mut listed: Vec<&Card> = cards.iter().collect();
        query.keep_beside_facets(&mut listed);
        listed.retain(|card| query.is_available(card, &posts) == available);
        let found: Vec<i64> = listed.iter().map(|card| card.position).collect();
        let wanted = (0_i64..).zip(&products).filter(|(_, offers)| {
            let mut fitting = offers.iter().filter(|offer| fits(offer)).peekable();
            fitting.peek().is_some() && fitting.any(is_sold) == available
        });
        prop_assert_eq!(found, wanted.map(|(position, _)| position).collect::<Vec<_>>());
    }
}

#[test]
fn a_card_says_little_more_for_the_price_of_each_variant() {
    let bytes_of = |offers: &[Offer]| {
        let card = product_of(0, offers).card(0, String::new());
        let without = Card {
            price_places: None,
            untracked_places: Vec::new(),
            ..card.clone()
        };
        let bytes = |card: &Card| serde_json::to_vec(card).unwrap().len();
        bytes(&card) - bytes(&without)
    };
    let offer = |amount| ([Some(amount); 3], true, None);
    assert_eq!(bytes_of(&[offer(1), offer(1), offer(1)]), 18);
    assert_eq!(bytes_of(&[offer(1), offer(2), offer(3)]), 33);
}
