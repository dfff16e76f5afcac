//! One line of what is priced.

use crate::pricing::quote::{Listing, QuoteLine};
use crate::pricing::selectors::Goods;

/// A line on its way through the stages.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// What is sold.
    pub listing: &'a Listing,
    /// What it costs so far.
    pub line: QuoteLine,
}

impl Item<'_> {
    /// What rules may know of it.
    #[must_use]
    pub fn goods(&self) -> Goods<'_> {
        Goods {
            sku: &self.line.sku,
            categories: &self.listing.categories,
        }
    }
}
