//! Pricing of a cart: pure functions over published prices and the merchant's settings. Each stage
//! has its own file; [`pipeline`] composes them.
//!
//! ```text
//! record → [prices] convert, schedule → publish → listings ─┐
//! cart ─────────────────────────────────────────────────────┤
//! settings ─ [places] zone ─────────────────────────────────┴→ lines
//! lines → [promotions] → [shipping] → [tax] → totals → quote
//! ```
//!
//! This module knows no clock, no store and no floating-point numbers. Lines + shipping + tax −
//! discounts = total, exactly, and each number says how it was calculated.

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
