//! Memory of refusals in the isolate.

pub mod refusals;
