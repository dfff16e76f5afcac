//! From a payment to a settled order: folds what the provider says now into the order, and carries
//! out what must follow.
//!
//! A fold looks at the session as it stands, not at the event that called for it: any permutation
//! and any duplication of events ends in the same order. A move is written with the version it was
//! judged at; who loses reads again. Tasks are written with the move and carried out until done,
//! also by an event that finds the order already moved.

pub mod check;
pub mod disputes;
pub mod effects;
pub mod events;
mod fold;
pub mod late_payments;
pub mod payers;
pub mod ports;
pub mod reconciliation;
pub mod refunds;
pub mod session;
pub mod stray_payments;
pub mod strays;
