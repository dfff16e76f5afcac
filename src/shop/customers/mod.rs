//! People and their keys: staff, the networks that visitors come from, and the proof that one is no
//! program.
pub mod challenge;
pub mod limits;
pub mod permissions;
pub mod staff;
