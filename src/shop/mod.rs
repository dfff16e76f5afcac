//! Use cases and stateless rules, in groups: each may use those below it, and nothing points back
//! up (`tests/architecture`).
//!
//! No HTTP, no bindings: what a use case needs of the world is a port, which stands beside its
//! feature. From the top down: operations, aftersales, checkout, settlement, publishing, cart,
//! inventory, messages, customers, orders, pricing, payments, catalog, values.

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
