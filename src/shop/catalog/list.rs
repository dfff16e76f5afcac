//! Lists of published products: filtered, sorted, page by page, within one version.

use crate::error::{Error, Result};
use crate::shop::catalog::version::newest_copied;
use crate::shop::catalog::{Card, Category, Product, Version};
use crate::shop::folding::{Said, SearchText, folded, place_in_alphabet};
use crate::shop::money::Currency;
use crate::shop::ports::{PublicStocks, PublishedCatalog};
use durable::board::Posts;
use durable::stock::Word;
use futures_util::future::try_join_all;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What a list is asked for.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Handle of a category; what is below it is in it.
    pub category: Option<String>,
    /// Each of its words stands in the title, the maker, the kind or a tag, however it is written, or is a SKU or a barcode.
    pub text: Option<String>,
    /// Its maker, however it is written.
    pub vendor: Option<String>,
    /// Its kind, however it is written.
    pub r#type: Option<String>,
    /// One of its tags, however it is written.
    pub tag: Option<String>,
    /// Prices are meant in it.
    pub currency: Currency,
    /// Has a variant for this many minor units or more; where both are given, one variant has to fit both.
    pub min_price: Option<i64>,
    /// Has a variant for this many minor units or less.
    pub max_price: Option<i64>,
    /// Has a variant that can be bought now, or has none.
    pub available: Option<bool>,
    /// The order.
    pub sort: Sort,
    /// Most items on a page.
    pub limit: usize,
}

/// The order of a list; what compares equal stays in the merchant's order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The merchant's own order.
    #[default]
    Featured,
    /// The cheapest first; what is not sold in the currency comes last.
    PriceAscending,
    /// The dearest first; what is not sold in the currency comes last.
    PriceDescending,
    /// The youngest first.
    Newest,
    /// By title, A to Z.
    Title,
}

/// Where a page begins, in one published version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The version that the list walks, by its number.
    pub seq: i64,
    /// Items before this page.
    pub offset: usize,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The items.
    pub items: Vec<Card>,
    /// Where the next page begins; none on the last.
    pub next: Option<Cursor>,
    /// Items on all pages.
    pub total: usize,
    /// The category asked for.
    pub category: Option<Category>,
    /// Who makes it, A to Z.
    pub vendors: Vec<Facet>,
    /// The kinds of things, A to Z.
    pub types: Vec<Facet>,
}

/// A value that a list can be narrowed to, however it is written, and how many items it would then have, all other filters left as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// As the merchant wrote it most often.
    pub value: String,
    /// Items on all pages.
    pub count: usize,
}

impl Sort {
    /// The order of this name: `price`, `-price`, `newest`, `title`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "price" => Some(Self::PriceAscending),
            "-price" => Some(Self::PriceDescending),
            "newest" => Some(Self::Newest),
            "title" => Some(Self::Title),
            _ => None,
        }
    }
}

impl ListQuery {
    /// Everything, in the merchant's order.
    #[must_use]
    pub const fn all(currency: Currency, limit: usize) -> Self {
        Self {
            category: None,
            text: None,
            vendor: None,
            r#type: None,
            tag: None,
            currency,
            min_price: None,
            max_price: None,
            available: None,
            sort: Sort::Featured,
            limit,
        }
    }
}

/// A page of the published products, from `offset` on, in the current version.
///
/// # Errors
/// 404 for a category without products.
pub async fn list_products_from(
    catalog: &impl PublishedCatalog,
    stocks: &impl PublicStocks,
    query: &ListQuery,
    offset: usize,
) -> Result<Listed> {
    newest_copied(catalog, async |version: &Version| {
        page(catalog, stocks, version, query, offset)
            .await
            .map(Some)
    })
    .await?
    .ok_or(Error::NotFound("page"))
}

/// A page of the published products with their whole documents: the first of the current version, or the one at `cursor`, in the
/// version it walks.
///
/// # Errors
/// 404 for a category without products; 410 `cursor_expired` for a cursor whose version is no longer kept.
pub async fn list_products(
    catalog: &impl PublishedCatalog,
    stocks: &impl PublicStocks,
    query: &ListQuery,
    cursor: Option<Cursor>,
) -> Result<(Listed, Vec<Rc<Product>>)> {
    let Some(cursor) = cursor else {
        return newest_copied(catalog, async |version: &Version| {
            whole_page(catalog, stocks, version, query, 0)
                .await
                .map(Some)
        })
        .await?
        .ok_or(Error::NotFound("page"));
    };
    let version = catalog
        .version(cursor.seq)
        .await?
        .ok_or(Error::Gone("cursor_expired"))?;
    whole_page(catalog, stocks, &version, query, cursor.offset).await
}

async fn whole_page(
    catalog: &impl PublishedCatalog,
    stocks: &impl PublicStocks,
    version: &Version,
    query: &ListQuery,
    offset: usize,
) -> Result<(Listed, Vec<Rc<Product>>)> {
    let listed = page(catalog, stocks, version, query, offset).await?;
    let documents = listed.items.iter().map(|card| &card.document);
    let products = try_join_all(documents.map(|key| catalog.product(key))).await?;
    Ok((listed, products))
}

async fn page(
    catalog: &impl PublishedCatalog,
    stocks: &impl PublicStocks,
    version: &Version,
    query: &ListQuery,
    offset: usize,
) -> Result<Listed> {
    let category = match &query.category {
        None => None,
        Some(handle) => Some(
            version
                .category(handle)
                .ok_or(Error::NotFound("category"))?,
        ),
    };
    let keys = category.map_or(&version.cards, |category| &category.cards);
    let documents: Vec<Rc<Vec<Card>>> =
        try_join_all(keys.iter().map(|key| catalog.cards(key))).await?;
    let mut candidates: Vec<&Card> = documents.iter().flat_map(|cards| cards.iter()).collect();
    if let Some(available) = query.available {
        let skus: Vec<&str> = candidates
            .iter()
            .flat_map(|card| card.skus.iter().map(String::as_str))
            .collect();
        let known = stocks.public_stocks(&skus).await?;
        candidates.retain(|card| is_available(card, &known) == available);
    }
    query.keep_beside_facets(&mut candidates);
    let vendor = Chosen::of(query.vendor.as_deref(), &candidates, |card| &card.vendor);
    let kind = Chosen::of(query.r#type.as_deref(), &candidates, |card| &card.r#type);
    let vendors = facets(
        candidates.iter().filter(|card| kind.has(&card.r#type)),
        |card| &card.vendor,
    );
    let types = facets(
        candidates.iter().filter(|card| vendor.has(&card.vendor)),
        |card| &card.r#type,
    );
    let mut matching = candidates;
    matching.retain(|card| vendor.has(&card.vendor) && kind.has(&card.r#type));
    matching.sort_by_key(|card| card.position);
    query.sort(&mut matching);
    let items: Vec<Card> = matching
        .iter()
        .skip(offset)
        .take(query.limit)
        .map(|card| (*card).clone())
        .collect();
    let end = offset.saturating_add(items.len());
    Ok(Listed {
        next: (end < matching.len()).then_some(Cursor {
            seq: version.seq,
            offset: end,
        }),
        total: matching.len(),
        items,
        category: category.cloned(),
        vendors,
        types,
    })
}

impl ListQuery {
    /// By all but vendor and type.
    fn keep_beside_facets(&self, cards: &mut Vec<&Card>) {
        if self.min_price.is_some() || self.max_price.is_some() {
            let (least, most) = (self.min_price, self.max_price);
            let wanted = least.unwrap_or(i64::MIN)..=most.unwrap_or(i64::MAX);
            cards.retain(|card| card.has_price_in(self.currency, &wanted));
        }
        if let Some(tag) = &self.tag {
            let wanted = folded(tag);
            cards.retain(|card| card.tags.iter().any(|tag| folded(tag) == wanted));
        }
        if let Some(text) = &self.text {
            let search = SearchText::read(text);
            cards.retain(|card| is_found(card, &search));
        }
    }

    fn sort(&self, cards: &mut [&Card]) {
        let lowest = |card: &Card| {
            card.price_ranges
                .get(self.currency.code())
                .map(|range| range.min)
        };
        match self.sort {
            Sort::Featured => {}
            Sort::PriceAscending => {
                cards.sort_by_key(|card| lowest(card).unwrap_or(i64::MAX));
            }
            Sort::PriceDescending => {
                cards.sort_by_key(|card| match lowest(card) {
                    Some(price) => (false, Reverse(price)),
                    None => (true, Reverse(0)),
                });
            }
            Sort::Newest => cards.sort_by_key(|card| Reverse(card.created_at)),
            Sort::Title => cards.sort_by_cached_key(|card| place_in_alphabet(&card.title)),
        }
    }
}

impl Facet {
    /// True for what a list was narrowed to by `chosen`.
    #[must_use]
    pub fn is(&self, chosen: &str) -> bool {
        folded(&self.value) == folded(chosen)
    }
}

/// The values of a field, as cards write them, that are what was chosen; none when nothing was.
struct Chosen<'a>(Option<BTreeSet<&'a str>>);

impl<'a> Chosen<'a> {
    fn of(
        chosen: Option<&str>,
        cards: &[&'a Card],
        value_of: impl Fn(&'a Card) -> &'a str,
    ) -> Self {
        let wanted = chosen.map(folded);
        Self(wanted.map(|wanted| {
            let written: BTreeSet<&str> = cards.iter().map(|card| value_of(card)).collect();
            let is_wanted = |value: &&str| folded(value) == wanted;
            written.into_iter().filter(is_wanted).collect()
        }))
    }

    fn has(&self, value: &str) -> bool {
        self.0.as_ref().is_none_or(|values| values.contains(value))
    }
}

/// Values, A to Z, each with the number of cards that have it; one for all ways to write it, as it is written most often.
fn facets<'a>(
    cards: impl Iterator<Item = &'a &'a Card>,
    value_of: impl Fn(&'a Card) -> &'a str,
) -> Vec<Facet> {
    let mut written: BTreeMap<&str, usize> = BTreeMap::new();
    for card in cards {
        let count = written.entry(value_of(card)).or_default();
        *count = count.saturating_add(1);
    }
    let mut spellings: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    for (value, count) in written {
        let of_value = spellings.entry(folded(value)).or_default();
        let sum = of_value.entry(value.trim()).or_default();
        *sum = sum.saturating_add(count);
    }
    spellings.remove("");
    spellings
        .into_values()
        .filter_map(|spellings| {
            let count = spellings.values().sum();
            let (value, _) = spellings
                .into_iter()
                .min_by_key(|(_, count)| Reverse(*count))?;
            Some(Facet {
                value: value.to_owned(),
                count,
            })
        })
        .collect()
}

fn is_found(card: &Card, search: &SearchText) -> bool {
    let fields = [&card.title, &card.vendor, &card.r#type];
    let said = fields.into_iter().chain(&card.tags).map(String::as_str);
    let codes = card.skus.iter().chain(&card.barcodes).map(String::as_str);
    search.finds(&Said::of(said), codes)
}

fn is_available(card: &Card, known: &Posts) -> bool {
    let can_be_bought = |sku: &String| {
        let stock = known.get(sku).copied().unwrap_or_default();
        stock.stock != Word::Out
    };
    card.untracked || card.skus.iter().any(can_be_bought)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::catalog::{Price, Variant};

    fn variant(sku: &str, amount: i64) -> Variant {
        let price = Price {
            amount,
            compare_at_amount: None,
            converted: false,
            conversion: None,
        };
        Variant {
            id: format!("var_{sku}"),
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
        for field in ["prices_between", "barcodes"] {
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
}
