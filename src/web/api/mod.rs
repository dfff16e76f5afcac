//! REST under `/api/v1`, a file a resource, and the shapes it answers with.

pub mod admin;
pub mod cart;
pub mod health;
#[cfg(test)]
mod openapi;
pub mod order_status;
pub mod orders;
pub mod products;
pub mod refunds;
pub mod stock;

use crate::web::http::call::Call;
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde_json::Number;
use shop::error::{Error, Result};
use std::ops::RangeInclusive;

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct List<T> {
    /// The items.
    pub data: Vec<T>,
    /// What `?cursor=` takes for the next page.
    pub next_cursor: Option<String>,
    /// Items on all pages.
    pub total: usize,
}

/// Items on a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 24;

/// Most items on a page.
const MAX_LIMIT: usize = 100;

/// `?limit=`
///
/// # Errors
/// 422 `invalid_limit`.
pub fn limit(call: &Call<'_>) -> Result<usize> {
    let Some(text) = call.query("limit") else {
        return Ok(DEFAULT_LIMIT);
    };
    text.parse()
        .ok()
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| {
            Error::invalid(
                "limit",
                "invalid_limit",
                format!("A whole number from 1 to {MAX_LIMIT}."),
            )
        })
}

/// An opaque cursor of `text`.
#[must_use]
pub fn encode_cursor(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

/// The text of `?cursor=`.
///
/// # Errors
/// 400 `malformed_cursor`.
pub fn decode_cursor(call: &Call<'_>) -> Result<Option<String>> {
    let Some(cursor) = call.query("cursor") else {
        return Ok(None);
    };
    BASE64URL_NOPAD
        .decode(cursor.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Some)
        .ok_or_else(malformed_cursor)
}

/// 400 `malformed_cursor`.
pub fn malformed_cursor() -> Error {
    Error::malformed(
        "malformed_cursor",
        "Cursors are those that a list answered with.",
    )
}

/// A JSON number as a whole number of `range`; none when it is another: a fraction, a negative or a
/// huge one is understood and refused.
#[must_use]
pub fn whole<T: TryFrom<i64>>(number: &Number, range: RangeInclusive<i64>) -> Option<T> {
    number
        .as_i64()
        .filter(|whole| range.contains(whole))
        .and_then(|whole| T::try_from(whole).ok())
}
