//! A cart line while it is being priced.

use crate::pricing::quote::{Listing, QuoteLine};
use crate::pricing::selectors::Goods;

/// A cart line on its way through the pricing stages.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// Listing of the product being sold.
    pub listing: &'a Listing,
    /// Quote line filled in so far.
    pub line: QuoteLine,
}

impl Item<'_> {
    /// Facts about the item that a rule may match on.
    #[must_use]
    pub fn goods(&self) -> Goods<'_> {
        Goods {
            sku: &self.line.sku,
            categories: &self.listing.categories,
        }
    }
}
