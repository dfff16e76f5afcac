//! Barcodes that identify an article worldwide: GTIN-8, -12, -13 and -14.

/// Prefixes of GTIN-13 that GS1 reserves for use inside a shop, for coupons and for refunds: they
/// identify no article.
const NOT_ARTICLES: [&str; 6] = ["02", "04", "2", "98", "99", "05"];

/// Returns the barcode if it is a valid GTIN. `None` means that it is the shop's own, or mistyped.
#[must_use]
pub fn gtin(barcode: &str) -> Option<&str> {
    let digits = barcode.trim();
    let well_formed = matches!(digits.len(), 8 | 12 | 13 | 14)
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    let article = !NOT_ARTICLES
        .iter()
        .any(|prefix| as_gtin_13(digits).starts_with(prefix));
    (well_formed && article && has_right_check_digit(digits)).then_some(digits)
}

/// Converts a GTIN-12 or GTIN-14 to the form whose prefix is checked, dropping the packaging level.
/// A GTIN-8 stays, because its prefixes are the same.
fn as_gtin_13(digits: &str) -> String {
    match digits.len() {
        12 => format!("0{digits}"),
        14 => digits.chars().skip(1).collect(),
        _ => digits.to_owned(),
    }
}

/// Verifies the check digit: weighted 3 and 1 from the right, the digits add up to a multiple of
/// ten (GS1 General Specifications, 7.9).
fn has_right_check_digit(digits: &str) -> bool {
    let weights = [1_u32, 3].into_iter().cycle();
    let sum = digits
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .zip(weights)
        .map(|(digit, weight)| digit.saturating_mul(weight))
        .fold(0_u32, u32::saturating_add);
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gtin_has_its_length_its_check_digit_and_names_an_article() {
        for barcode in [
            "4006381333931",
            "036000291452",
            "96385074",
            "14006381333938",
            " 4006381333931 ",
        ] {
            assert_eq!(gtin(barcode), Some(barcode.trim()), "{barcode}");
        }
        for barcode in [
            "",
            "4006381333932",
            "400638133393",
            "2012345678903",
            "0212345678909",
            "ABCDEFGHIJKLM",
            "⅑⅑⅑⅑",
        ] {
            assert_eq!(gtin(barcode), None, "{barcode}");
        }
    }
}
