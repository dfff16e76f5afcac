//! Views shared by the faces: resources as JSON, and the text form of instants and addresses.

pub mod addresses;
pub mod order_status;
pub mod orders;
pub mod pricing;
pub mod products;
#[cfg(test)]
pub(in crate::web) mod schemas;

use crate::web::assets::kept_address;
use chrono::{DateTime, SecondsFormat};
use durable::Timestamp;
use shop::catalog::web_address;

/// Formats an instant by RFC 3339, in UTC.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.as_millis())
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Returns `address` with the shop's origin, unless it has one; `None` means that it is unusable.
#[must_use]
pub fn absolute(origin: &str, address: &str) -> Option<String> {
    let address = web_address(address)?;
    let address = kept_address(&address);
    if address.starts_with('/') {
        return Some(format!("{origin}{address}"));
    }
    Some(address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_the_shops_unless_they_are_anothers() {
        for (address, whole) in [
            ("/media/a.jpg", Some("https://shop.test/media/a.jpg")),
            ("a b.jpg", Some("https://shop.test/a%20b.jpg")),
            (
                "https://images.test/a.jpg",
                Some("https://images.test/a.jpg"),
            ),
            ("//images.test/a.jpg", Some("https://images.test/a.jpg")),
            ("javascript:alert(1)", None),
        ] {
            let found = absolute("https://shop.test", address);
            assert_eq!(found.as_deref(), whole, "{address}");
        }
    }
}
