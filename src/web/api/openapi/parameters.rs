//! Parameters of the operations, in the path, the query and the headers.

use crate::web::http::route::Route;
use serde_json::{Value, json};
use worker::Method;

/// Returns the parameters in the path, those in the query that the documentation of the handler
/// lists, and the headers that it names.
pub fn parameters(route: &Route, operation_id: &str, docs: &str) -> Vec<Value> {
    let parameter = |name: &str, place: &str, required: bool| {
        let schema = schema(operation_id, name);
        json!({"name": name, "in": place, "required": required, "schema": schema})
    };
    let in_path = route
        .pattern
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| parameter(name, "path", true));
    let address = docs.split('`').nth(1).unwrap_or_default();
    let in_query = address
        .split_once('?')
        .map_or("", |(_, query)| query)
        .split('&')
        .filter_map(|asked| asked.split_once('='))
        .map(|(name, _)| parameter(name, "query", name == "skus"));
    let of_cart = route.handler_name.starts_with("cart::");
    let in_headers = [
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "Cart-Token",
        "Order-Token",
        "Challenge-Token",
    ]
    .into_iter()
    .filter(|name| {
        docs.contains(&format!("`{name}`"))
            || (of_cart && *name == "Cart-Token")
            || (route.method == Method::Post && *name == "Idempotency-Key")
    })
    .map(|name| parameter(name, "header", docs.contains(&format!("with an `{name}`"))));
    in_path.chain(in_query).chain(in_headers).collect()
}

/// Returns the type of a parameter and its allowed values.
fn schema(operation_id: &str, name: &str) -> Value {
    match (operation_id, name) {
        (_, "limit") => json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 24}),
        (_, "min_price" | "max_price" | "from_unit") => json!({"type": "integer", "minimum": 0}),
        (_, "first_line") => json!({"type": "integer", "minimum": 1}),
        (_, "seq") => json!({"type": "integer"}),
        (_, "last") => json!({"type": "boolean", "default": true}),
        ("import_products", "dry_run" | "stock") => json!({"type": "boolean", "default": false}),
        (_, "import") => json!({"type": "string", "minLength": 1, "maxLength": 64}),
        (_, "availability") => json!({"type": "string", "enum": ["in_stock", "out"]}),
        (_, "sort") => json!({"type": "string", "enum": ["price", "-price", "newest", "title"]}),
        ("list_orders", "status") => json!({"$ref": "#/components/schemas/OrderStatus"}),
        ("list_findings", "status") => {
            json!({"type": "string", "enum": ["open", "closed"], "default": "open"})
        }
        ("list_dead_letters", "status") => {
            let words = ["dead", "replayed", "discarded"];
            json!({"type": "string", "enum": words, "default": "dead"})
        }
        (_, "If-Match") => json!({"type": "string", "pattern": "^(W/)?\"[0-9]+\"$"}),
        (_, "Idempotency-Key") => json!({"type": "string", "minLength": 1, "pattern": "^[ -~]+$"}),
        _ => json!({"type": "string"}),
    }
}
