//! Turns of the jobs that compare money.

pub mod jobs;
