//! Links to an order, for customers without an account.
//!
//! The link's token is in the URL fragment, which browsers never send, so it appears in no log,
//! neither the shop's nor anyone else's on the way. The linked page exchanges it for a cookie. A
//! customer without JavaScript types the order number and the code from the email instead.

use crate::values::ids::{OrderId, Signer};
use crate::values::languages::{Language, Languages};
use durable::Timestamp;

/// Seconds after an order is placed during which a link with its token in the query still opens it.
/// Earlier emails contained such links.
const QUERY_SECS: u32 = 365 * 24 * 60 * 60;

/// Builds and checks links to orders that only their recipients can follow.
#[derive(Clone)]
pub struct OrderLinks {
    /// Origin of the shop's URLs.
    pub base: String,
    /// Signer that makes the links unforgeable.
    pub signer: Signer,
    /// Languages of the shop's pages.
    pub languages: Languages,
    /// Language of the linked pages.
    pub language: Language,
}

impl OrderLinks {
    /// Returns the same links for pages in another language.
    #[must_use]
    pub fn in_language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// URL of the order's status page, with the token that opens it.
    #[must_use]
    pub fn status(&self, order_id: &OrderId) -> String {
        format!(
            "{}#token={}",
            self.returning(order_id),
            self.token(order_id)
        )
    }

    /// URL of the status page for the browser that placed the order.
    #[must_use]
    pub fn returning(&self, order_id: &OrderId) -> String {
        let path = self.path(&status_path(order_id));
        format!("{}{path}", self.base)
    }

    /// URL of the status page for that browser when it returns without having paid.
    #[must_use]
    pub fn unpaid(&self, order_id: &OrderId) -> String {
        format!("{}?payment=unfinished", self.returning(order_id))
    }

    /// URL of the page where an order number and a code are entered.
    #[must_use]
    pub fn look_up(&self) -> String {
        format!("{}{}", self.base, self.path("/orders"))
    }

    fn path(&self, path: &str) -> String {
        self.languages.path(path, self.language)
    }

    /// Token that opens an order.
    #[must_use]
    pub fn token(&self, order_id: &OrderId) -> String {
        self.signer.sign("order", order_id)
    }

    /// True if `token` opens this order.
    #[must_use]
    pub fn is_token_of(&self, order_id: &OrderId, token: &str) -> bool {
        self.signer.verify("order", order_id, token)
    }

    /// Code that opens an order together with its number: eight characters, 40 bits.
    #[must_use]
    pub fn code(&self, order_id: &OrderId) -> String {
        let code = self.signer.code("order_code", order_id);
        match code.split_at_checked(4) {
            Some((first, second)) => format!("{first}-{second}"),
            None => code,
        }
    }

    /// True if `code`, normalized by [`read_code`], belongs to this order.
    ///
    /// [`read_code`]: crate::orders::codes::read_code
    #[must_use]
    pub fn is_code_of(&self, order_id: &OrderId, code: &str) -> bool {
        self.signer.verify_code("order_code", order_id, code)
    }
}

/// Path of the status page, without a language prefix.
#[must_use]
pub fn status_path(order_id: &OrderId) -> String {
    format!("/orders/{order_id}")
}

/// True if a token in the query may still open an order placed at that time.
#[must_use]
pub fn opens_by_query(placed_at: Timestamp, now: Timestamp) -> bool {
    now < placed_at.plus_secs(QUERY_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::codes::read_code;

    fn links(keys: &str) -> OrderLinks {
        OrderLinks {
            base: "https://shop.test".into(),
            signer: Signer::new(keys),
            languages: Languages {
                default: Language::English,
                others: &[Language::German],
            },
            language: Language::German,
        }
    }

    #[test]
    fn no_link_has_its_token_where_it_is_sent() {
        let links = links("key");
        let token = links.token(&"ord_1".into());
        let link = links.status(&"ord_1".into());
        assert_eq!(
            link,
            format!("https://shop.test/de/orders/ord_1#token={token}")
        );
        assert!(links.is_token_of(&"ord_1".into(), &token));
        for sent in [
            links.returning(&"ord_1".into()),
            links.unpaid(&"ord_1".into()),
            links.look_up(),
        ] {
            assert!(!sent.contains(&token) && !sent.contains("token"), "{sent}");
        }
    }

    #[test]
    fn a_code_opens_its_order_alone_and_while_its_key_is_rolled() {
        let (old, rolling, new) = (links("old"), links("new,old"), links("new"));
        let code = old.code(&"ord_1".into());
        assert_eq!(code.len(), 9, "{code}");
        let typed = read_code(&code).unwrap();
        assert!(
            old.is_code_of(&"ord_1".into(), &typed) && rolling.is_code_of(&"ord_1".into(), &typed)
        );
        assert!(
            !new.is_code_of(&"ord_1".into(), &typed) && !old.is_code_of(&"ord_2".into(), &typed)
        );
        assert!(
            !old.is_code_of(&"ord_1".into(), "") && !old.is_code_of(&"ord_1".into(), &typed[..7])
        );
        assert!(!old.is_token_of(&"ord_1".into(), &typed));
    }

    #[test]
    fn a_token_in_a_query_opens_for_a_year() {
        let placed = Timestamp::from_millis(0);
        let day = 24 * 60 * 60;
        assert!(opens_by_query(placed, placed.plus_secs(364 * day)));
        assert!(!opens_by_query(placed, placed.plus_secs(365 * day)));
    }
}
