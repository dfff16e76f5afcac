//! Values used by all groups: money, ids, addresses, languages, and normalization of what people
//! type.
pub mod addresses;
pub mod channel;
pub mod clock;
pub mod countries;
pub mod folding;
pub mod ids;
pub mod languages;
pub mod mail_addresses;
pub mod money;
pub mod staff_name;
pub mod subdivisions;
pub mod tax_class;
pub mod text;
pub mod typing;
pub mod unicode;
pub mod written;
