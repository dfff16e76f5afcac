//! Validation of shipping zones and their methods.

use crate::codes::Code;
use crate::error::FieldError;
use crate::pricing::places::{problems_of_ids, problems_of_zones};
use crate::pricing::selectors::problems_of_money;
use crate::pricing::shipping::{Measure, ShippingMethod, ShippingZone};
use crate::values::languages::Translations;
use crate::values::money::{Currency, MAX_AMOUNT, Money};

/// Reports contradictions and invalid values in shipping zones.
#[must_use]
pub fn problems_of_shipping_zones(zones: &[ShippingZone]) -> Vec<FieldError> {
    let mut problems = problems_of_zones(zones, "shipping_zones");
    for (at, zone) in zones.iter().enumerate() {
        let field = format!("shipping_zones[{at}]");
        problems.extend(problems_of_titles(
            zone.title.as_deref(),
            &zone.translations,
            &field,
        ));
        let field = format!("{field}.methods");
        let ids = zone.methods.iter().map(|method| &*method.id);
        problems.extend(problems_of_ids(ids, &field));
        for (nth, method) in zone.methods.iter().enumerate() {
            problems.extend(method.problems(&format!("{field}[{nth}]")));
        }
    }
    problems
}

impl ShippingMethod {
    fn problems(&self, field: &str) -> Vec<FieldError> {
        let mut problems = problems_of_money(&self.free_over, &format!("{field}.free_over"));
        problems.extend(problems_of_titles(
            Some(&self.title),
            &self.translations,
            field,
        ));
        let place = self.pick_up_at.as_ref();
        problems.extend(place.and_then(|place| place.problem(&format!("{field}.pick_up_at"))));
        let mut tell = |name: String, code, detail: &str| {
            problems.push(FieldError::new(format!("{field}.{name}"), code, detail));
        };
        if place.is_some_and(|place| !self.pick_up || place.is_anywhere()) {
            let detail =
                "Must be a place in one country, and only for a method with `pick_up` set to true.";
            tell("pick_up_at".into(), Code::InvalidPlace, detail);
        }
        if self.rates.is_empty() {
            tell(
                "rates".into(),
                Code::Required,
                "Must have at least one rate.",
            );
        }
        let reaches = |most: i64| self.rates.iter().all(|rate| rate.from <= most);
        if self
            .up_to
            .is_some_and(|most| most < 0 || self.by == Measure::Nothing || !reaches(most))
        {
            let detail = "Must be 0 or more and not below any rate's `from`; leave it out when rates depend on nothing.";
            tell("up_to".into(), Code::InvalidThreshold, detail);
        }
        if self
            .working_days
            .is_some_and(|days| days.min > days.max || days.max > MAX_WORKING_DAYS)
        {
            let detail = format!(
                "`min` must not exceed `max`, and `max` must not exceed {MAX_WORKING_DAYS}."
            );
            tell("working_days".into(), Code::InvalidRange, &detail);
        }
        let mut steps: Vec<(i64, Currency)> = Vec::new();
        for (at, rate) in self.rates.iter().enumerate() {
            let Money { amount, currency } = rate.price;
            let beyond = self.by == Measure::Nothing && rate.from != 0;
            if rate.from < 0 || beyond {
                let detail = "Must be 0 or more, and 0 when rates depend on nothing.";
                tell(format!("rates[{at}].from"), Code::InvalidThreshold, detail);
            }
            if !(0..=MAX_AMOUNT).contains(&amount)
                || amount.checked_rem(currency.charge_increment()) != Some(0)
            {
                let detail = "Must be 0 or more, in minor units that can be charged.";
                tell(format!("rates[{at}].price"), Code::InvalidPrice, detail);
            }
            if steps.contains(&(rate.from, currency)) {
                let detail = "Another rate in this currency starts at the same value.";
                tell(format!("rates[{at}].from"), Code::OverlappingRates, detail);
            }
            steps.push((rate.from, currency));
        }
        problems
    }
}

/// Reports blank titles and translations, and translations without a title.
fn problems_of_titles(
    title: Option<&str>,
    translations: &Translations,
    field: &str,
) -> Vec<FieldError> {
    let in_other_languages = translations
        .iter()
        .map(|(language, title)| (format!("translations.{}", language.code()), title.as_str()));
    let own = match title {
        None if !translations.is_empty() => Some(""),
        title => title,
    };
    own.map(|title| ("title".to_owned(), title))
        .into_iter()
        .chain(in_other_languages)
        .filter(|(_, title)| title.trim().is_empty())
        .map(|(name, _)| {
            FieldError::new(
                format!("{field}.{name}"),
                Code::Required,
                "Must not be empty: shoppers see this title.",
            )
        })
        .collect()
}

/// Almost a year of working days.
const MAX_WORKING_DAYS: u16 = 250;
