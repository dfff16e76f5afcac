//! The OpenAPI 3.1 document of the API, served as a static file at `/api/v1/openapi.json`.
//!
//! The document is generated here from the routes, the documentation of the handlers, and the
//! request and response types, and compared with the file. `UPDATE_SNAPSHOTS=1 cargo test openapi`
//! rewrites the file.

mod parameters;
mod responses;

use crate::web::api::admin::settings::{
    CurrenciesSection, MarketsSection, PromotionsSection, Schedule, ShippingZonesSection,
    TaxZonesSection,
};
use crate::web::api::{admin, cart, orders, refunds, stock};
use crate::web::http::guard::Access;
use crate::web::http::route::Route;
use crate::web::routes::all_routes;
use crate::web::views;
use serde_json::{Map, Value, json};
use shop::codes::Code;
use shop::error::Problem;
use shop::pricing::quote::QuoteRequest;
use shop::pricing::settings::Settings;
use shop::publishing::import::ImportSummary;
use shop::publishing::publish::record::Publish;
use std::fs;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// Codes that every operation may return.
const CODES_OF_ALL: [Code; 22] = [
    Code::MalformedPath,
    Code::MalformedBody,
    Code::MalformedJson,
    Code::MalformedHeader,
    Code::UnknownField,
    Code::StaffOnly,
    Code::PermissionRequired,
    Code::CrossSite,
    Code::NotFound,
    Code::MethodNotAllowed,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::UnknownCurrency,
    Code::IdempotencyKeyReused,
    Code::RequestUnderWay,
    Code::CatalogNotCopied,
    Code::CopiesUnavailable,
    Code::DatabaseUnavailable,
    Code::ObjectUnavailable,
    Code::Overloaded,
    Code::TooManyRequests,
    Code::InternalError,
];

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
    for route in all_routes().filter(|route| route.is_api()) {
        let path = paths.entry(route.pattern).or_insert_with(|| json!({}));
        path[route.method.as_ref().to_lowercase()] = operation(route, &mut schemas);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Storefront API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Money is in integer minor units, instants are RFC 3339 in UTC. Lists have `data`, `next_cursor` and \
                `total`. Errors are problem documents (RFC 9457) with a stable `code`: one that the operation lists, or one of these, which \
                any operation can return: ".to_owned() + &CODES_OF_ALL.map(|code| format!("`{code}`")).join(", ") + ".",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas.0,
            "securitySchemes": {"staff": {"type": "http", "scheme": "bearer"}},
        },
    });
    speak_of_json(&mut document);
    document
}

/// Rewords descriptions, which are docs of Rust code, for readers of JSON.
fn speak_of_json(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = text
                    .replace("`None` means", "Absent or `null` means")
                    .replace("[`", "`")
                    .replace("`]", "`");
            }
            fields.values_mut().for_each(speak_of_json);
        }
        Value::Array(items) => items.iter_mut().for_each(speak_of_json),
        _ => {}
    }
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let (module, name) = route.handler_name.rsplit_once("::").unwrap();
    let name = name.trim();
    let docs = docs_of(module.trim(), name);
    let (summary, errors) = docs.split_once("# Errors").unwrap_or((&docs, ""));
    let summary = summary
        .split_once("`: ")
        .map_or(summary, |(_, rest)| rest)
        .trim();
    let (summary, description) = summary.split_once(". ").unwrap_or((summary, ""));
    let operation_id = operation_id(route, name);
    let (request, response) = bodies(&operation_id, schemas);
    let mut operation = json!({
        "operationId": operation_id,
        "summary": summary.trim().trim_end_matches('.'),
        "parameters": parameters::parameters(route, &operation_id, &docs),
        "responses": responses::responses(route, &operation_id, &response, errors),
    });
    if !description.is_empty() {
        operation["description"] = description.trim().into();
    }
    if let Some(request) = request {
        operation["requestBody"] = request;
    }
    if matches!(route.access, Access::Staff(_)) {
        operation["security"] = json!([{"staff": []}]);
    }
    operation
}

/// Returns the name of the handler, with the prefix `admin_` for staff if shoppers have one of the
/// same name.
fn operation_id(route: &Route, name: &str) -> String {
    let same = |other: &&Route| other.handler_name.ends_with(&format!("::{name}"));
    if matches!(route.access, Access::Staff(_)) && all_routes().filter(same).count() > 1 {
        return format!("admin_{name}");
    }
    name.to_owned()
}

/// Returns the schemas of an operation's request and response. The test fails for an operation that
/// is missing here.
fn bodies(name: &str, schemas: &mut Schemas) -> (Option<Value>, Value) {
    match name {
        "list_products" => (None, schemas.list::<views::products::ProductView<'_>>()),
        "get_product" => (None, schemas.add::<views::products::ProductView<'_>>()),
        "list_categories" => (None, schemas.list::<views::products::CategoryNode<'_>>()),
        "create_product" | "update_product" => (
            schemas.body::<admin::products::ProductInput>(),
            schemas.add::<views::products::RecordedProduct<'_>>(),
        ),
        "get_recorded_product" => (None, schemas.add::<views::products::RecordedProduct<'_>>()),
        "delete_product" => (None, Value::Null),
        "import_products" => (Some(text_of("text/csv")), schemas.add::<ImportSummary>()),
        "export_products" => (None, json!({"type": "string"})),
        "publish_catalog" | "get_publish" | "cancel_publish" => (None, schemas.add::<Publish>()),
        "rollback_catalog" => (
            schemas.optional_body::<admin::catalog::Rollback>(),
            schemas.add::<Publish>(),
        ),
        "create_media" => (
            Some(
                json!({"required": true, "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}),
            ),
            schemas.add::<admin::media::MediaView>(),
        ),
        "list_media" => (None, schemas.add::<admin::media::MediaList>()),
        "remove_media" => (None, Value::Null),
        "list_stocks" => (None, schemas.list::<stock::StockView<'_>>()),
        "get_stock" => (None, schemas.add::<stock::StockView<'_>>()),
        "watch_stock" => (None, Value::Null),
        "get_cart" | "clear_cart" | "remove_cart_item" => {
            (None, schemas.add::<cart::CartView<'_>>())
        }
        "add_cart_item" => (
            schemas.body::<cart::NewItem>(),
            schemas.add::<cart::CartView<'_>>(),
        ),
        "set_cart_item" => (
            schemas.body::<cart::ItemQuantity>(),
            schemas.add::<cart::CartView<'_>>(),
        ),
        "set_cart_note" => (
            schemas.body::<cart::NewNote>(),
            schemas.add::<cart::CartView<'_>>(),
        ),
        "create_quote" => (
            schemas.body::<QuoteRequest>(),
            schemas.add::<views::pricing::QuoteView<'_>>(),
        ),
        "list_shipping_methods" => (
            None,
            schemas.add::<views::pricing::ShippingOffersView<'_>>(),
        ),
        "get_settings" | "set_settings" => schemas.section::<Settings>(name),
        "get_currencies" | "set_currencies" => schemas.section::<CurrenciesSection>(name),
        "get_markets" | "set_markets" => schemas.section::<MarketsSection>(name),
        "get_tax_zones" | "set_tax_zones" => schemas.section::<TaxZonesSection>(name),
        "get_shipping_zones" | "set_shipping_zones" => {
            schemas.section::<ShippingZonesSection>(name)
        }
        "get_promotions" | "set_promotions" => schemas.section::<PromotionsSection>(name),
        "get_scheduled_prices" => (None, schemas.add::<Schedule>()),
        "set_scheduled_prices" => (schemas.body::<Schedule>(), schemas.add::<Schedule>()),
        "create_order" => (
            schemas.body::<orders::NewOrder>(),
            schemas.add::<views::orders::OrderView<'_>>(),
        ),
        "list_orders" => (None, schemas.add::<orders::OrderList<'_>>()),
        "get_order_status" => (
            None,
            schemas.add::<views::order_status::OrderStatusView<'_>>(),
        ),
        "get_order" | "deliver_fulfillment" => {
            (None, schemas.add::<views::orders::OrderView<'_>>())
        }
        "set_order_status" => (
            schemas.body::<orders::StatusChange>(),
            schemas.add::<views::orders::OrderView<'_>>(),
        ),
        "cancel_order" => (
            schemas.optional_body::<orders::Cancellation>(),
            schemas.add::<views::orders::OrderView<'_>>(),
        ),
        "create_fulfillment" => (
            schemas.body::<orders::Shipment>(),
            schemas.add::<views::orders::OrderView<'_>>(),
        ),
        "create_return" => (
            schemas.body::<orders::ReturnedGoods>(),
            schemas.add::<views::orders::OrderView<'_>>(),
        ),
        "create_refund" => (
            schemas.body::<refunds::NewRefund>(),
            schemas.add::<views::orders::OrderView<'_>>(),
        ),
        "list_findings" => (None, schemas.add::<admin::findings::Findings>()),
        "close_finding" => (
            schemas.body::<admin::findings::NewClosing>(),
            schemas.add::<admin::findings::FindingView>(),
        ),
        "admin_get_stock" => (None, schemas.add::<admin::stock::StockLevelView<'_>>()),
        "change_stock" => (
            schemas.body::<admin::stock::StockChange>(),
            schemas.add::<admin::stock::StockLevelView<'_>>(),
        ),
        "list_stock_movements" => (None, schemas.add::<admin::stock::Movements>()),
        "check_stock" | "repair_stock" => (None, schemas.add::<admin::stock::CheckupView<'_>>()),
        "list_dead_letters" => (None, schemas.list::<admin::dead_letters::LetterView<'_>>()),
        "get_dead_letter" => (
            None,
            schemas.add::<admin::dead_letters::InspectedView<'_>>(),
        ),
        "replay_letter" => (None, schemas.add::<admin::dead_letters::LetterView<'_>>()),
        "replay_letters" => (
            None,
            json!({"type": "object", "required": ["replayed"], "properties": {"replayed": {"type": "integer"}}}),
        ),
        "discard_letter" => (
            schemas.body::<admin::dead_letters::Discard>(),
            schemas.add::<admin::dead_letters::LetterView<'_>>(),
        ),
        "get_payment_provider" => (None, schemas.add::<admin::payments::ProviderHealthView>()),
        "get_payment" => (
            None,
            schemas.add::<admin::payments::ProviderPaymentView<'_>>(),
        ),
        _ => panic!("{name} is not described: say in `bodies` what it reads and answers with"),
    }
}

fn text_of(media_type: &str) -> Value {
    json!({"required": true, "content": {media_type: {"schema": {"type": "string"}}}})
}

/// Returns the documentation of a handler as one line.
fn docs_of(module: &str, name: &str) -> String {
    let module = module.replace("::", "/");
    let file = format!("{}/src/web/{module}.rs", env!("CARGO_MANIFEST_DIR"));
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
    /// Returns a reference to the schema of `T`.
    fn add<T: ToSchema>(&mut self) -> Value {
        let mut schemas: Vec<(String, RefOr<Schema>)> = Vec::new();
        T::schemas(&mut schemas);
        schemas.push((T::name().into_owned(), T::schema()));
        for (name, schema) in schemas {
            self.0.insert(name, serde_json::to_value(schema).unwrap());
        }
        json!({"$ref": format!("#/components/schemas/{}", T::name())})
    }

    /// Returns a JSON body of type `T`.
    fn body<T: ToSchema>(&mut self) -> Option<Value> {
        let schema = self.add::<T>();
        Some(json!({"required": true, "content": {"application/json": {"schema": schema}}}))
    }

    /// Returns an optional JSON body of type `T`.
    fn optional_body<T: ToSchema>(&mut self) -> Option<Value> {
        let mut body = self.body::<T>()?;
        body["required"] = false.into();
        Some(body)
    }

    /// Returns the schemas of a section of the settings: with its version in responses, without in
    /// requests that set it.
    fn section<T: ToSchema>(&mut self, name: &str) -> (Option<Value>, Value) {
        let body = self.body::<T>().filter(|_| name.starts_with("set_"));
        let mut answer = self.0[T::name().as_ref()].clone();
        let fields = answer.as_object_mut().unwrap();
        fields.remove("additionalProperties");
        let version = json!({"type": "integer", "format": "int64", "minimum": 0});
        fields["properties"]["version"] = version;
        let required = fields.entry("required").or_insert_with(|| json!([]));
        required.as_array_mut().unwrap().push("version".into());
        let versioned = format!("Versioned{}", T::name());
        let reference = json!({"$ref": format!("#/components/schemas/{versioned}")});
        self.0.insert(versioned, answer);
        (body, reference)
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
