//! The record of publishes.

pub mod publish;
