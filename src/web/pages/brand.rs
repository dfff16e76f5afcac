//! The name of the shop.

/// Name of the shop.
pub const SHOP_NAME: &str = "Ohmstead";
