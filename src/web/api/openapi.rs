//! The OpenAPI 3.1 document of the API, served as a file of the assets: `/api/v1/openapi.json`.
//!
//! It is generated here, from the routes, from the handlers' own documentation and from the types they read and answer with, and
//! compared with the file. `UPDATE_SNAPSHOTS=1 cargo test openapi` writes the file anew.

use crate::error::Problem;
use crate::web::api::{admin_catalog, admin_media, admin_products, products};
use crate::web::guard::Access;
use crate::web::router::{ROUTES, Route};
use serde_json::{Map, Value, json};
use std::fs;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/api/v1/openapi.json");

#[test]
fn the_document_says_what_the_api_does() {
    let document = format!("{:#}\n", document());
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(FILE, &document).unwrap();
    }
    let kept = fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        kept == document,
        "assets/api/v1/openapi.json is not what the types say: UPDATE_SNAPSHOTS=1 cargo test openapi"
    );
}

#[test]
fn every_operation_is_described_and_named_once() {
    let document = document();
    let mut names = Vec::new();
    for path in document["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            assert!(
                !operation["summary"].as_str().unwrap().is_empty(),
                "{operation}"
            );
            names.push(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

fn document() -> Value {
    let mut schemas = Schemas::default();
    schemas.add::<Problem>();
    let mut paths = Map::new();
    for route in ROUTES.iter().filter(|route| is_api(route)) {
        let path = paths.entry(route.pattern).or_insert_with(|| json!({}));
        path[route.method.as_ref().to_lowercase()] = operation(route, &mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Storefront API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Money is in integer minor units, instants are RFC 3339 in UTC, lists have `data`, `next_cursor` and \
                `total`, errors are problem documents (RFC 9457) with a stable `code`.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas.0,
            "securitySchemes": {"staff": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn is_api(route: &Route) -> bool {
    route.pattern.starts_with("/api/v1/")
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let (module, name) = route.handler_name.rsplit_once("::").unwrap();
    let name = name.trim();
    let docs = docs_of(module.trim(), name);
    let (summary, errors) = docs.split_once("# Errors").unwrap_or((&docs, ""));
    let (request, response) = bodies(name, schemas);
    let mut operation = json!({
        "operationId": operation_id(route, name),
        "summary": summary.split_once("`: ").map_or(summary, |(_, rest)| rest).trim(),
        "parameters": parameters(route.pattern, summary),
        "responses": {
            "2XX": {"description": "Done", "content": {"application/json": {"schema": response}}},
            "default": {
                "description": format!("Refused. {}", errors.trim()).trim(),
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    });
    if let Some(request) = request {
        operation["requestBody"] = request;
    }
    if route.access == Access::Staff {
        operation["security"] = json!([{"staff": []}]);
    }
    operation
}

/// The name of the handler; that of staff says so where shoppers have one of the same name.
fn operation_id(route: &Route, name: &str) -> String {
    let same = |other: &&Route| other.handler_name.ends_with(&format!("::{name}"));
    if route.access == Access::Staff && ROUTES.iter().filter(same).count() > 1 {
        return format!("admin_{name}");
    }
    name.to_owned()
}

/// What an operation reads and answers with; a plain object where its types are not described yet.
fn bodies(name: &str, schemas: &mut Schemas) -> (Option<Value>, Value) {
    let object = json!({"type": "object"});
    let json_body = |schema: Value| {
        Some(json!({"required": true, "content": {"application/json": {"schema": schema}}}))
    };
    match name {
        "list_products" => (None, schemas.list::<products::ProductView<'_>>()),
        "get_product" => (None, schemas.add::<products::ProductView<'_>>()),
        "list_categories" => (None, schemas.list::<products::CategoryNode<'_>>()),
        "create_product" | "update_product" => (
            json_body(schemas.add::<admin_products::ProductInput>()),
            schemas.add::<admin_products::RecordedProduct<'_>>(),
        ),
        "get_recorded_product" => (None, schemas.add::<admin_products::RecordedProduct<'_>>()),
        "import_products" => (
            Some(
                json!({"required": true, "content": {"text/csv": {"schema": {"type": "string"}}}}),
            ),
            schemas.add::<crate::shop::import::ImportSummary>(),
        ),
        "publish_catalog" | "get_publish" | "cancel_publish" => {
            (None, schemas.add::<crate::shop::publish::Publish>())
        }
        "rollback_catalog" => (
            json_body(schemas.add::<admin_catalog::Rollback>()),
            schemas.add::<crate::shop::publish::Publish>(),
        ),
        "create_media" => (
            Some(
                json!({"required": true, "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}),
            ),
            schemas.add::<admin_media::MediaView>(),
        ),
        name if name.starts_with("get_") || name.starts_with("list_") => (None, object),
        _ => (json_body(object.clone()), object),
    }
}

/// The path's own parameters, and the query's, as the documentation of the handler writes them.
fn parameters(pattern: &str, summary: &str) -> Vec<Value> {
    let in_path = pattern
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let address = summary.split('`').nth(1).unwrap_or_default();
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let in_query = query
        .split('&')
        .filter_map(|parameter| parameter.split_once('='))
        .map(|(name, _)| name);
    let parameter = |name: &str, place: &str| json!({"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}});
    in_path
        .map(|name| parameter(name, "path"))
        .chain(in_query.map(|name| parameter(name, "query")))
        .collect()
}

/// The documentation of a handler, as one line.
fn docs_of(module: &str, name: &str) -> String {
    let file = format!(
        "{}/src/web/{}.rs",
        env!("CARGO_MANIFEST_DIR"),
        module.replace("::", "/")
    );
    let file = if fs::exists(&file).unwrap() {
        file
    } else {
        format!("{}/src/web/api/{module}.rs", env!("CARGO_MANIFEST_DIR"))
    };
    let source = fs::read_to_string(&file).unwrap();
    let at = source.find(&format!("pub async fn {name}(")).unwrap();
    let mut docs: Vec<&str> = source[..at]
        .lines()
        .rev()
        .take_while(|line| line.starts_with("///"))
        .map(|line| line.trim_start_matches("///").trim())
        .collect();
    docs.reverse();
    docs.join(" ")
}

#[derive(Default)]
struct Schemas(Map<String, Value>);

impl Schemas {
    /// A reference to the schema of `T`.
    fn add<T: ToSchema>(&mut self) -> Value {
        let mut schemas: Vec<(String, RefOr<Schema>)> = Vec::new();
        T::schemas(&mut schemas);
        schemas.push((T::name().into_owned(), T::schema()));
        for (name, schema) in schemas {
            self.0.insert(name, serde_json::to_value(schema).unwrap());
        }
        json!({"$ref": format!("#/components/schemas/{}", T::name())})
    }

    fn list<T: ToSchema>(&mut self) -> Value {
        let item = self.add::<T>();
        json!({
            "type": "object",
            "required": ["data", "next_cursor", "total"],
            "properties": {
                "data": {"type": "array", "items": item},
                "next_cursor": {"type": ["string", "null"]},
                "total": {"type": "integer"},
            },
        })
    }
}
