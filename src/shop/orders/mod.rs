//! Orders: reading, listing and changing them. The permitted changes are in the table of
//! [`transitions`].
//!
//! [`transitions`]: crate::orders::transitions

pub mod codes;
pub mod findings;
pub mod ledger;
pub mod links;
pub mod moves;
pub mod moving;
pub mod numbers;
pub mod order;
pub mod ports;
pub mod progress;
pub mod record;
pub mod records;
#[cfg(any(test, feature = "testing"))]
pub mod samples;
pub mod shared_reads;
pub mod standing;
pub mod transitions;
