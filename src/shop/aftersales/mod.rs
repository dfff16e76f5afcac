//! Requests about a placed order: cancellation, fulfillment, return, refund.
pub mod fulfillments;
pub mod recorded;
pub mod refunds;
pub mod status;
