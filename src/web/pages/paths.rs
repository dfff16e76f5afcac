//! URLs of pages.

use shop::values::ids::Sku;
use worker::url::form_urlencoded;

/// Encodes `value` for a path or a query.
#[must_use]
pub fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// Returns the path of a category.
#[must_use]
pub fn collection_path(category: &str) -> String {
    format!("/collections/{}", encoded(category))
}

/// Returns the path of a product, or of one of its variants.
#[must_use]
pub fn product_path(handle: &str, sku: Option<&Sku>) -> String {
    let path = format!("/products/{}", encoded(handle));
    match sku {
        Some(sku) => format!("{path}?sku={}", encoded(sku)),
        None => path,
    }
}
