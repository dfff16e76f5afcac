//! Validation of promotions.

use crate::codes::Code;
use crate::error::FieldError;
use crate::pricing::places::problems_of_ids;
use crate::pricing::promotions::{Benefit, Promotion};
use crate::pricing::selectors::problems_of_money;
use crate::values::ids::is_digest;
use crate::values::money::{Currency, MAX_AMOUNT, Money};
use crate::values::typing::plain_code;

/// Reports contradictions and invalid values in promotions.
#[must_use]
pub fn problems_of_promotions(promotions: &[Promotion]) -> Vec<FieldError> {
    let mut problems = problems_of_ids(promotions.iter().map(|it| &*it.id), "promotions");
    let mut codes: Vec<String> = Vec::new();
    for (at, promotion) in promotions.iter().enumerate() {
        let field = format!("promotions[{at}]");
        problems.extend(promotion.problems(&field));
        let Some(code) = promotion.code.as_deref().map(plain_code) else {
            continue;
        };
        if code.is_empty() || code.chars().count() > MAX_CODE_CHARS {
            let detail = format!(
                "Must be 1 to {MAX_CODE_CHARS} characters, not counting spaces, or be left out."
            );
            let problem = FieldError::new(format!("{field}.code"), Code::InvalidCode, detail);
            problems.push(problem);
        }
        if codes.contains(&code) {
            let detail = "Another promotion already has this code.";
            problems.push(FieldError::new(
                format!("{field}.code"),
                Code::DuplicateCode,
                detail,
            ));
        }
        codes.push(code);
    }
    problems
}

const MAX_CODE_CHARS: usize = 64;

impl Promotion {
    fn problems(&self, field: &str) -> Vec<FieldError> {
        let mut problems = problems_of_money(&self.min_subtotal, &format!("{field}.min_subtotal"));
        let mut tell = |name: &str, code, detail: &str| {
            problems.push(FieldError::new(format!("{field}.{name}"), code, detail));
        };
        if self.title.trim().is_empty() {
            tell(
                "title",
                Code::Required,
                "Must not be empty: shoppers see this title.",
            );
        }
        if let (Some(starts_at), Some(ends_at)) = (self.starts_at, self.ends_at)
            && ends_at <= starts_at
        {
            tell("ends_at", Code::InvalidRange, "Must be after the start.");
        }
        for (name, limit) in [
            ("limits.total", self.limits.total),
            ("limits.per_customer", self.limits.per_customer),
            ("min_quantity", self.min_quantity),
        ] {
            if limit == Some(0) {
                tell(
                    name,
                    Code::InvalidThreshold,
                    "Must be at least 1, or be left out.",
                );
            }
        }
        for (at, customer) in self.customers.iter().enumerate() {
            if !is_digest(customer) {
                let detail = "Must be an email address, or the digest of one.";
                tell(&format!("customers[{at}]"), Code::InvalidEmail, detail);
            }
        }
        problems.extend(self.benefit.problems(&format!("{field}.benefit")));
        problems
    }
}

impl Benefit {
    fn problems(&self, field: &str) -> Vec<FieldError> {
        match self {
            Self::Percentage { off_ppm } => problem_of_part(*off_ppm, field).into_iter().collect(),
            Self::FreeShipping { .. } => vec![],
            Self::Amount { amounts } => problems_of_amounts(amounts, &format!("{field}.amounts")),
            Self::BuyXGetY {
                buy, get, off_ppm, ..
            } => {
                let mut problems: Vec<_> = problem_of_part(*off_ppm, field).into_iter().collect();
                for (name, units) in [("buy", *buy), ("get", *get)] {
                    if !(1..=MAX_UNITS).contains(&units) {
                        let detail = format!("Must be 1 to {MAX_UNITS}.");
                        let field = format!("{field}.{name}");
                        problems.push(FieldError::new(field, Code::InvalidThreshold, detail));
                    }
                }
                problems
            }
            Self::QuantityTiers { tiers } => problems_of_tiers(
                tiers
                    .iter()
                    .map(|tier| (i64::from(tier.from), None, tier.off_ppm)),
                field,
            ),
            Self::SubtotalTiers { tiers } => problems_of_tiers(
                tiers
                    .iter()
                    .map(|tier| (tier.from.amount, Some(tier.from.currency), tier.off_ppm)),
                field,
            ),
        }
    }
}

/// Maximum of `buy` and of `get` in a buy-X-get-Y promotion.
const MAX_UNITS: u32 = 1_000;

fn problem_of_part(off_ppm: i64, field: &str) -> Option<FieldError> {
    let detail = "Must be 1 to 1000000 parts per million: 10 % is 100000.";
    (!(1..=1_000_000).contains(&off_ppm))
        .then(|| FieldError::new(format!("{field}.off_ppm"), Code::InvalidRate, detail))
}

fn problems_of_amounts(amounts: &[Money], field: &str) -> Vec<FieldError> {
    let mut problems = problems_of_money(amounts, field);
    if amounts.is_empty() {
        problems.push(FieldError::new(
            field,
            Code::Required,
            "Must have at least one entry.",
        ));
    }
    for (at, money) in amounts.iter().enumerate() {
        let increment = money.currency.charge_increment();
        if money.amount == 0 || money.amount.checked_rem(increment) != Some(0) {
            let detail = format!("Must be more than 0 and a multiple of {increment}.");
            problems.push(FieldError::new(
                format!("{field}[{at}]"),
                Code::InvalidPrice,
                detail,
            ));
        }
    }
    problems
}

fn problems_of_tiers(
    tiers: impl Iterator<Item = (i64, Option<Currency>, i64)>,
    field: &str,
) -> Vec<FieldError> {
    let mut problems = Vec::new();
    let mut steps: Vec<(i64, Option<Currency>)> = Vec::new();
    for (at, (from, currency, off_ppm)) in tiers.enumerate() {
        let field = format!("{field}.tiers[{at}]");
        problems.extend(problem_of_part(off_ppm, &field));
        if !(0..=MAX_AMOUNT).contains(&from) {
            let detail = "Must be 0 or more.";
            let problem = FieldError::new(format!("{field}.from"), Code::InvalidThreshold, detail);
            problems.push(problem);
        }
        if steps.contains(&(from, currency)) {
            let detail = "Another tier starts at the same amount.";
            let problem = FieldError::new(format!("{field}.from"), Code::OverlappingTiers, detail);
            problems.push(problem);
        }
        steps.push((from, currency));
    }
    if steps.is_empty() {
        let detail = "Must have at least one entry.";
        problems.push(FieldError::new(
            format!("{field}.tiers"),
            Code::Required,
            detail,
        ));
    }
    problems
}
