//! Order numbers shown to customers. They are random rather than sequential, so that nobody can
//! tell from two of them how much the shop sells.

use crate::values::ids::OrderId;
use crate::values::typing::plain_code;
use sha2::{Digest, Sha256};

/// Ranges and number of attempts: seven digits first, then eight, for when the seven-digit numbers
/// fill up.
const DRAWS: [(u64, usize); 2] = [(1_000_000, 4), (10_000_000, 4)];

/// Returns the candidate numbers of an order, in the order they are tried. They are derived from
/// its id, which can't be guessed, so placing the order again tries the same numbers.
#[must_use]
pub fn candidate_numbers(order_id: &OrderId) -> Vec<i64> {
    let draws = DRAWS
        .into_iter()
        .flat_map(|(lowest, times)| std::iter::repeat_n(lowest, times));
    draws
        .enumerate()
        .filter_map(|(at, lowest)| number_from(order_id, at, lowest))
        .collect()
}

/// Returns a number with as many digits as `lowest`.
fn number_from(order_id: &OrderId, at: usize, lowest: u64) -> Option<i64> {
    let digest = Sha256::digest(format!("number\0{order_id}\0{at}"));
    let bytes: [u8; 8] = digest.first_chunk().copied()?;
    let range = lowest.checked_mul(9)?;
    let drawn = u64::from_le_bytes(bytes).checked_rem(range)?;
    i64::try_from(lowest.checked_add(drawn)?).ok()
}

/// Parses a typed or pasted order number, such as `1234567`, `#1234567` or `123 45 67`. `None`
/// means it can't be one.
#[must_use]
pub fn read_number(text: &str) -> Option<i64> {
    let signs: &[char] = &['#', '-'];
    let digits = plain_code(text).replace(signs, "");
    let number = digits.parse().ok().filter(|number| *number > 0);
    number.filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_have_seven_digits_and_eight_when_those_are_taken() {
        let mut firsts = BTreeSet::new();
        for order in 0..1_000 {
            let order_id = OrderId::new(format!("ord_{order}"));
            let candidates = candidate_numbers(&order_id);
            assert_eq!(candidates, candidate_numbers(&order_id));
            let digits: Vec<usize> = candidates.iter().map(|it| it.to_string().len()).collect();
            assert_eq!(digits, [7, 7, 7, 7, 8, 8, 8, 8]);
            firsts.insert(candidates[0]);
        }
        assert!(firsts.len() > 990, "{}", firsts.len());
        let first: Vec<&i64> = firsts.iter().collect();
        let gaps: BTreeSet<i64> = first.windows(2).map(|two| two[1] - two[0]).collect();
        assert!(gaps.len() > 500, "they are not counted: {}", gaps.len());
    }

    #[test]
    fn a_number_is_found_however_it_is_written() {
        for text in [
            "1234567",
            "#1234567",
            " # 123 4567 ",
            "123-4567",
            "\u{a0}1234\u{2009}567\u{200b}",
            "＃１２３４５６７",
            "١٢٣٤٥٦٧",
        ] {
            assert_eq!(read_number(text), Some(1_234_567), "{text:?}");
        }
        for text in ["", "#", "0", "12a", "+12", "1.5", "99999999999999999999"] {
            assert_eq!(read_number(text), None, "{text:?}");
        }
        assert_eq!(read_number("-5"), Some(5));
    }
}
