//! Host names in ASCII (RFC 3492). The platform converts them in URLs, but not in email addresses.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const FIRST_BIAS: u32 = 72;
const FIRST_BEYOND: u32 = 0x80;

/// Encodes a label in ASCII, without the `xn--` prefix: its ASCII letters, followed by the
/// positions of the others. For an overlong label the numbers wrap; such a label is rejected for
/// its length.
#[must_use]
pub fn encoded(label: &str) -> String {
    let points: Vec<u32> = label.chars().map(u32::from).collect();
    let mut encoded: String = label.chars().filter(char::is_ascii).collect();
    let mut handled = count(encoded.len());
    if !encoded.is_empty() {
        encoded.push('-');
    }
    let (mut next, mut delta, mut bias) = (FIRST_BEYOND, 0_u32, FIRST_BIAS);
    let mut is_first = true;
    while let Some(smallest) = points.iter().copied().filter(|it| *it >= next).min() {
        let steps = smallest.wrapping_sub(next);
        delta = delta.wrapping_add(steps.wrapping_mul(handled.wrapping_add(1)));
        for point in &points {
            if *point < smallest {
                delta = delta.wrapping_add(1);
            }
            if *point == smallest {
                push_number(&mut encoded, delta, bias);
                handled = handled.wrapping_add(1);
                bias = adapted(delta, handled, is_first);
                (delta, is_first) = (0, false);
            }
        }
        delta = delta.wrapping_add(1);
        next = smallest.wrapping_add(1);
    }
    encoded
}

/// Appends a number in digits whose weights depend on `bias`.
fn push_number(encoded: &mut String, number: u32, bias: u32) {
    let mut rest = number;
    let mut position = BASE;
    loop {
        let threshold = position.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if rest < threshold {
            break;
        }
        let range = BASE.saturating_sub(threshold).max(1);
        let over = rest.saturating_sub(threshold);
        let digit = threshold.saturating_add(over.checked_rem(range).unwrap_or(0));
        encoded.extend(digit_of(digit));
        rest = over.checked_div(range).unwrap_or(0);
        position = position.saturating_add(BASE);
    }
    encoded.extend(digit_of(rest));
}

fn adapted(delta: u32, handled: u32, is_first: bool) -> u32 {
    let mut delta = delta
        .checked_div(if is_first { DAMP } else { 2 })
        .unwrap_or(0);
    delta = delta.saturating_add(delta.checked_div(handled).unwrap_or(0));
    let mut bias: u32 = 0;
    while delta > 455 {
        delta /= 35;
        bias = bias.saturating_add(BASE);
    }
    let weighed = delta
        .saturating_mul(36)
        .checked_div(delta.saturating_add(SKEW));
    bias.saturating_add(weighed.unwrap_or(0))
}

/// Returns the digit for a value: `a` to `z`, then `0` to `9`.
fn digit_of(value: u32) -> Option<char> {
    let (zero, value) = match value.checked_sub(26) {
        Some(digit) => ('0', digit),
        None => ('a', value),
    };
    char::from_u32(u32::from(zero).checked_add(value)?)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_form_in_ascii() {
        for (name, wanted) in [
            ("müller", "mller-kva"),
            ("bücher", "bcher-kva"),
            ("пример", "e1afmkfd"),
            ("例え", "r8jz45g"),
            ("テスト", "zckzah"),
            ("उदाहरण", "p1b6ci4b4b3a"),
            ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"),
            ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"),
            ("ü", "tda"),
        ] {
            assert_eq!(encoded(name), wanted, "{name}");
        }
    }
}
