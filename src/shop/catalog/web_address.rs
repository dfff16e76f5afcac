//! Web addresses given by merchants: of pictures, and in descriptions.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Bytes that must be encoded in an address; `%` is handled separately, because the address may
/// already be encoded.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Returns the address that `text` stands for, percent-encoded: with `http` or `https` and a host,
/// or a path within the shop that begins with `/`. `//host` and `host.example/path` are read as
/// `https`, `folder/a.jpg` as a path within the shop. `None` means that it is not a web address,
/// such as `javascript:` and `data:`.
///
/// Applying it to its own result changes nothing.
#[must_use]
pub fn web_address(text: &str) -> Option<String> {
    // Browsers ignore control characters, and treat a backslash in a path as a slash.
    let text: String = text.trim().chars().filter(|it| !it.is_control()).collect();
    let text = text.trim();
    let path_end = text.find(['?', '#']).unwrap_or(text.len());
    let (path, rest) = text.split_at(path_end);
    let path = path.replace('\\', "/");
    if let Some(place) = path.strip_prefix("//") {
        return of_host("https", place, rest);
    }
    if path.starts_with('/') {
        return Some(encoded(&format!("{path}{rest}")));
    }
    let first = path.split('/').next().unwrap_or_default();
    if let Some((scheme, _)) = first.split_once(':') {
        let scheme = scheme.to_ascii_lowercase();
        let behind = path.get(scheme.len()..)?.strip_prefix("://")?;
        return matches!(scheme.as_str(), "http" | "https")
            .then(|| of_host(&scheme, behind, rest))
            .flatten();
    }
    if first.trim_matches('.').contains('.') && first.len() < path.len() {
        return of_host("https", &path, rest);
    }
    let path = path.trim_start_matches(['.', '/']);
    (!path.is_empty()).then(|| encoded(&format!("/{path}{rest}")))
}

/// Builds an address from `place`, a host with a path, and `rest`, a query with a fragment.
fn of_host(scheme: &str, place: &str, rest: &str) -> Option<String> {
    let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let is_host = host.starts_with(|first: char| first.is_alphanumeric() || first == '%')
        && host
            .chars()
            .all(|it| it.is_alphanumeric() || matches!(it, '.' | '-' | '_' | ':' | '%'));
    is_host.then(|| encoded(&format!("{scheme}://{host}{path}{rest}")))
}

fn encoded(address: &str) -> String {
    let mut encoded = String::with_capacity(address.len());
    for (at, part) in address.split('%').enumerate() {
        if at > 0 {
            let is_code = part
                .as_bytes()
                .get(..2)
                .is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit));
            encoded.push_str(if is_code { "%" } else { "%25" });
        }
        encoded.extend(utf8_percent_encode(part, ENCODED));
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_of_the_web_and_encoded() {
        for (text, address) in [
            (
                "https://cdn.example/my photo ü.jpg",
                "https://cdn.example/my%20photo%20%C3%BC.jpg",
            ),
            (
                " HTTP://cdn.example/a%20b.jpg?v=1&w=é#x ",
                "http://cdn.example/a%20b.jpg?v=1&w=%C3%A9#x",
            ),
            (
                "https://cdn.example/100%.jpg",
                "https://cdn.example/100%25.jpg",
            ),
            (
                "https://cdn.example/a[1]{2}|\"<>^`.jpg",
                "https://cdn.example/a%5B1%5D%7B2%7D%7C%22%3C%3E%5E%60.jpg",
            ),
            ("//cdn.example/a.jpg", "https://cdn.example/a.jpg"),
            (r"\\cdn.example\a.jpg", "https://cdn.example/a.jpg"),
            ("cdn.example/a.jpg", "https://cdn.example/a.jpg"),
            ("https://cdn.example:8443", "https://cdn.example:8443"),
            (
                "https://bücher.example/a.jpg",
                "https://b%C3%BCcher.example/a.jpg",
            ),
            ("/media/a b.svg", "/media/a%20b.svg"),
            ("media/a.jpg", "/media/a.jpg"),
            ("a.jpg", "/a.jpg"),
            ("./a.jpg", "/a.jpg"),
            (".//cdn.example/a.jpg", "/cdn.example/a.jpg"),
            ("https://cdn.exam\nple/a.jpg", "https://cdn.example/a.jpg"),
        ] {
            assert_eq!(web_address(text).as_deref(), Some(address), "{text}");
        }
    }

    #[test]
    fn nothing_else_is_an_address() {
        for text in [
            "",
            " ",
            "javascript:alert(1)",
            "JavaScript://cdn.example/%0aalert(1)",
            "java\tscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "data:image/svg+xml,<svg onload=alert(1)>",
            "vbscript:x",
            "blob:https://cdn.example/1",
            "file:///etc/passwd",
            "ftp://cdn.example/a.jpg",
            r"C:\pictures\a.jpg",
            "mailto:ann@shop.test",
            "https://",
            "https:///a.jpg",
            "https:a.jpg",
            "https://cdn example/a.jpg",
            "https://user:word@cdn.example/a.jpg",
            "//",
            "?a",
        ] {
            assert_eq!(web_address(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_address_is_a_fixed_point_in_ascii(text in r#"(https?:|//|/|[a-z:]{1,3})?[a-zü:/\\\.?#%@ "<>0-9]{0,30}"#) {
            if let Some(address) = web_address(&text) {
                prop_assert!(address.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\".contains(&byte)));
                prop_assert!(["/", "http://", "https://"].iter().any(|beginning| address.starts_with(beginning)));
                prop_assert_eq!(web_address(&address), Some(address));
            }
        }
    }
}
