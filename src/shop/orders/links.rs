//! Links to an order, for those who have no account.

use crate::shop::ids::Signer;
use crate::shop::languages::Language;

/// Links to an order that only those who were given them can follow.
#[derive(Clone)]
pub struct OrderLinks {
    /// Origin of the shop.
    pub base: String,
    /// Makes the links unforgeable.
    pub signer: Signer,
    /// What the pages they lead to are written in.
    pub language: Language,
}

impl OrderLinks {
    /// The same links to pages in another language.
    #[must_use]
    pub fn in_language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// The order's status page.
    #[must_use]
    pub fn status(&self, order_id: &str) -> String {
        let path = self.language.path(&self.status_path(order_id));
        format!("{}{path}", self.base)
    }

    /// The status page, for a shopper who comes back without having paid.
    #[must_use]
    pub fn unpaid(&self, order_id: &str) -> String {
        format!("{}&payment=unfinished", self.status(order_id))
    }

    /// The status page's path and query, in no language yet.
    #[must_use]
    pub fn status_path(&self, order_id: &str) -> String {
        self.path(order_id, "")
    }

    /// The invoice's path and query.
    #[must_use]
    pub fn invoice_path(&self, order_id: &str) -> String {
        self.path(order_id, "/invoice")
    }

    /// Where the order's cancel form goes.
    #[must_use]
    pub fn cancel_path(&self, order_id: &str) -> String {
        self.path(order_id, "/cancel")
    }

    /// Whether `token` is that of a link to this order.
    #[must_use]
    pub fn is_token_of(&self, order_id: &str, token: &str) -> bool {
        self.signer.verify("order", order_id, token)
    }

    fn path(&self, order_id: &str, page: &str) -> String {
        format!(
            "/orders/{order_id}{page}?token={}",
            self.signer.sign("order", order_id)
        )
    }
}
