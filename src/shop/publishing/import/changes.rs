//! Descriptions of the differences between a product in a file and in the record.

use crate::catalog::Product;
use crate::error::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// Maximum number of differences listed per product.
const MAX_CHANGES: usize = 20;

/// Maximum length of a value in the description, in characters.
const MAX_VALUE_CHARS: usize = 60;

/// Difference between a product in a file and in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct ProductChange {
    /// Handle of the product.
    pub handle: String,
    /// Kind of difference.
    pub change: ChangeKind,
    /// Changed fields, such as `title: "Tee" → "Shirt"`; at most [`MAX_CHANGES`].
    pub fields: Vec<String>,
}

/// Kind of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum ChangeKind {
    /// The product is not in the record yet.
    Create,
    /// The product is different in the record.
    Update,
}

/// Returns the difference between `product` and the record's version of it. `None` means that they
/// are equal.
///
/// # Errors
/// Fails if a product can't be serialized as JSON.
pub fn change_of(existing: Option<&Product>, product: &Product) -> Result<Option<ProductChange>> {
    let Some(existing) = existing else {
        return Ok(Some(ProductChange {
            handle: product.handle.clone(),
            change: ChangeKind::Create,
            fields: vec![],
        }));
    };
    if existing == product {
        return Ok(None);
    }
    let value = |product: &Product| serde_json::to_value(product).map_err(Error::internal);
    let mut fields = Vec::new();
    differences("", &value(existing)?, &value(product)?, &mut fields);
    fields.truncate(MAX_CHANGES);
    Ok(Some(ProductChange {
        handle: product.handle.clone(),
        change: ChangeKind::Update,
        fields,
    }))
}

fn differences(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                let (before, after) = (before.get(name), after.get(name));
                differences(
                    &path,
                    before.unwrap_or(&Value::Null),
                    after.unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for at in 0..before.len().max(after.len()) {
                let (before, after) = (before.get(at), after.get(at));
                differences(
                    &format!("{path}[{at}]"),
                    before.unwrap_or(&Value::Null),
                    after.unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        _ if before == after => {}
        _ => found.push(format!("{path}: {} → {}", short(before), short(after))),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= MAX_VALUE_CHARS {
        return text;
    }
    text.chars()
        .take(MAX_VALUE_CHARS)
        .chain(std::iter::once('…'))
        .collect()
}
