//! Message signatures by the Standard Webhooks specification (standardwebhooks.com): HMAC-SHA256
//! over ID, time and body, with a secret that is written as `whsec_` and Base64.

use data_encoding::BASE64;
use durable::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// Minimum and maximum length in bytes of a secret, by the specification.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that messages are signed with.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret")
    }
}

impl WebhookSecret {
    /// Reads a secret `whsec_…`; `None` means it is not Base64 of 24 to 64 bytes.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = BASE64
            .decode(text.strip_prefix("whsec_")?.as_bytes())
            .ok()?;
        SECRET_BYTES.contains(&bytes.len()).then_some(Self(bytes))
    }

    /// Returns the headers of a message that is sent at `now`.
    #[must_use]
    pub fn headers(&self, id: &str, body: &str, now: Timestamp) -> [(&'static str, String); 3] {
        let at = now.as_millis().div_euclid(1000).to_string();
        let signature = self.sign(&format!("{id}.{at}.{body}"));
        [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", at),
            ("webhook-signature", signature),
        ]
    }

    fn sign(&self, signed: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new(); // no length of a key is refused
        };
        mac.update(signed.as_bytes());
        format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference library (npm `standardwebhooks` 1.1.1) signs the same message like this.
    #[test]
    fn a_message_is_signed_as_the_reference_does() {
        let secret = WebhookSecret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let now = Timestamp::from_millis(1_614_265_330_999);
        let headers = secret.headers(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "{\"test\": 2432232314}",
            now,
        );
        let values = headers.map(|(_, value)| value);
        assert_eq!(
            values,
            [
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                "1614265330",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ]
        );
    }

    #[test]
    fn a_secret_has_its_form_and_length() {
        for text in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_MfKQ",
            "whsec_?",
        ] {
            assert!(WebhookSecret::read(text).is_none(), "{text}");
        }
    }
}
