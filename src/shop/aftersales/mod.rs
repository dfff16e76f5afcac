//! Requests about a placed order: cancel it, ship it, take it back, pay it back.
pub mod fulfillments;
pub mod recorded;
pub mod refunds;
pub mod status;
