//! The signature of a delivery (docs.stripe.com/webhooks#verify-manually): `Stripe-Signature: t=…,v1=…[,v1=…]`, where `v1` is the
//! HMAC-SHA256 of `t.` and the raw body under the endpoint's secret.

use data_encoding::HEXLOWER_PERMISSIVE;
use durable::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A delivery may be this old, in seconds: Stripe's default tolerance.
const MAX_AGE_SECS: i64 = 300;

/// A delivery may be this far ahead, in seconds, by the difference of two clocks.
const MAX_AHEAD_SECS: i64 = 60;

/// Whether any signature of the header is that of any secret, and of now.
///
/// # Errors
/// What is wrong, in words that tell a forger nothing new.
pub fn verify(
    header: Option<&str>,
    body: &[u8],
    secrets: &[String],
    now: Timestamp,
) -> Result<(), &'static str> {
    let header = header.ok_or("The Stripe-Signature header is missing.")?;
    let (at, signatures) = parse(header).ok_or("The Stripe-Signature header does not read.")?;
    let known = secrets.iter().any(|secret| {
        signatures
            .iter()
            .any(|signature| is_signed(signature, at, body, secret))
    });
    if !known {
        return Err("The signature is not that of this body.");
    }
    let age = at
        .parse::<i64>()
        .ok()
        .and_then(|at| now.as_secs().checked_sub(at))
        .ok_or("The time of the signature does not read.")?;
    if !(-MAX_AHEAD_SECS..=MAX_AGE_SECS).contains(&age) {
        return Err("The signature is too old or ahead of time.");
    }
    Ok(())
}

/// The time as it was signed, and every `v1`.
fn parse(header: &str) -> Option<(&str, Vec<Vec<u8>>)> {
    let mut at = None;
    let mut signatures = Vec::new();
    for (key, value) in header
        .split(',')
        .filter_map(|part| part.trim().split_once('='))
    {
        match key {
            "t" => at = at.or(Some(value)),
            "v1" => signatures.extend(HEXLOWER_PERMISSIVE.decode(value.as_bytes()).ok()),
            _ => {}
        }
    }
    Some((at?, signatures)).filter(|(_, signatures)| !signatures.is_empty())
}

/// In constant time.
fn is_signed(signature: &[u8], at: &str, body: &[u8], secret: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    !secret.is_empty() && mac.verify_slice(signature).is_ok()
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

    /// Made by `Stripe.webhooks.generateTestHeaderString` of the official package, 23.1.0.
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
        }
    }
}
