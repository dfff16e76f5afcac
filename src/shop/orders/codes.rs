//! Access to an order for someone who has its email but no JavaScript: the order number and a code
//! are typed in.
//!
//! A code has 40 bits, so attempts are limited to five in fifteen minutes for each order number and
//! network, counted exactly in the transaction that looks up the order. Numbers that no order has
//! are counted and answered alike, so that nobody can tell which numbers exist.

use crate::codes::Code;
use crate::error::{Error, Result};
use crate::orders::links::OrderLinks;
use crate::orders::numbers::read_number;
use crate::values::ids::OrderId;
use crate::values::typing::plain_code;
use durable::Timestamp;

/// Maximum attempts at one order from one network within [`TRIES_SECS`].
pub const MAX_TRIES: u32 = 5;

/// Seconds after the first attempt until the count starts again.
pub const TRIES_SECS: u32 = 15 * 60;

/// Length of a code in characters.
const CODE_CHARS: usize = 8;

/// Result of a counted attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Attempts so far, including this one. Counting stops at the first attempt over the limit.
    pub tries: u32,
    /// Id of the order with this number. `None` means that there is none.
    pub order_id: Option<OrderId>,
}

/// Store that counts attempts at codes.
pub trait OrderCodeTries {
    /// Counts an attempt at the order with this number, and returns the order's id.
    async fn count_try(&self, number: i64, network: &str, now: Timestamp) -> Result<Tried>;
}

/// Returns the id of the order with this number and code.
///
/// # Errors
/// 422 for malformed input, and `wrong_code` if number and code do not match; 429 after too many
/// attempts.
pub async fn find_by_code(
    tries: &impl OrderCodeTries,
    links: &OrderLinks,
    (number, code): (&str, &str),
    network: &str,
    now: Timestamp,
) -> Result<OrderId> {
    let number = read_number(number).ok_or_else(|| {
        Error::invalid(
            "number",
            Code::InvalidNumber,
            "An order number consists of digits only.",
        )
    })?;
    let code = read_code(code).ok_or_else(|| {
        Error::invalid(
            "order_code",
            Code::InvalidCode,
            "A code consists of eight letters and digits.",
        )
    })?;
    let tried = tries.count_try(number, network, now).await?;
    if tried.tries > MAX_TRIES {
        return Err(Error::TooMany {
            code: Code::TooManyTries,
            retry_after_secs: TRIES_SECS,
        });
    }
    let found = tried.order_id.filter(|id| links.is_code_of(id, &code));
    found.ok_or_else(|| {
        Error::invalid(
            "order_code",
            Code::WrongCode,
            "There is no order with this number and code.",
        )
    })
}

/// Normalizes a typed or pasted code for comparison, such as `ABCD-EF23` or `abcd ef23`. `None`
/// means it can't be a code.
#[must_use]
pub fn read_code(text: &str) -> Option<String> {
    let code: String = plain_code(text)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|it| match it {
            '0' => 'O',
            '1' => 'I',
            '8' => 'B',
            other => other,
        })
        .collect();
    (code.len() == CODE_CHARS).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_written() {
        for text in [
            "ABCD-EF2B",
            "abcd ef2b",
            " abcdef28 ",
            "ABCD\u{2013}EF2B\u{200b}",
            "ａｂｃｄ－ｅｆ２ｂ",
        ] {
            assert_eq!(read_code(text).as_deref(), Some("ABCDEF2B"), "{text:?}");
        }
        for text in ["", "ABCD-EF2", "ABCD-EF2BX", "äöüß"] {
            assert_eq!(read_code(text), None, "{text:?}");
        }
    }
}
