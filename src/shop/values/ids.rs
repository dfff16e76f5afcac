//! Opaque ids with a prefix for their kind, and the keyed hashes that make links and cookies
//! unforgeable.

use crate::values::mail_addresses::letters_of;
use data_encoding::{BASE32_NOPAD, BASE32_NOPAD_NOCASE};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// Declares the id of one kind of thing: text in JSON and SQL, and never the id of another kind.
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[repr(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes a text from outside, or a new id, as an id of this kind.
            #[must_use]
            pub const fn new(id: String) -> Self {
                Self(id)
            }

            /// Text of the id.
            #[must_use]
            pub const fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// Gives up the type, for what takes any text.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        #[cfg(any(test, feature = "testing"))]
        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }
    };
}

id_type! {
    /// Id of a cart, `cart_…`. The id of an order does not compile in its place:
    ///
    /// ```compile_fail,E0308
    /// use shop::values::ids::{CartId, OrderId};
    ///
    /// fn freeze(cart_id: &CartId) {}
    ///
    /// let order_id = OrderId::new("ord_1".to_owned());
    /// freeze(&order_id);
    /// ```
    CartId
}

id_type! {
    /// Id of a quote, `quote_…`. A text or the id of something else does not compile in its place:
    ///
    /// ```compile_fail,E0308
    /// use shop::values::ids::QuoteId;
    ///
    /// fn ordered_from(quote_id: &QuoteId) {}
    ///
    /// let cart_id = "cart_1".to_owned();
    /// ordered_from(&cart_id);
    /// ```
    QuoteId
}

id_type! {
    /// SKU, which names a variant for good:
    ///
    /// ```compile_fail,E0308
    /// use shop::values::ids::{QuoteId, Sku};
    ///
    /// fn stock_of(sku: &Sku) {}
    ///
    /// let quote_id = QuoteId::new("quote_1".to_owned());
    /// stock_of(&quote_id);
    /// ```
    Sku
}

id_type! {
    /// Id of a product, `prod_…`; empty for one that is not stored yet:
    ///
    /// ```compile_fail,E0308
    /// use shop::values::ids::{ProductId, VariantId};
    ///
    /// fn stored(product_id: &ProductId) {}
    ///
    /// let variant_id = VariantId::new("var_1".to_owned());
    /// stored(&variant_id);
    /// ```
    #[derive(Default)]
    ProductId
}

id_type! {
    /// Id of a variant, `var_…`; empty for one that is not stored yet.
    #[derive(Default)]
    VariantId
}

id_type! {
    /// Id of an order, `ord_…`. No other kind of id compiles in its place:
    ///
    /// ```compile_fail,E0308
    /// use shop::values::ids::{OrderId, QuoteId};
    ///
    /// fn placed(order_id: &OrderId) {}
    ///
    /// let quote_id = QuoteId::new("quote_1".to_owned());
    /// placed(&quote_id);
    /// ```
    OrderId
}

/// Entropy of one id: 128 bits, so that ids can't be guessed.
pub type Entropy = [u8; 16];

/// Returns a new id such as `ord_4f7…`: `prefix` and 26 characters in base 32.
#[must_use]
pub fn new_id(prefix: &str, entropy: Entropy) -> String {
    format!("{prefix}_{}", unique(entropy))
}

/// Returns the unguessable part of an id: 26 characters in base 32.
#[must_use]
pub fn unique(entropy: Entropy) -> String {
    base32(&entropy)
}

/// Returns the id that is always the same for `name`, for records that must be found again.
#[must_use]
pub fn derived_id(prefix: &str, name: &str) -> String {
    let digest = Sha256::digest(format!("{prefix}\0{name}"));
    format!("{prefix}_{}", base32(digest.get(..16).unwrap_or_default()))
}

/// Returns a digest of some content; equal content has an equal digest.
#[must_use]
pub fn digest_of(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    base32(digest.get(..16).unwrap_or_default())
}

/// Returns the UUID that is always the same for `name`, in the form of a random one (version 4).
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

/// True for a text in the form of an id with this prefix, as returned by [`new_id`].
#[must_use]
pub fn is_id(prefix: &str, text: &str) -> bool {
    let unique = text
        .strip_prefix(prefix)
        .and_then(|it| it.strip_prefix('_'));
    unique.is_some_and(is_digest)
}

/// True for a text in the form returned by [`digest_of`].
#[must_use]
pub fn is_digest(text: &str) -> bool {
    let is_of_base32 = |byte: u8| matches!(byte, b'a'..=b'z' | b'2'..=b'7');
    text.len() == 26 && text.bytes().all(is_of_base32)
}

/// Signs ids, so that a signed id proves that the shop issued it.
#[derive(Clone)]
pub struct Signer {
    /// Keys. The first one signs; the others are still accepted during a key rotation.
    keys: Vec<Vec<u8>>,
}

impl Signer {
    /// Builds a signer from the shop's secret key, or from several separated by commas.
    #[must_use]
    pub fn new(keys: &str) -> Self {
        let keys = keys.split(',').map(str::trim).filter(|key| !key.is_empty());
        Self {
            keys: keys.map(|key| key.as_bytes().to_vec()).collect(),
        }
    }

    /// Signs `id` for one purpose; the signature is not valid for any other.
    #[must_use]
    pub fn sign(&self, purpose: &str, id: &str) -> String {
        let key = self.keys.first().map_or(&[][..], Vec::as_slice);
        let tag = mac(key, purpose, id).finalize().into_bytes();
        base32(tag.get(..16).unwrap_or_default())
    }

    /// True if `signature` is valid for `id`; compares in constant time.
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

    /// Returns a short signature of `id` for people to type: eight characters, 40 bits. Attempts to
    /// guess it must be limited.
    #[must_use]
    pub fn code(&self, purpose: &str, id: &str) -> String {
        let key = self.keys.first().map_or(&[][..], Vec::as_slice);
        let tag = mac(key, purpose, id).finalize().into_bytes();
        BASE32_NOPAD.encode(tag.get(..CODE_BYTES).unwrap_or_default())
    }

    /// True if `code` is valid for `id`; compares in constant time.
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

/// Length of a code in bytes.
const CODE_BYTES: usize = 5;

fn mac(key: &[u8], purpose: &str, id: &str) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(id.as_bytes());
    mac
}

/// True if two secrets are equal; the time taken does not reveal where they differ.
#[must_use]
pub fn equal_secrets(given: &str, expected: &str) -> bool {
    Sha256::digest(given) == Sha256::digest(expected) && !expected.is_empty()
}

fn base32(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

/// Returns the customer for purchase limits: a digest of the email address, which is all that stock
/// stores of it.
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
