//! Links to an order, for those who have no account.

use crate::shop::ids::Signer;

/// Links to an order that only those who were given them can follow.
#[derive(Clone)]
pub struct OrderLinks {
    /// Origin of the shop.
    pub base: String,
    /// Makes the links unforgeable.
    pub signer: Signer,
}

impl OrderLinks {
    /// The order's status page.
    #[must_use]
    pub fn status(&self, order_id: &str) -> String {
        format!("{}{}", self.base, self.status_path(order_id))
    }

    /// The status page, for a shopper who comes back without having paid.
    #[must_use]
    pub fn unpaid(&self, order_id: &str) -> String {
        format!("{}&payment=unfinished", self.status(order_id))
    }

    /// The status page's path and query.
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
