//! Opaque ids with a prefix that names their kind, and the keyed hashes that make links and cookies
//! unforgeable.

use crate::values::mail_addresses::letters_of;
use data_encoding::{BASE32_NOPAD, BASE32_NOPAD_NOCASE};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Entropy of one id: 128 bits, so that ids can't be guessed.
pub type Entropy = [u8; 16];

/// A new id such as `ord_4f7…`: `prefix` and 26 characters of base 32.
#[must_use]
pub fn new_id(prefix: &str, entropy: Entropy) -> String {
    format!("{prefix}_{}", unique(entropy))
}

/// The unguessable part of an id: 26 characters of base 32.
#[must_use]
pub fn unique(entropy: Entropy) -> String {
    base32(&entropy)
}

/// The id that `name` always has: for records that an import must find again.
#[must_use]
pub fn derived_id(prefix: &str, name: &str) -> String {
    let digest = Sha256::digest(format!("{prefix}\0{name}"));
    format!("{prefix}_{}", base32(digest.get(..16).unwrap_or_default()))
}

/// A short name of some content: equal content, equal digest.
#[must_use]
pub fn digest_of(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    base32(digest.get(..16).unwrap_or_default())
}

/// The UUID that `name` always has, in the shape of a random one (version 4).
#[must_use]
pub fn derived_uuid(name: &str) -> String {
    let digest = Sha256::digest(name);
    let mut uuid = u128::from_be_bytes(digest.first_chunk().copied().unwrap_or_default());
    uuid = (uuid & !(0xf << 76)) | (4 << 76);
    uuid = (uuid & !(0x3 << 62)) | (2 << 62);
    let hex = format!("{uuid:032x}");
    let part = |range| hex.get(range).unwrap_or_default();
    [
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32),
    ]
    .join("-")
}

/// True for a text in the form of an id with this prefix, as [`new_id`] gives.
#[must_use]
pub fn is_id(prefix: &str, text: &str) -> bool {
    let unique = text
        .strip_prefix(prefix)
        .and_then(|it| it.strip_prefix('_'));
    unique.is_some_and(is_digest)
}

/// True for text in the form that [`digest_of`] gives.
#[must_use]
pub fn is_digest(text: &str) -> bool {
    let is_of_base32 = |byte: u8| matches!(byte, b'a'..=b'z' | b'2'..=b'7');
    text.len() == 26 && text.bytes().all(is_of_base32)
}

/// Signs ids, so that whoever shows a signed id was given it by the shop.
#[derive(Clone)]
pub struct Signer {
    /// The first signs; the others are still believed, while one is rolled.
    keys: Vec<Vec<u8>>,
}

impl Signer {
    /// A signer with the shop's secret key, or with several, separated by commas.
    #[must_use]
    pub fn new(keys: &str) -> Self {
        let keys = keys.split(',').map(str::trim).filter(|key| !key.is_empty());
        Self {
            keys: keys.map(|key| key.as_bytes().to_vec()).collect(),
        }
    }

    /// The signature of `id` for one purpose; a signature for another purpose is worth nothing.
    #[must_use]
    pub fn sign(&self, purpose: &str, id: &str) -> String {
        let key = self.keys.first().map_or(&[][..], Vec::as_slice);
        let tag = mac(key, purpose, id).finalize().into_bytes();
        base32(tag.get(..16).unwrap_or_default())
    }

    /// True if `signature` is that of `id`, compared in constant time.
    #[must_use]
    pub fn verify(&self, purpose: &str, id: &str, signature: &str) -> bool {
        BASE32_NOPAD_NOCASE
            .decode(signature.as_bytes())
            .is_ok_and(|tag| {
                let mut keys = self.keys.iter();
                tag.len() == 16
                    && keys.any(|key| mac(key, purpose, id).verify_truncated_left(&tag).is_ok())
            })
    }

    /// A short signature of `id`, for people to type: eight characters, 40 bits. Guesses at it must
    /// be counted.
    #[must_use]
    pub fn code(&self, purpose: &str, id: &str) -> String {
        let key = self.keys.first().map_or(&[][..], Vec::as_slice);
        let tag = mac(key, purpose, id).finalize().into_bytes();
        BASE32_NOPAD.encode(tag.get(..CODE_BYTES).unwrap_or_default())
    }

    /// True if `code` is that of `id`, compared in constant time.
    #[must_use]
    pub fn verify_code(&self, purpose: &str, id: &str, code: &str) -> bool {
        BASE32_NOPAD_NOCASE
            .decode(code.as_bytes())
            .is_ok_and(|tag| {
                let mut keys = self.keys.iter();
                tag.len() == CODE_BYTES
                    && keys.any(|key| mac(key, purpose, id).verify_truncated_left(&tag).is_ok())
            })
    }
}

/// Bytes of a code.
const CODE_BYTES: usize = 5;

fn mac(key: &[u8], purpose: &str, id: &str) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(id.as_bytes());
    mac
}

/// True if two secrets are equal, without telling by time where they differ.
#[must_use]
pub fn equal_secrets(given: &str, expected: &str) -> bool {
    Sha256::digest(given) == Sha256::digest(expected) && !expected.is_empty()
}

fn base32(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

/// Customer that a purchase limit counts: a digest of the order's address, which is all that stock
/// keeps of it.
#[must_use]
pub fn customer_of(email: &str) -> String {
    digest_of(letters_of(email).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_id_and_purpose_alone() {
        let signer = Signer::new("secret");
        let signature = signer.sign("cart", "cart_1");
        assert!(signer.verify("cart", "cart_1", &signature));
        assert!(!signer.verify("cart", "cart_2", &signature));
        assert!(!signer.verify("order", "cart_1", &signature));
        assert!(!Signer::new("other").verify("cart", "cart_1", &signature));
        let cut = &signature[..signature.len() - 2];
        assert!(!signer.verify("cart", "cart_1", cut));
        assert!(!signer.verify("cart", "cart_1", ""));
        assert!(!signer.verify("cart", "cart_1", "ünsinn"));
    }

    #[test]
    fn while_a_key_is_rolled_both_are_believed_and_the_first_signs() {
        let (old, rolling, new) = (
            Signer::new("old"),
            Signer::new(" new , old"),
            Signer::new("new"),
        );
        let of_old = old.sign("cart", "cart_1");
        let of_new = rolling.sign("cart", "cart_1");
        assert_eq!(of_new, new.sign("cart", "cart_1"));
        assert!(rolling.verify("cart", "cart_1", &of_old));
        assert!(rolling.verify("cart", "cart_1", &of_new));
        assert!(!rolling.verify("order", "cart_1", &of_old));
        assert!(!new.verify("cart", "cart_1", &of_old));
        assert!(!Signer::new("").verify(
            "cart",
            "cart_1",
            &Signer::new(",").sign("cart", "cart_1")
        ));
    }

    #[test]
    fn an_empty_secret_matches_nothing() {
        assert!(!equal_secrets("", ""));
        assert!(equal_secrets("a", "a"));
        assert!(!equal_secrets("a", "b"));
    }
}
