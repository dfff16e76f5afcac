//! Use cases and stateless rules, in groups. Each group may use those below it; nothing refers back
//! up (`tests/architecture`).
//!
//! There is no HTTP and no binding here: anything that a use case needs from outside is a port,
//! defined beside its feature. From top to bottom: operations, aftersales, checkout, settlement,
//! publishing, cart, inventory, messages, customers, orders, pricing, payments, catalog, values.

#![cfg_attr(
    test,
    expect(
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        reason = "a test that panics has failed, which is what it is for"
    )
)]

pub mod aftersales;
pub mod cart;
pub mod catalog;
pub mod checkout;
pub mod codes;
pub mod customers;
pub mod error;
pub mod inventory;
pub mod messages;
pub mod operations;
pub mod orders;
pub mod payments;
pub mod pricing;
pub mod publishing;
pub mod settlement;
pub mod values;
