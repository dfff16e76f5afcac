//! Lists of published products: filtered, sorted, page by page, within one version.

use crate::error::{Error, Result};
use crate::shop::catalog::version::newest_copied;
use crate::shop::catalog::{Card, Category, Product, Version};
use crate::shop::money::Currency;
use crate::shop::ports::{PublicStocks, PublishedCatalog};
use durable::board::Posts;
use durable::stock::Word;
use futures_util::future::try_join_all;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a list is asked for.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Handle of a category; what is below it is in it.
    pub category: Option<String>,
    /// Each of its words stands in the title, the maker, the kind or a tag, whatever the case.
    pub text: Option<String>,
    /// Who makes it, whatever the case.
    pub vendor: Option<String>,
    /// What kind of thing it is, whatever the case.
    pub r#type: Option<String>,
    /// One of its tags, whatever the case.
    pub tag: Option<String>,
    /// Prices are meant in it.
    pub currency: Currency,
    /// Has a variant for this many minor units or more.
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

/// A value that a list can be narrowed to, and how many items it would then have, all other filters left as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// As the merchant wrote it.
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
    candidates.retain(|card| query.accepts_beside_facets(card));
    let of_vendor = |card: &&&Card| query.is_of_vendor(card);
    let of_type = |card: &&&Card| query.is_of_type(card);
    let vendors = facets(candidates.iter().filter(of_type), |card| &card.vendor);
    let types = facets(candidates.iter().filter(of_vendor), |card| &card.r#type);
    let mut matching = candidates;
    matching.retain(|card| query.is_of_vendor(card) && query.is_of_type(card));
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
    fn is_of_vendor(&self, card: &Card) -> bool {
        let wanted = self.vendor.as_ref();
        wanted.is_none_or(|wanted| same(wanted, &card.vendor))
    }

    fn is_of_type(&self, card: &Card) -> bool {
        let wanted = self.r#type.as_ref();
        wanted.is_none_or(|wanted| same(wanted, &card.r#type))
    }

    /// By all but vendor and type.
    fn accepts_beside_facets(&self, card: &Card) -> bool {
        let is_tagged = |wanted: &String| card.tags.iter().any(|tag| same(wanted, tag));
        self.tag.as_ref().is_none_or(is_tagged)
            && self.text.as_ref().is_none_or(|text| has_words(card, text))
            && self.accepts_price(card)
    }

    fn accepts_price(&self, card: &Card) -> bool {
        if self.min_price.is_none() && self.max_price.is_none() {
            return true;
        }
        card.price_ranges
            .get(self.currency.code())
            .is_some_and(|range| {
                self.min_price.is_none_or(|min| range.max >= min)
                    && self.max_price.is_none_or(|max| range.min <= max)
            })
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
            Sort::Title => cards.sort_by_cached_key(|card| card.title.to_lowercase()),
        }
    }
}

/// How many of the cards have each value.
fn facets<'a>(
    cards: impl Iterator<Item = &'a &'a Card>,
    value_of: impl Fn(&'a Card) -> &'a str,
) -> Vec<Facet> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for card in cards {
        let count = counts.entry(value_of(card)).or_default();
        *count = count.saturating_add(1);
    }
    counts
        .into_iter()
        .filter(|(value, _)| !value.is_empty())
        .map(|(value, count)| Facet {
            value: value.to_owned(),
            count,
        })
        .collect()
}

fn has_words(card: &Card, text: &str) -> bool {
    let fields = [&card.title, &card.vendor, &card.r#type];
    let said = fields
        .into_iter()
        .chain(&card.tags)
        .fold(String::new(), |mut said, field| {
            said.push_str(&field.to_lowercase());
            said.push(' ');
            said
        });
    text.to_lowercase()
        .split_whitespace()
        .all(|word| said.contains(word))
}

fn is_available(card: &Card, known: &Posts) -> bool {
    let can_be_bought = |sku: &String| {
        let stock = known.get(sku).copied().unwrap_or_default();
        stock.stock != Word::Out
    };
    card.untracked || card.skus.iter().any(can_be_bought)
}

fn same(wanted: &str, value: &str) -> bool {
    wanted.to_lowercase() == value.to_lowercase()
}
