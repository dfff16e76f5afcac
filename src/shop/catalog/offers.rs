//! Compact storage on a card of the variants' prices and of the untracked variants: an isolate
//! keeps every card in memory.

use crate::catalog::{Card, Product};
use crate::values::money::Currency;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

impl Product {
    /// Returns the prices between the lowest and the highest, as stored on a card.
    pub(super) fn prices_between(&self) -> BTreeMap<String, Vec<i64>> {
        let between = self.amounts().into_iter().map(|(currency, mut prices)| {
            prices.pop_first();
            prices.pop_last();
            (currency.to_owned(), prices.into_iter().collect::<Vec<_>>())
        });
        between.filter(|(_, prices)| !prices.is_empty()).collect()
    }

    /// Returns the prices of the variants as indexes, as stored on a card.
    pub(super) fn price_places(&self) -> Vec<(String, Vec<Option<u16>>)> {
        let mut told = Vec::new();
        let mut last = Vec::new();
        for (currency, amounts) in self.amounts() {
            let place_of: BTreeMap<i64, u16> = amounts.into_iter().zip(0..).collect();
            let variants = self.variants.iter();
            let places = variants.map(|variant| {
                let price = variant.prices.get(currency)?;
                place_of.get(&price.amount).copied()
            });
            let mut places: Vec<Option<u16>> = places.collect();
            if places.iter().all(|place| *place == Some(0)) {
                places.clear();
            }
            if places != last {
                told.push((currency.to_owned(), places.clone()));
                last = places;
            }
        }
        told
    }

    /// Returns the indexes of untracked variants, if others are tracked.
    pub(super) fn untracked_places(&self) -> Vec<u16> {
        if self.variants.iter().all(|variant| !variant.tracked) {
            return Vec::new();
        }
        let places = (0..).zip(&self.variants);
        let untracked = places.filter(|(_, variant)| !variant.tracked);
        untracked.map(|(place, _)| place).collect()
    }

    fn amounts(&self) -> BTreeMap<&str, BTreeSet<i64>> {
        let mut amounts: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
        for (currency, price) in self.variants.iter().flat_map(|variant| &variant.prices) {
            amounts.entry(currency).or_default().insert(price.amount);
        }
        amounts
    }
}

impl Card {
    /// True if a variant is sold in `currency` at a price in `wanted`.
    #[must_use]
    pub fn has_price_in(&self, currency: Currency, wanted: &RangeInclusive<i64>) -> bool {
        let Some(range) = self.price_ranges.get(currency.code()) else {
            return false;
        };
        let mut ends = [range.min, range.max].into_iter();
        let is_between = || match &self.prices_between {
            Some(between) => between
                .get(currency.code())
                .is_some_and(|prices| prices.iter().any(|price| wanted.contains(price))),
            None => range.min <= *wanted.end() && *wanted.start() <= range.max,
        };
        ends.any(|price| wanted.contains(&price)) || is_between()
    }

    /// True if the variant at index `place` is sold in `currency` at a price in `wanted`. For older
    /// cards without that data, true if any variant may be.
    #[must_use]
    pub fn costs(&self, place: usize, currency: Currency, wanted: &RangeInclusive<i64>) -> bool {
        let Some(told) = &self.price_places else {
            return self.has_price_in(currency, wanted);
        };
        let code = currency.code();
        let before = told.iter().take_while(|(first, _)| first.as_str() <= code);
        let price_place = match before.last() {
            Some((_, places)) if !places.is_empty() => places.get(place).copied().flatten(),
            _ => Some(0),
        };
        let price = price_place.and_then(|price_place| self.price_at(code, price_place));
        price.is_some_and(|price| wanted.contains(&price))
    }

    /// True if the stock of the variant at index `place` is not tracked, so that it never sells
    /// out. For older cards without that data, true if any variant's is not.
    #[must_use]
    pub fn is_untracked(&self, place: usize) -> bool {
        let mut places = self
            .untracked_places
            .iter()
            .map(|place| usize::from(*place));
        self.untracked && (self.untracked_places.is_empty() || places.any(|it| it == place))
    }

    fn price_at(&self, code: &str, place: u16) -> Option<i64> {
        let range = self.price_ranges.get(code)?;
        let between = self.prices_between.as_ref().and_then(|it| it.get(code));
        let between = between.into_iter().flatten().copied();
        let mut prices = [range.min].into_iter().chain(between).chain([range.max]);
        prices.nth(usize::from(place))
    }
}
