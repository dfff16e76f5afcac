//! Settlement: folds the provider's current state of a payment into its order, and carries out what
//! follows.
//!
//! A fold looks at the current session, not at the event that triggered it, so any order and any
//! repetition of events leads to the same result. A transition is written with the version it was
//! decided from; a writer who loses reads again. Tasks are written with the transition and retried
//! until done, even by an event that finds the order already changed.

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
