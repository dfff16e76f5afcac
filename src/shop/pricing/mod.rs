//! What a cart costs: pure functions over published prices and the merchant's settings, a stage a
//! file, composed in [`pipeline`].
//!
//! ```text
//! record → [prices] convert, schedule → publish → listings ─┐
//! cart ─────────────────────────────────────────────────────┤
//! settings ─ [places] which zone ───────────────────────────┴→ lines → [promotions] → [shipping] → [tax] → totals → quote
//! ```
//!
//! Nothing here knows a clock, a store or a float. Lines + shipping + tax − discounts = total,
//! exactly, and each number says how it came about.

pub mod instants;
pub mod item;
pub mod pipeline;
pub mod places;
pub mod price_list;
pub mod prices;
pub mod promotions;
pub mod quote;
pub mod selectors;
pub mod settings;
pub mod shipping;
pub mod tax;
pub mod vat_numbers;

#[cfg(test)]
mod tests;
