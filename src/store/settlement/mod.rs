//! Turns of the jobs that reconcile money.

pub mod jobs;
