//! Schemas of types from `durable`, which doesn't depend on the schema library.

use durable::stock::Availability;
use serde_json::json;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

/// Schema of [`Availability`].
pub(in crate::web) fn availability() -> Object {
    let words = [
        Availability::InStock,
        Availability::Low,
        Availability::Out,
        Availability::Preorder,
    ];
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.map(|word| json!(word))))
        .build()
}
