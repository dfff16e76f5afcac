//! The merchant's record of the catalog, and its publication.
pub mod csv;
pub mod export;
pub mod import;
pub mod media;
pub mod products;
pub mod publish;
