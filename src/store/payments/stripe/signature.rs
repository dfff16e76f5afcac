//! Webhook signatures (docs.stripe.com/webhooks#verify-manually):
//! `Stripe-Signature: t=…,v1=…[,v1=…]`, where `v1` is the HMAC-SHA256 of `t.` and the raw body
//! under the endpoint's secret.
//!
//! Anyone can send a webhook request, so its cost is bounded: a body is hashed once per secret, and
//! not at all for a header whose time is out of range.

use data_encoding::HEXLOWER_PERMISSIVE;
use durable::Timestamp;
use hmac::digest::CtOutput;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Maximum age of a webhook request in seconds: Stripe's default tolerance.
const MAX_AGE_SECS: i64 = 300;

/// Maximum number of seconds that a webhook request may lie in the future, because two clocks
/// differ.
const MAX_AHEAD_SECS: i64 = 60;

/// Maximum length in bytes of a header that is read: ten times what Stripe sends.
const MAX_HEADER_BYTES: usize = 4096;

/// Maximum number of signatures compared, counted from the first. Stripe sends one for each active
/// secret of the endpoint, two while one is rolled. More are ignored rather than rejected, in case
/// Stripe's header grows some day.
const MAX_SIGNATURES: usize = 5;

/// A signature, compared in constant time.
type Tag = CtOutput<Hmac<Sha256>>;

/// Verifies that the header's time is current and that one of its signatures matches one of the
/// secrets.
///
/// # Errors
/// The reason, in words that tell a forger nothing new.
pub fn verify(
    header: Option<&str>,
    body: &[u8],
    secrets: &[String],
    now: Timestamp,
) -> Result<(), &'static str> {
    judge(header, secrets, now, |secret, at| sign(secret, at, body))
}

/// Does the work of [`verify`]. `sign` is called once per secret, and only for a header that may be
/// valid.
fn judge(
    header: Option<&str>,
    secrets: &[String],
    now: Timestamp,
    mut sign: impl FnMut(&str, &str) -> Option<Tag>,
) -> Result<(), &'static str> {
    let header = header.ok_or("The Stripe-Signature header is missing.")?;
    if header.len() > MAX_HEADER_BYTES {
        return Err("The Stripe-Signature header is too long.");
    }
    let at = values(header, "t").next().ok_or(UNREADABLE)?;
    judge_time(at, now)?;
    let signatures: Vec<Tag> = values(header, "v1")
        .filter_map(read_tag)
        .take(MAX_SIGNATURES)
        .collect();
    if signatures.is_empty() {
        return Err(UNREADABLE);
    }
    let holds = secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .filter_map(|secret| sign(secret, at))
        .any(|expected| is_among(&expected, &signatures));
    if holds {
        return Ok(());
    }
    Err("The signature does not match the body.")
}

const UNREADABLE: &str = "The Stripe-Signature header is malformed.";

fn judge_time(at: &str, now: Timestamp) -> Result<(), &'static str> {
    let age = at
        .parse::<i64>()
        .ok()
        .and_then(|at| now.as_secs().checked_sub(at))
        .ok_or("The timestamp of the signature is malformed.")?;
    if !(-MAX_AHEAD_SECS..=MAX_AGE_SECS).contains(&age) {
        return Err("The timestamp of the signature is too old or in the future.");
    }
    Ok(())
}

/// Returns the header's values under this key, in order.
fn values<'a>(header: &'a str, key: &str) -> impl Iterator<Item = &'a str> {
    header
        .split(',')
        .filter_map(|part| part.trim().split_once('='))
        .filter(move |(name, _)| *name == key)
        .map(|(_, value)| value)
}

/// Reads a signature; `None` means it is not 32 bytes in hex.
fn read_tag(hex: &str) -> Option<Tag> {
    let bytes = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?;
    let bytes: [u8; 32] = bytes.try_into().ok()?;
    Some(Tag::new(bytes.into()))
}

fn sign(secret: &str, at: &str, body: &[u8]) -> Option<Tag> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac.finalize())
}

/// Compares every signature, so that the duration reveals nothing.
fn is_among(expected: &Tag, signatures: &[Tag]) -> bool {
    signatures
        .iter()
        .fold(false, |found, signature| found | (signature == expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_795_000_000;
    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn signed(secret: &str, at: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{at}.").as_bytes());
        mac.update(body);
        data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
    }

    fn check(header: &str, body: &[u8], secrets: &[&str]) -> bool {
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        verify(
            Some(header),
            body,
            &secrets,
            Timestamp::from_millis(NOW * 1000),
        )
        .is_ok()
    }

    #[test]
    fn any_signature_by_any_secret_will_do() {
        let good = signed("new", NOW, BODY);
        assert!(check(&format!("t={NOW},v1={good}"), BODY, &["old", "new"]));
        assert!(check(
            &format!("t={NOW},v1={},v1={good},v0=x", "00".repeat(32)),
            BODY,
            &["new"]
        ));
        assert!(!check(&format!("t={NOW},v0={good}"), BODY, &["new"]));
        assert!(!check(&format!("t={NOW},v1={good}"), BODY, &["old"]));
        assert!(!check(&format!("t={NOW},v1={good}"), b"{}", &["new"]));
        assert!(!check(
            &format!("t={NOW},v1={}", signed("", NOW, BODY)),
            BODY,
            &[""]
        ));
        assert!(!check(&format!("t={NOW},v1={good}"), BODY, &[]));
    }

    /// Made by `Stripe.webhooks.generateTestHeaderString` of the official package, version 23.1.0.
    #[test]
    fn what_the_official_package_signs_is_believed() {
        for (body, secret, signature) in [
            (
                r#"{"id":"evt_1"}"#,
                "whsec_one",
                "4aa0c01e89dd5298f5ee398e217d321cee1ec9ac88f56a5d30bdc842031c4e5d",
            ),
            (
                r#"{"name":"Zoë 🛒"}"#,
                "whsec_two",
                "316593a72564489fa0c4bbe138cef822a1c2d9735922beab56eebc685fd4ed08",
            ),
            (
                "",
                "whsec_one",
                "dc6ce4e3ea80fd12b096dd7bce3fe863aec58bd61e5f1394fcde465c4a6ac975",
            ),
        ] {
            let header = format!("t={NOW},v1={signature}");
            assert!(check(&header, body.as_bytes(), &[secret]), "{body}");
            assert!(!check(&header, body.as_bytes(), &["whsec_three"]), "{body}");
        }
    }

    #[test]
    fn a_signature_holds_for_five_minutes_and_one_ahead() {
        for (at, holds) in [
            (NOW - 300, true),
            (NOW - 301, false),
            (NOW + 60, true),
            (NOW + 61, false),
        ] {
            assert_eq!(
                check(
                    &format!("t={at},v1={}", signed("s", at, BODY)),
                    BODY,
                    &["s"]
                ),
                holds,
                "{at}"
            );
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        assert!(
            verify(
                None,
                BODY,
                &["s".to_owned()],
                Timestamp::from_millis(NOW * 1000)
            )
            .is_err()
        );
        let of_words = signed("s", 0, BODY).replace('0', "g");
        for header in [
            "",
            "t",
            "t=,v1=",
            "v1=abc",
            "t=now",
            &format!("t=x,v1={of_words}"),
        ] {
            assert!(!check(header, BODY, &["s"]), "{header}");
        }
    }

    /// Returns the result for `header` and the number of body bytes hashed for it, with two
    /// secrets.
    fn hashed(header: &str, body: &[u8]) -> (bool, usize) {
        let mut bytes = 0;
        let secrets = ["one".to_owned(), "two".to_owned()];
        let now = Timestamp::from_millis(NOW * 1000);
        let verdict = judge(Some(header), &secrets, now, |secret, at| {
            bytes += body.len();
            sign(secret, at, body)
        });
        (verdict.is_ok(), bytes)
    }

    #[test]
    fn many_signatures_cost_as_much_as_one() {
        let body = vec![b'a'; 512 * 1024];
        let forged = format!(",v1={}", "0f".repeat(32));
        for count in [1, 5, 6, 50] {
            let header = format!("t={NOW}{}", forged.repeat(count));
            assert_eq!(hashed(&header, &body), (false, 2 * body.len()), "{count}");
        }
        for signature in [forged.as_str(), ",v1=00"] {
            let header = format!("t={NOW}{}", signature.repeat(2_500));
            assert_eq!(hashed(&header, &body), (false, 0), "{signature}");
        }
    }

    #[test]
    fn nothing_is_hashed_for_what_cannot_hold() {
        let good = signed("one", NOW, BODY);
        for header in [
            format!("t={},v1={}", NOW - 301, signed("one", NOW - 301, BODY)),
            format!("t={},v1={}", NOW + 61, signed("one", NOW + 61, BODY)),
            format!("t=1,v1={good}"),
            format!("t=now,v1={good}"),
            format!("v1={good}"),
            format!("t={NOW}"),
            format!("t={NOW},v1="),
            format!("t={NOW},v1={}", good.replace(|_: char| true, "g")),
            format!("t={NOW},v1={}", good.split_at(62).0),
            format!("t={NOW},v1={good}00"),
            format!("t={NOW},v0={good}"),
            format!("t={NOW},v1={good},v0={}", "x".repeat(MAX_HEADER_BYTES)),
        ] {
            assert_eq!(hashed(&header, BODY), (false, 0), "{header}");
        }
        assert_eq!(hashed(&format!("t={NOW},v1={good}"), BODY).1, BODY.len());
    }

    #[test]
    fn the_first_five_signatures_are_compared() {
        let good = signed("s", NOW, BODY);
        let forged = format!("v1={},", "0f".repeat(32));
        let after = |others: &str| check(&format!("t={NOW},{others}v1={good}"), BODY, &["s"]);
        assert!(after(&forged.repeat(4)));
        assert!(!after(&forged.repeat(5)));
        // A malformed signature does not count toward the maximum.
        assert!(after(&"v1=00,".repeat(20)));
        let before = format!("t={NOW},v1={good},{}", forged.repeat(20));
        assert!(check(&before, BODY, &["s"]));
    }

    proptest! {
        #[test]
        fn a_changed_byte_breaks_the_signature(body in prop::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>()) {
            let header = format!("t={NOW},v1={}", signed("s", NOW, &body));
            prop_assert!(check(&header, &body, &["s"]));
            let mut changed = body.clone();
            let at = at.index(changed.len());
            changed[at] ^= 1;
            prop_assert!(!check(&header, &changed, &["s"]));
        }

        #[test]
        fn no_header_panics(header in ".{0,100}") {
            let _ = check(&header, BODY, &["s"]);
            let _ = check(&format!("t={NOW},v1={header}"), BODY, &["s"]);
        }
    }
}
