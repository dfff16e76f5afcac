//! REST under `/api/v1`, with one file per resource.

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
use shop::codes::Code;
use shop::error::{Error, Result};
use std::ops::RangeInclusive;

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct List<T> {
    /// Items on this page.
    pub data: Vec<T>,
    /// `?cursor=` of the next page; `None` means this is the last one.
    pub next_cursor: Option<String>,
    /// Number of items on all pages.
    pub total: usize,
}

/// Default number of items on a page.
const DEFAULT_LIMIT: usize = 24;

/// Maximum number of items on a page.
const MAX_LIMIT: usize = 100;

/// Reads `?limit=`.
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
                Code::InvalidLimit,
                format!("Must be a whole number from 1 to {MAX_LIMIT}."),
            )
        })
}

/// Returns an opaque cursor that encodes `text`.
#[must_use]
pub fn encode_cursor(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

/// Decodes `?cursor=`.
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

/// Returns 400 `malformed_cursor`.
pub fn malformed_cursor() -> Error {
    Error::malformed(
        Code::MalformedCursor,
        "Must be a `next_cursor` from an earlier response.",
    )
}

/// Reads a JSON number as a whole number within `range`; `None` for any other number, such as a
/// fraction, a negative or a huge one, so that it is understood and rejected.
#[must_use]
pub fn whole<T: TryFrom<i64>>(number: &Number, range: RangeInclusive<i64>) -> Option<T> {
    number
        .as_i64()
        .filter(|whole| range.contains(whole))
        .and_then(|whole| T::try_from(whole).ok())
}
