//! Use cases and stateless rules, a file a feature. No HTTP, no bindings: what a use case needs of the world is a port.

pub mod addresses;
pub mod breaker;
pub mod cart;
pub mod catalog;
pub mod checkout;
pub mod countries;
pub mod dead_letters;
pub mod fulfillments;
pub mod ids;
pub mod import;
pub mod ledger;
pub mod mail;
pub mod money;
pub mod news;
pub mod orders;
pub mod payments;
pub mod ports;
pub mod pricing;
pub mod product_csv;
pub mod publish;
pub mod settlement;
pub mod stock;
pub mod sweep;
pub mod transitions;
