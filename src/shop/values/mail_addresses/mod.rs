//! Email addresses: which are accepted, and when two of them are the same.
//!
//! All faces share one parser. It accepts what browsers accept in an email field, and letters of
//! other scripts. It is as strict as the payment provider, which would otherwise reject the session
//! of an order that is already placed.
//!
//! Everything that counts or finds people by address compares the same normalized form, in Rust as
//! well as in SQL, whose `LOWER` knows ASCII only.

mod punycode;

use crate::codes::Code;
use crate::error::FieldError;
use crate::values::typing::plain_text;

/// Maximum length of an address, and of the part before the @ (RFC 5321), in bytes.
const MAX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;

/// Maximum length of a label of a host name, in bytes of its ASCII form (RFC 1035).
const MAX_LABEL_BYTES: usize = 63;

/// Returns the address as stored. `None` means that it is not a valid email address.
#[must_use]
pub fn read_address(typed: &str) -> Option<String> {
    let address = kept_address(typed);
    let (local, host) = address.split_once('@')?;
    let fits = (1..=MAX_LOCAL_BYTES).contains(&local.len())
        && local.chars().all(is_of_local_part)
        && is_host(host)
        && in_ascii(&address).len() <= MAX_BYTES;
    fits.then_some(address)
}

/// Returns the address of a sender, which may have a name before it: `Shop <orders@shop.test>`.
/// `None` means that a provider would reject it.
#[must_use]
pub fn read_sender(sender: &str) -> Option<String> {
    let Some((name, address)) = sender.split_once('<') else {
        return read_address(sender);
    };
    let address = address.trim_end().strip_suffix('>')?;
    is_sender_name(name.trim())
        .then(|| read_address(address))
        .flatten()
}

/// Returns an error if `email` is not a valid address.
#[must_use]
pub fn email_fault(typed: &str) -> Option<FieldError> {
    let detail = "Must be an email address such as name@example.com.";
    read_address(typed)
        .is_none()
        .then(|| FieldError::new("email", Code::InvalidEmail, detail))
}

/// Returns an address as stored, in a form where SQL's `LOWER` gives the same result as
/// [`letters_of`]. ASCII letters are kept as typed.
#[must_use]
pub fn kept_address(typed: &str) -> String {
    if typed.is_ascii() {
        return plain_text(typed);
    }
    plain_text(&lower_beyond_ascii(&plain_text(typed)))
}

/// Returns an address in the form used for comparison, the same for every capitalization.
#[must_use]
pub fn letters_of(address: &str) -> String {
    kept_address(address).to_ascii_lowercase()
}

/// Returns the address as providers accept it, with its host in the ASCII form used on the network
/// (IDNA).
#[must_use]
pub fn in_ascii(address: &str) -> String {
    match address.split_once('@') {
        Some((local, host)) if !host.is_ascii() => {
            let labels: Vec<String> = host.split('.').map(label_in_ascii).collect();
            format!("{local}@{}", labels.join("."))
        }
        _ => address.to_owned(),
    }
}

/// Returns a sender as providers accept it: its name, and its address in the form of [`in_ascii`].
#[must_use]
pub fn sender_in_ascii(sender: &str) -> String {
    let Some(address) = read_sender(sender) else {
        return sender.to_owned();
    };
    let address = in_ascii(&address);
    match sender.split_once('<') {
        Some((name, _)) => format!("{name}<{address}>"),
        None => address,
    }
}

/// True for a valid sender name, which must be in quotes if it contains address separators (RFC
/// 5322).
fn is_sender_name(name: &str) -> bool {
    let (words, signs) = match name.strip_prefix('"') {
        Some(quoted) => (quoted.strip_suffix('"'), "\"\\"),
        // Parentheses contain a comment, which may be part of a name.
        None => (Some(name), "\"\\<>[]:;@,"),
    };
    words.is_some_and(|words| {
        !words.contains(|it: char| it.is_control() || signs.contains(it)) && are_closed(words)
    })
}

/// True if every parenthesis is closed: email programs read everything after an open one as a
/// comment, including the address.
fn are_closed(words: &str) -> bool {
    let open = words.chars().try_fold(0_u32, |open, sign| match sign {
        '(' => open.checked_add(1),
        ')' => open.checked_sub(1),
        _ => Some(open),
    });
    open == Some(0)
}

/// Lower-cases letters beyond ASCII, and replaces the dot of Chinese and Japanese keyboards by the
/// usual one, as in host names.
fn lower_beyond_ascii(plain: &str) -> String {
    let mut kept = String::with_capacity(plain.len());
    for letter in plain.chars() {
        match letter {
            ascii if ascii.is_ascii() => kept.push(ascii),
            '\u{3002}' => kept.push('.'),
            other => kept.extend(other.to_lowercase()),
        }
    }
    kept
}

/// True for characters that HTML accepts before the @ (`input type=email`), and letters of any
/// script. Some email providers assign addresses with a dot before the @, or with two dots in a
/// row.
fn is_of_local_part(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || ".!#$%&'*+/=?^_`{|}~-".contains(character)
        || is_letter_beyond_ascii(character)
}

/// True for two or more labels of which the last is not a number; otherwise it would be an IP
/// address.
fn is_host(host: &str) -> bool {
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    host.rsplit_once('.')
        .is_some_and(|(_, last)| !is_number(last))
        && host.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let of_label = |it: char| it.is_ascii_alphanumeric() || it == '-' || is_letter_beyond_ascii(it);
    !label.is_empty()
        && label.chars().all(of_label)
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label_in_ascii(label).len() <= MAX_LABEL_BYTES
}

/// True for letters and digits beyond ASCII, and the combining signs that some scripts write on
/// them.
fn is_letter_beyond_ascii(character: char) -> bool {
    let is_sign = matches!(character, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{1cff}');
    !character.is_ascii() && (character.is_alphanumeric() || is_sign)
}

fn label_in_ascii(label: &str) -> String {
    if label.is_ascii() {
        return label.to_owned();
    }
    format!("xn--{}", punycode::encoded(&label.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::Connection;

    #[test]
    fn capitals_make_no_other_address() {
        for (one, other) in [
            ("Ä@x.test", "ä@x.test"),
            ("ANN@X.TEST", " ann@x.test "),
            ("ΣΟΦΙΑ@ΜΕΛΙ.test", "σοφια@μελι.test"),
            ("ИРА@x.test", "ира@X.test"),
            ("\u{212a}im@x.test", "kim@x.test"),
        ] {
            assert_eq!(letters_of(one), letters_of(other));
        }
        for (one, other) in [("ä@x.test", "a@x.test"), ("ann@x.test", "ann+1@x.test")] {
            assert_ne!(letters_of(one), letters_of(other));
        }
    }

    #[test]
    fn what_is_typed_in_ascii_is_kept() {
        assert_eq!(kept_address(" Ann.Müller@X.test"), "Ann.Müller@X.test");
        assert_eq!(kept_address("Änn@X.test"), "änn@X.test");
    }

    #[test]
    fn what_letters_reach_is_taken() {
        let long = format!("{}@shopper.test", "a".repeat(64));
        for (typed, kept) in [
            ("ann@shopper.test", "ann@shopper.test"),
            (" ann@shopper.test\u{200b}\n", "ann@shopper.test"),
            ("ann+shop@shopper.test", "ann+shop@shopper.test"),
            ("o'neil@shopper.test", "o'neil@shopper.test"),
            ("ann.@docomo.test", "ann.@docomo.test"),
            ("a..b@docomo.test", "a..b@docomo.test"),
            ("Ann_x/y=z@a-b.shopper.test", "Ann_x/y=z@a-b.shopper.test"),
            ("ａｎｎ＠ｓｈｏｐｐｅｒ。ｔｅｓｔ", "ann@shopper.test"),
            ("ann@mu\u{308}ller.test", "ann@müller.test"),
            ("ann@xn--mller-kva.test", "ann@xn--mller-kva.test"),
            ("ann@उदाहरण.परीक्षा", "ann@उदाहरण.परीक्षा"),
            ("änne@shopper.test", "änne@shopper.test"),
            ("ann@shop\u{2011}per.test", "ann@shop-per.test"),
            ("ann@1.shopper.test", "ann@1.shopper.test"),
            (&long, &long),
        ] {
            assert_eq!(read_address(typed).as_deref(), Some(kept), "{typed:?}");
        }
    }

    #[test]
    fn what_no_letter_reaches_is_refused() {
        let long_local = format!("{}@shopper.test", "a".repeat(65));
        let long_label = format!("ann@{}.test", "a".repeat(64));
        let long_in_ascii = format!("ann@{}.test", "ü".repeat(60));
        let long_host = format!("ann@{}test", "a.".repeat(125));
        for typed in [
            "",
            "@",
            "ann",
            "ann@",
            "@shopper.test",
            "ann@shopper",
            "ann@shopper..test",
            "ann@.shopper.test",
            "ann@shopper.test.",
            "ann,bob@shopper.test",
            "ann@-shopper.test",
            "ann@shopper-.test",
            "ann@shopper.123",
            "ann@[127.0.0.1]",
            "ann@127.0.0.1",
            "<ann@shopper.test>",
            "x<victim@evil.test>",
            "Ann <ann@shopper.test>",
            "\"ann\"@shopper.test",
            "ann bob@shopper.test",
            "ann@sho pper.test",
            "ann@bob@shopper.test",
            "ann@shopper_x.test",
            "ann@shopper.test,bob@shopper.test",
            "ann;bob@shopper.test",
            "mailto:ann@shopper.test",
            "ann@shopper.test\r\nBcc: bob@shopper.test",
            "ann\\@shopper.test",
            "ann(x)@shopper.test",
            "ann\0@shopper.test",
            "ann@shopper.te\u{2603}st",
            "\u{1f600}@shopper.test",
            "ann@shopper!.test",
            &long_local,
            &long_label,
            &long_in_ascii,
            &long_host,
        ] {
            assert_eq!(read_address(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn a_sender_may_have_a_name() {
        for sender in [
            "orders@shop.test",
            " orders@shop.test ",
            "Shop <orders@shop.test>",
            "Bücher & mehr <orders@shop.test> ",
            "\"Shop, Inc.\" <orders@shop.test>",
            "Shop (Berlin) <orders@shop.test>",
            "<orders@shop.test>",
        ] {
            let address = Some("orders@shop.test");
            assert_eq!(read_sender(sender).as_deref(), address, "{sender:?}");
        }
        for sender in [
            "",
            "Shop",
            "Shop <>",
            "Shop (Berlin <orders@shop.test>",
            "Shop) (Berlin <orders@shop.test>",
            "Shop orders@shop.test",
            "Shop <orders@shop>",
            "Shop <orders@shop..test>",
            "Shop <orders@shop.test",
            "Shop orders@shop.test>",
            "Shop <<orders@shop.test>>",
            "Shop <orders@shop.test> more",
            "Shop <a@shop.test>, <b@shop.test>",
            "a@shop.test, b@shop.test",
            "Shop, Inc. <orders@shop.test>",
            "\"Shop <orders@shop.test>",
            "Shop\r\nBcc: ann <orders@shop.test>",
        ] {
            assert_eq!(read_sender(sender), None, "{sender:?}");
        }
    }

    #[test]
    fn providers_are_given_hosts_in_ascii() {
        for (address, wanted) in [
            ("ann@shopper.test", "ann@shopper.test"),
            ("Ann@Müller.test", "Ann@xn--mller-kva.test"),
            ("änne@bücher.пример", "änne@xn--bcher-kva.xn--e1afmkfd"),
        ] {
            assert_eq!(in_ascii(&kept_address(address)), wanted);
        }
    }

    #[test]
    fn providers_are_given_senders_in_ascii() {
        for (sender, wanted) in [
            ("Shop <orders@shop.test>", "Shop <orders@shop.test>"),
            (
                "Bücher <post@Bücher.test> ",
                "Bücher <post@xn--bcher-kva.test>",
            ),
            (
                "\"Ü @ home\" <a@bücher.пример>",
                "\"Ü @ home\" <a@xn--bcher-kva.xn--e1afmkfd>",
            ),
            (" post@ｂücher.test ", "post@xn--bcher-kva.test"),
            ("nobody", "nobody"),
        ] {
            assert_eq!(sender_in_ascii(sender), wanted);
        }
    }

    fn in_sql(database: &Connection, kept: &str) -> String {
        let lower = "SELECT LOWER(TRIM(?1))";
        database.query_row(lower, [kept], |row| row.get(0)).unwrap()
    }

    proptest! {
        #[test]
        fn sql_compares_what_rust_does(typed in "[^\\s\\x00]{0,40}", capitals in "[A-ZÄÖÜßÇÑΣΩЖİǅ@.]{0,20}") {
            let database = Connection::open_in_memory().unwrap();
            for address in [typed, capitals] {
                let kept = kept_address(&address);
                prop_assert_eq!(in_sql(&database, &kept), letters_of(&address));
                prop_assert_eq!(kept_address(&kept), kept);
            }
        }

        #[test]
        fn what_is_taken_is_taken_as_it_is_kept(typed in "[a-zA-ZäÜ.+'<> ,@\u{200b}-]{1,8}@[a-zäÜ0-9.-]{1,12}\\.[a-z0-9]{1,3}") {
            if let Some(kept) = read_address(&typed) {
                prop_assert_eq!(read_address(&kept), Some(kept.clone()));
                prop_assert!(kept.split('@').count() == 2 && !kept.contains([' ', ',', '<', '>']));
            }
        }
    }
}
