//! Lists of published products: filtered, sorted and paged within one version.

use crate::catalog::availability::PublicStocks;
use crate::catalog::version::{Category, PublishedCatalog, Version, newest_copied};
use crate::catalog::{Card, Product};
use crate::codes::Code;
use crate::error::{Error, Result};
use crate::values::folding::{Said, SearchText, folded, place_in_alphabet};
use crate::values::ids::Sku;
use crate::values::money::Currency;
use durable::board::Posts;
use durable::stock::Availability;
use futures_util::future::try_join_all;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::rc::Rc;

/// Filters, order and page size of a list.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Handle of a category; its subcategories are included.
    pub category: Option<String>,
    /// Search text. Each of its words must occur in the title, vendor, type or a tag, in any
    /// spelling, or be a SKU or barcode.
    pub text: Option<String>,
    /// Vendor, in any spelling.
    pub vendor: Option<String>,
    /// Product type, in any spelling.
    pub r#type: Option<String>,
    /// One of the tags, in any spelling.
    pub tag: Option<String>,
    /// Currency of the price filters and of sorting by price.
    pub currency: Currency,
    /// Minimum price of a variant in minor units. If a maximum is given too, a single variant must
    /// match both.
    pub min_price: Option<i64>,
    /// Maximum price of a variant in minor units.
    pub max_price: Option<i64>,
    /// True for products with a variant that can be bought now, false for those without. If prices
    /// are given, only variants that match them count.
    pub available: Option<bool>,
    /// Order of the list.
    pub sort: Sort,
    /// Maximum number of items on a page.
    pub limit: usize,
}

/// Order of a list; equal items stay in the merchant's order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The merchant's own order.
    #[default]
    Featured,
    /// Cheapest first; products not sold in the currency come last.
    PriceAscending,
    /// Most expensive first; products not sold in the currency come last.
    PriceDescending,
    /// Newest first.
    Newest,
    /// By title, A to Z.
    Title,
}

/// Start of a page within one published version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Sequence number of the version.
    pub seq: i64,
    /// Number of items before this page.
    pub offset: usize,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Items on the page.
    pub items: Vec<Card>,
    /// Start of the next page. `None` means that this page is the last.
    pub next: Option<Cursor>,
    /// Number of items on all pages.
    pub total: usize,
    /// The requested category.
    pub category: Option<Category>,
    /// Vendors, A to Z.
    pub vendors: Vec<Facet>,
    /// Product types, A to Z.
    pub types: Vec<Facet>,
}

/// A value that a list can be narrowed to, in any spelling, and the number of items that would
/// remain with all other filters unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// Most frequent spelling by the merchant.
    pub value: String,
    /// Number of items on all pages.
    pub count: usize,
}

impl Sort {
    /// Parses an order: `price`, `-price`, `newest` or `title`.
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
    /// Query for all products in the merchant's order.
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

/// Returns a page of the published products, starting at `offset`, in the current version.
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

/// Returns a page of the published products with their full documents: the first page of the
/// current version, or the one at `cursor`, in the cursor's version.
///
/// # Errors
/// 404 for a category without products; 410 `cursor_expired` if the cursor's version is no longer
/// stored.
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
        .ok_or(Error::Gone(Code::CursorExpired))?;
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
    query.keep_beside_facets(&mut candidates);
    if let Some(available) = query.available {
        let skus: Vec<&Sku> = candidates.iter().flat_map(|card| &card.skus).collect();
        let known = stocks.public_stocks(&skus).await?;
        candidates.retain(|card| query.is_available(card, &known) == available);
    }
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
    /// Applies all filters but vendor, type and availability.
    fn keep_beside_facets(&self, cards: &mut Vec<&Card>) {
        if let Some(wanted) = self.prices() {
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

    fn prices(&self) -> Option<RangeInclusive<i64>> {
        let (least, most) = (self.min_price, self.max_price);
        (least.is_some() || most.is_some())
            .then(|| least.unwrap_or(i64::MIN)..=most.unwrap_or(i64::MAX))
    }

    /// True if a variant in the requested price range can be bought.
    fn is_available(&self, card: &Card, known: &Posts) -> bool {
        let wanted = self.prices();
        (0..).zip(&card.skus).any(|(place, sku)| {
            let fits = wanted
                .as_ref()
                .is_none_or(|wanted| card.costs(place, self.currency, wanted));
            let stock = known.get(sku.as_str()).copied().unwrap_or_default();
            fits && (card.is_untracked(place) || stock.stock != Availability::Out)
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
            Sort::Title => cards.sort_by_cached_key(|card| place_in_alphabet(&card.title)),
        }
    }
}

impl Facet {
    /// True if this is the facet that a list was narrowed to by `chosen`.
    #[must_use]
    pub fn is(&self, chosen: &str) -> bool {
        folded(&self.value) == folded(chosen)
    }
}

/// Spellings on the cards that match the chosen value of a field. `None` means that no value was
/// chosen.
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

/// Returns the values, A to Z, each with the number of cards that have it. Different spellings
/// count as one value, shown in the most frequent spelling.
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
    let mut facets: Vec<Facet> = spellings
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
        .collect();
    facets.sort_by_cached_key(|facet| place_in_alphabet(&facet.value));
    facets
}

fn is_found(card: &Card, search: &SearchText) -> bool {
    let fields = [&card.title, &card.vendor, &card.r#type];
    let said = fields.into_iter().chain(&card.tags).map(String::as_str);
    let barcodes = card.barcodes.iter().map(String::as_str);
    let codes = card.skus.iter().map(Sku::as_str).chain(barcodes);
    search.finds(&Said::of(said), codes)
}

#[cfg(test)]
mod tests;
