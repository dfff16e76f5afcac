//! The way to an order for who has its letter but no script: its number and a code are typed.
//!
//! A code has 40 bits, so guesses are counted: five in a quarter of an hour for each number and
//! network, exactly, in the transaction that looks for the order. They are counted for numbers that
//! no order has as well, and answered alike, so that nobody learns which those are.

use crate::error::{Error, Result};
use crate::orders::links::OrderLinks;
use crate::orders::numbers::read_number;
use crate::values::typing::plain_code;
use durable::Timestamp;

/// Guesses at one order from one network in [`TRIES_SECS`].
pub const MAX_TRIES: u32 = 5;

/// Seconds until guesses are forgotten, from the first on.
pub const TRIES_SECS: u32 = 15 * 60;

/// Characters of a code.
const CODE_CHARS: usize = 8;

/// How a guess stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Guesses so far, this one among them; none beyond the first too many are counted.
    pub tries: u32,
    /// The order with this number.
    pub order_id: Option<String>,
}

/// Guesses at codes, counted.
pub trait OrderCodeTries {
    /// Counts a guess at the order called `number`, and finds it.
    async fn count_try(&self, number: i64, network: &str, now: Timestamp) -> Result<Tried>;
}

/// The id of the order with this number and code.
///
/// # Errors
/// 422 for what can be none, and `wrong_code` when they do not belong together; 429 after too many
/// guesses.
pub async fn find_by_code(
    tries: &impl OrderCodeTries,
    links: &OrderLinks,
    (number, code): (&str, &str),
    network: &str,
    now: Timestamp,
) -> Result<String> {
    let number = read_number(number).ok_or_else(|| {
        Error::invalid(
            "number",
            "invalid_number",
            "An order number has digits only.",
        )
    })?;
    let code = read_code(code).ok_or_else(|| {
        Error::invalid(
            "order_code",
            "invalid_code",
            "A code has eight letters and digits.",
        )
    })?;
    let tried = tries.count_try(number, network, now).await?;
    if tried.tries > MAX_TRIES {
        return Err(Error::TooMany {
            code: "too_many_tries",
            retry_after_secs: TRIES_SECS,
        });
    }
    let found = tried.order_id.filter(|id| links.is_code_of(id, &code));
    found.ok_or_else(|| {
        Error::invalid(
            "order_code",
            "wrong_code",
            "There is no order with this number and code.",
        )
    })
}

/// The code that someone typed or pasted, as it is compared: `ABCD-EF23`, `abcd ef23`. None when it
/// can be none.
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
