//! What a cart costs: pure functions over published prices and the merchant's settings, a stage a file, composed in [`pipeline`].
//!
//! ```text
//! record → [prices] convert, schedule → publish → listings ─┐
//! cart ─────────────────────────────────────────────────────┤
//! settings ─ [places] which zone ───────────────────────────┴→ lines → [promotions] → [shipping] → [tax] → totals → quote
//! ```
//!
//! Nothing here knows a clock, a store or a float. Lines + shipping + tax − discounts = total, exactly, and each number says how it came
//! about.

mod checking;
pub mod instants;
pub mod pipeline;
pub mod places;
pub mod prices;
pub mod promotions;
pub mod quote;
mod quoting;
pub mod selectors;
pub mod shipping;
pub mod tax;
mod vat_numbers;

#[cfg(test)]
mod tests;

pub use checking::{check_quote, quote_changed};
pub use quote::{
    Listing, PriceList, Quote, QuoteLine, QuoteRequest, QuoteShipping, ShippingOffer, Terms, Totals,
};
pub use quoting::{
    accept_currency, create_quote, forget_quotes, ids_of_quotes, list_shipping_methods, skus_of,
};
