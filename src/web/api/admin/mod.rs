//! `/api/v1/admin`: resources for staff.
pub mod catalog;
pub mod dead_letters;
pub mod findings;
pub mod media;
pub mod payments;
pub mod products;
pub mod settings;
pub mod stock;
