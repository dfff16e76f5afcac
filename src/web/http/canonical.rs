//! One canonical URL for each public response, because caches distinguish responses by the whole
//! URL: only parameters that the route knows, each once and in a fixed order. Any other URL is
//! redirected to it, so that no request can make the caches store a response of its own.

use std::borrow::Cow;
use worker::url::Url;
use worker::url::form_urlencoded::{self, byte_serialize};

const PAGE: &[&str] = &["currency"];
const LIST: &[&str] = &[
    "q", "sort", "vendor", "type", "min", "max", "in_stock", "page", "currency",
];
const NONE: &[&str] = &[];

/// Routes whose responses depend on the URL alone, and the parameters that they know, in the order
/// in which the shop's forms and links write them.
const ROUTES: &[(&str, &[&str])] = &[
    ("/", PAGE),
    ("/products", LIST),
    ("/products/{handle}", &["sku", "currency"]),
    ("/collections/{category}", LIST),
    ("/policies/{name}", PAGE),
    ("/offline", PAGE),
    ("/offline/kept", PAGE),
    (
        "/api/v1/products",
        &[
            "category",
            "vendor",
            "type",
            "tag",
            "min_price",
            "max_price",
            "availability",
            "sort",
            "currency",
            "limit",
            "cursor",
        ],
    ),
    ("/api/v1/products/{handle}", PAGE),
    ("/api/v1/categories", NONE),
    ("/assets/{name}", NONE),
    ("/assets/{folder}/{name}", NONE),
    ("/media/{name}", NONE),
    ("/media/{width}/{name}", NONE),
    ("/service-worker.js", NONE),
    ("/speculation-rules.json", NONE),
    ("/robots.txt", NONE),
    ("/sitemap.xml", NONE),
    ("/sitemaps/{part}", NONE),
    ("/feeds/google.xml", &["part", "currency"]),
];

/// Returns the canonical URL of `url`; `None` means it is canonical already, or the responses of
/// the route are not public.
#[must_use]
pub fn canonical_address(pattern: &str, url: &Url) -> Option<String> {
    let query = url.query()?;
    let (_, known) = ROUTES.iter().find(|(route, _)| *route == pattern)?;
    let canonical = canonical_query(query, known);
    // A space may be written as forms write it, or as links do.
    if !query.is_empty() && (query == canonical || query == canonical.replace('+', "%20")) {
        return None;
    }
    let path = url.path();
    Some(match canonical.as_str() {
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    })
}

/// Returns the first value of each known parameter, in the order of `known`.
fn canonical_query(query: &str, known: &[&str]) -> String {
    let given: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        form_urlencoded::parse(query.as_bytes()).collect();
    let pairs = known.iter().filter_map(|name| {
        let (_, value) = given.iter().find(|(key, _)| key == name)?;
        let value: String = byte_serialize(value.as_bytes()).collect();
        Some(format!("{name}={value}"))
    });
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::http::guard::Access;
    use crate::web::routes::all_routes;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use worker::Method;

    fn canonical(pattern: &str, address: &str) -> Option<String> {
        let url = Url::parse(&format!("https://shop.test{address}")).unwrap();
        canonical_address(pattern, &url)
    }

    #[test]
    fn what_a_route_does_not_know_is_dropped_and_the_rest_is_put_in_order() {
        for (asked, answered) in [
            ("/products?utm_source=letter", "/products"),
            ("/products?", "/products"),
            ("/products?page=2&q=a%20b&x=1", "/products?q=a+b&page=2"),
            ("/products?q=a&q=b", "/products?q=a"),
            ("/products?q=%61", "/products?q=a"),
            ("/products?%70age=2", "/products?page=2"),
            ("/products?page", "/products?page="),
            (
                "/products?currency=EUR&sort=title",
                "/products?sort=title&currency=EUR",
            ),
        ] {
            assert_eq!(
                canonical("/products", asked).as_deref(),
                Some(answered),
                "{asked}"
            );
            assert_eq!(canonical("/products", answered), None, "{answered}");
        }
        for fine in [
            "/products",
            "/products?q=a%20b",
            "/products?q=a+b&sort=&min=&max=&page=2",
        ] {
            assert_eq!(canonical("/products", fine), None, "{fine}");
        }
        assert_eq!(canonical("/cart", "/cart?x=1"), None);
    }

    #[test]
    fn every_route_that_anyone_may_read_is_listed_or_is_a_visitors_own() {
        let own = [
            "/api/v1/cart",
            "/api/v1/cart/shipping-methods",
            "/api/v1/orders",
            "/api/v1/orders/{id}",
            "/api/v1/orders/{id}/status",
            "/api/v1/stock",
            "/api/v1/stock/{sku}",
            "/api/v1/stock/{sku}/live",
            "/cart",
            "/checkout",
            "/checkout/{quote_id}",
            "/healthz",
            "/orders",
            "/orders/{id}",
            "/orders/{id}/invoice",
            "/readyz",
        ];
        let readable = all_routes().filter(|route| route.method == Method::Get);
        let readable = readable.filter(|route| route.access == Access::Anyone);
        let readable: BTreeSet<&str> = readable.map(|route| route.pattern).collect();
        let listed = ROUTES.iter().map(|(pattern, _)| *pattern);
        assert_eq!(readable, listed.chain(own).collect());
    }

    proptest! {
        #[test]
        fn who_is_sent_on_has_arrived(query in "[a-z%&=+;?/ 0-9~*'\u{e9}]{0,40}") {
            let Some(address) = canonical("/products", &format!("/products?{query}")) else {
                return Ok(());
            };
            prop_assert_eq!(canonical("/products", &address), None);
            prop_assert!(address.starts_with("/products"));
        }
    }
}
