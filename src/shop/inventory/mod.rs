//! Stock and uses of limited promotions: counted by objects, held for orders.
pub mod hold_ids;
pub mod hold_refusal;
pub mod holds;
pub mod line_units;
pub mod objects;
pub mod order_stock;
pub mod ports;
pub mod refusals;
mod reservation;
pub mod stock;
pub mod uses;
