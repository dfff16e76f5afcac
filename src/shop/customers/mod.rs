//! People and their keys: staff, visitors' networks, and the challenge that keeps out programs.
pub mod challenge;
pub mod limits;
pub mod permissions;
pub mod staff;
