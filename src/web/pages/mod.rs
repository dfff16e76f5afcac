//! The pages: server-rendered HTML that works without JavaScript. Each page is a file, with its
//! data beside its template.

pub mod cart;
pub mod challenge;
pub mod checkout;
mod delivery;
pub mod design;
pub mod error;
pub mod fields;
pub mod head;
pub mod home;
pub mod icons;
pub mod layout;
pub mod lists;
mod locale;
pub mod lookup;
pub mod metadata;
mod navigation;
pub mod offline;
pub mod orders;
pub mod paths;
pub mod pictures;
pub mod policies;
pub mod policy_texts;
pub mod products;
mod purchase;
pub mod structured_data;
pub mod visit;
