//! One line of what is priced.

use crate::pricing::quote::{Listing, QuoteLine};
use crate::pricing::selectors::Goods;

/// A line on its way through the stages.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// The product that is sold.
    pub listing: &'a Listing,
    /// Its price so far.
    pub line: QuoteLine,
}

impl Item<'_> {
    /// Facts that rules may know of it.
    #[must_use]
    pub fn goods(&self) -> Goods<'_> {
        Goods {
            sku: &self.line.sku,
            categories: &self.listing.categories,
        }
    }
}
