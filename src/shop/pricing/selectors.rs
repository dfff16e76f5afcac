//! Selectors of the goods that a rule applies to, and amounts that a rule states per currency.

use crate::catalog::handles::{category_handle, is_category_called};
use crate::codes::Code;
use crate::error::FieldError;
use crate::values::ids::Sku;
use crate::values::money::{Currency, MAX_AMOUNT, Money};
use crate::values::typing::plain_text;
use serde::{Deserialize, Serialize};

/// Goods that a rule applies to, such as `{"category": "electronics--phones"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum Selector {
    /// Everything in the category with this handle and below it. A name without a path matches
    /// every category of that name, at any level.
    Category(String),
    /// Everything in the category with this path of names from the root down, and below it, such as
    /// `["Electronics", "Phones"]`. A single name is a category at the root.
    CategoryPath(Vec<String>),
    /// One SKU.
    Sku(String),
}

/// Facts about goods that a rule can match on.
#[derive(Clone, Copy, Debug)]
pub struct Goods<'a> {
    /// Stock keeping unit.
    pub sku: &'a Sku,
    /// Handles of the product's categories, from the root down.
    pub categories: &'a [String],
}

impl Selector {
    /// True if the selector matches these goods.
    #[must_use]
    pub fn selects(&self, goods: &Goods<'_>) -> bool {
        match self {
            Self::Category(handle) => {
                let mut categories = goods.categories.iter();
                categories.any(|it| it == handle || is_category_called(it, handle))
            }
            Self::CategoryPath(path) => {
                let depth = path.len().checked_sub(1);
                let category = depth.and_then(|depth| goods.categories.get(depth));
                category.is_some_and(|it| *it == category_handle(path))
            }
            Self::Sku(typed) => {
                let sku = goods.sku.as_str();
                sku == typed || (is_pasted(typed) && sku == plain_text(typed))
            }
        }
    }
}

/// True for a SKU that may have been pasted with invisible characters or spaces around it.
fn is_pasted(sku: &str) -> bool {
    !sku.is_ascii() || sku.trim() != sku
}

/// True if any of `selectors` matches these goods. No selectors at all match everything.
#[must_use]
pub fn selects(selectors: &[Selector], goods: &Goods<'_>) -> bool {
    selectors.is_empty() || selectors.iter().any(|it| it.selects(goods))
}

/// Returns the amount in `currency`. `None` means that there is none.
#[must_use]
pub fn amount_in(amounts: &[Money], currency: Currency) -> Option<i64> {
    amounts
        .iter()
        .find(|money| money.currency == currency)
        .map(|money| money.amount)
}

/// Reports amounts below zero or above the maximum, and currencies that appear twice.
pub fn problems_of_money(amounts: &[Money], field: &str) -> Vec<FieldError> {
    let mut problems = Vec::new();
    for (at, money) in amounts.iter().enumerate() {
        let field = format!("{field}[{at}]");
        if !(0..=MAX_AMOUNT).contains(&money.amount) {
            let detail = "Must be 0 or more minor units.";
            problems.push(FieldError::new(&*field, Code::InvalidThreshold, detail));
        }
        if amount_in(amounts.get(..at).unwrap_or_default(), money.currency).is_some() {
            let detail = format!("{} is listed twice.", money.currency);
            problems.push(FieldError::new(field, Code::DuplicateCurrency, detail));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Product;

    #[test]
    fn a_sku_is_selected_however_it_was_pasted() {
        for (typed, sku, wanted) in [
            ("LAMP-1", "LAMP-1", true),
            ("LAMP\u{2011}1\u{200b}", "LAMP-1", true),
            (" LAMP-1", "LAMP-1", true),
            ("ＬＡＭＰ-1", "ＬＡＭＰ-1", true),
            ("lamp-1", "LAMP-1", false),
            ("LAMP1", "LAMP-1", false),
        ] {
            let selector = Selector::Sku(typed.into());
            let goods = Goods {
                sku: &sku.into(),
                categories: &[],
            };
            assert_eq!(selector.selects(&goods), wanted, "{typed}");
        }
    }

    fn selects_path(selector: &str, path: &[&str]) -> bool {
        let product = Product {
            category: path.iter().map(|name| (*name).to_owned()).collect(),
            ..Product::default()
        };
        let selector: Selector = serde_json::from_str(selector).unwrap();
        selector.selects(&Goods {
            sku: &"A".into(),
            categories: &product.category_handles(),
        })
    }

    #[test]
    fn a_path_selects_no_other_of_its_name() {
        for selector in [
            r#"{"category": "men--shoes"}"#,
            r#"{"category_path": ["Men", "Shoes"]}"#,
        ] {
            assert!(selects_path(selector, &["Men", "Shoes"]));
            assert!(selects_path(selector, &["Men", "Shoes", "Boots"]));
            assert!(!selects_path(selector, &["Women", "Shoes"]));
            assert!(!selects_path(selector, &["Shoes"]));
        }
        let at_the_root = r#"{"category_path": ["Shoes"]}"#;
        assert!(selects_path(at_the_root, &["Shoes"]));
        assert!(selects_path(at_the_root, &["Shoes", "Boots"]));
        assert!(!selects_path(at_the_root, &["Men", "Shoes"]));
        assert!(!selects_path(at_the_root, &["Men", "Shoes", "Boots"]));
    }

    #[test]
    fn a_single_name_means_what_it_meant() {
        for path in [
            &["Men", "Shoes"][..],
            &["Women", "Shoes"],
            &["Shoes", "Red"],
        ] {
            assert!(selects_path(r#"{"category": "shoes"}"#, path));
        }
        assert!(selects_path(r#"{"category": "c"}"#, &["Books", "C++"]));
        assert!(!selects_path(r#"{"category": "shoes"}"#, &["Men"]));
        let listed_before = ["men".to_owned(), "shoes".to_owned()];
        let goods = Goods {
            sku: &"A".into(),
            categories: &listed_before,
        };
        assert!(Selector::Category("shoes".into()).selects(&goods));
        assert!(!Selector::CategoryPath(vec!["Shoes".into()]).selects(&goods));
        assert!(Selector::CategoryPath(vec!["Men".into()]).selects(&goods));
        assert!(!Selector::CategoryPath(vec![]).selects(&goods));
    }
}
