//! Statuses, headers and content types of the responses.

use crate::web::http::route::Route;
use serde_json::{Map, Value, json};

/// Returns the responses of an operation. `schema` is that of the body; null means there is no
/// body.
pub fn responses(route: &Route, operation_id: &str, schema: &Value, errors: &str) -> Value {
    let mut responses: Map<String, Value> = statuses(operation_id)
        .iter()
        .map(|status| (status.to_string(), done(operation_id, *status, schema)))
        .collect();
    let refused = format!("Error. {}", errors.trim());
    let known = ["Allow", "Retry-After", "WWW-Authenticate"];
    responses.insert("4XX".to_owned(), problem(refused.trim(), &known));
    let failed = "The shop or a service it depends on failed to respond. The request may or may not have been carried out.";
    responses.insert("5XX".to_owned(), problem(failed, &["Retry-After"]));
    if route.handler_name.ends_with("stock::watch_stock") {
        responses.insert(
            "101".to_owned(),
            json!({"description": "Switching to a WebSocket"}),
        );
    }
    responses.into()
}

/// Returns the statuses of success.
fn statuses(operation_id: &str) -> &'static [u16] {
    match operation_id {
        "create_order" | "create_fulfillment" | "create_return" | "create_refund" => &[200, 201],
        "create_product" | "create_media" | "create_quote" => &[201],
        "publish_catalog" | "get_publish" | "cancel_publish" | "rollback_catalog" => &[200, 202],
        "delete_product" | "remove_media" => &[204],
        "watch_stock" => &[],
        "list_products" | "get_product" | "list_categories" => &[200, 301, 304],
        "get_order_status" => &[200, 304],
        _ => &[200],
    }
}

fn done(operation_id: &str, status: u16, schema: &Value) -> Value {
    let mut answer = json!({
        "description": match status {
            201 => "Created",
            202 => "Accepted; still in progress",
            204 => "Deleted",
            301 => "Redirect to the canonical address",
            304 => "Not modified since `If-None-Match`",
            _ => "Success",
        },
    });
    let headers: Map<String, Value> = headers(operation_id, status)
        .into_iter()
        .map(|name| (name.to_owned(), header(name)))
        .collect();
    if !headers.is_empty() {
        answer["headers"] = headers.into();
    }
    if !schema.is_null() && !matches!(status, 301 | 304) {
        answer["content"] = json!({content_type(operation_id): {"schema": schema}});
    }
    answer
}

fn content_type(operation_id: &str) -> &'static str {
    match operation_id {
        "export_products" => "text/csv",
        _ => "application/json",
    }
}

/// Returns the names of the headers that a response may carry.
fn headers(operation_id: &str, status: u16) -> Vec<&'static str> {
    if status == 301 {
        return vec!["Location"];
    }
    let mut names = Vec::new();
    let is_order = matches!(
        operation_id,
        "create_order"
            | "get_order"
            | "set_order_status"
            | "cancel_order"
            | "create_fulfillment"
            | "deliver_fulfillment"
            | "create_return"
            | "create_refund"
    );
    let is_settings = SETTINGS.iter().any(|section| {
        operation_id.strip_prefix("get_") == Some(section)
            || operation_id.strip_prefix("set_") == Some(section)
    });
    let is_cart = matches!(
        operation_id,
        "get_cart"
            | "add_cart_item"
            | "set_cart_item"
            | "remove_cart_item"
            | "clear_cart"
            | "set_cart_note"
    );
    let is_tagged = matches!(
        operation_id,
        "create_product"
            | "update_product"
            | "get_recorded_product"
            | "list_products"
            | "get_product"
            | "list_categories"
            | "get_order_status"
    );
    if is_order || is_settings || is_cart || is_tagged {
        names.push("ETag");
    }
    if is_cart || operation_id == "create_quote" {
        names.push("Cart-Token");
    }
    if matches!(
        (operation_id, status),
        ("create_order" | "create_media", 201)
    ) {
        names.push("Location");
    }
    if operation_id == "export_products" {
        names.push("Next-After");
    }
    names
}

/// The sections of the settings, and the settings as a whole.
const SETTINGS: [&str; 6] = [
    "settings",
    "currencies",
    "markets",
    "tax_zones",
    "shipping_zones",
    "promotions",
];

fn header(name: &str) -> Value {
    let described = match name {
        "ETag" => "Version, for `If-Match` or `If-None-Match`",
        "Cart-Token" => "Token of the cart; whoever sends it owns the cart",
        "Location" => "Address of the resource",
        "Next-After" => "Value of `after` for the next page; absent on the last one",
        "Retry-After" => "Seconds to wait before trying again",
        "Allow" => "Allowed methods, on 405",
        _ => "Authentication scheme, on 401",
    };
    let kind = match name {
        "Retry-After" => "integer",
        _ => "string",
    };
    json!({"description": described, "schema": {"type": kind}})
}

fn problem(description: &str, headers: &[&str]) -> Value {
    let headers: Map<String, Value> = headers
        .iter()
        .map(|name| ((*name).to_owned(), header(name)))
        .collect();
    json!({
        "description": description,
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    })
}
