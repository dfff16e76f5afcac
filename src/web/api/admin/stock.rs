//! `/api/v1/admin/stock/{sku}`, for staff: the numbers of units, which the public never sees, and
//! the movements that led to them.

use crate::web::api::{decode_cursor, encode_cursor, limit, malformed_cursor, whole};
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::views::instant;
use chrono::DateTime;
use durable::Timestamp;
use durable::machine::Checkup;
use durable::stock::{Availability, Command, MAX_QUANTITY, Settings, View};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::inventory::objects::StockLedgers;
use shop::inventory::ports::StockPorts;
use shop::inventory::stock;
use shop::values::ids::Sku;
use shop::values::staff_name::StaffName;

/// A change: exactly one of these fields.
#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::web::api) struct StockChange {
    #[cfg_attr(test, schema(value_type = Option<u32>))]
    receive: Option<Number>,
    adjust: Option<Adjustment>,
    write_off: Option<Units>,
    r#return: Option<Units>,
    configure: Option<Rules>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::web::api) struct Adjustment {
    #[cfg_attr(test, schema(value_type = i32))]
    by: Number,
    reason: String,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = StockUnits))]
#[serde(deny_unknown_fields)]
pub(in crate::web::api) struct Units {
    #[cfg_attr(test, schema(value_type = u32))]
    quantity: Number,
    reason: String,
}

/// Stock policy of a SKU; absent fields are reset to their defaults.
#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::web::api) struct Rules {
    #[cfg_attr(test, schema(value_type = Option<u32>))]
    low_threshold: Option<Number>,
    #[cfg_attr(test, schema(value_type = Option<u32>))]
    backorder_cap: Option<Number>,
    promise_at: Option<String>,
    #[cfg_attr(test, schema(value_type = Option<u32>))]
    purchase_limit: Option<Number>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct StockLevelView<'a> {
    sku: &'a str,
    #[serde(flatten)]
    numbers: Numbers,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct Numbers {
    on_hand: i64,
    held: i64,
    reserved: i64,
    committed: i64,
    available: i64,
    low_threshold: u32,
    backorder_cap: u32,
    #[cfg_attr(test, schema(required))]
    promise_at: Option<String>,
    #[cfg_attr(test, schema(required))]
    purchase_limit: Option<u32>,
    #[cfg_attr(test, schema(schema_with = crate::web::views::schemas::availability))]
    stock: Availability,
    version: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct Movements {
    data: Vec<MovementView>,
    #[cfg_attr(test, schema(required))]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct MovementView {
    seq: u64,
    at: String,
    #[cfg_attr(test, schema(required))]
    operation_id: Option<String>,
    /// `None` means the movement was not made by staff.
    #[cfg_attr(test, schema(required, value_type = Option<String>))]
    actor: Option<StaffName>,
    #[cfg_attr(test, schema(value_type = Vec<Object>))]
    events: Vec<Value>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct CheckupView<'a> {
    sku: &'a str,
    consistent: bool,
    wrong_rows: usize,
    stored: Numbers,
    folded: Numbers,
}

/// `GET /api/v1/admin/stock/{sku}`: Returns the stock and settings of a SKU.
///
/// # Errors
/// 404 for a SKU that no product has and that was never stocked.
pub async fn get_stock(call: &mut Call<'_>) -> Result<Reply> {
    let (app, sku) = (call.app, Sku::new(call.param(0).to_owned()));
    let view = stock::get_stock(&app.catalog_record(), &app.stock(), &sku).await?;
    reply(&sku, view)
}

/// `POST /api/v1/admin/stock/{sku}` with one of `receive`, `adjust`, `write_off`, `return`,
/// `configure`: Changes the stock or settings of a SKU.
///
/// # Errors
/// 404 for a SKU that no product has and that was never stocked; 422 `one_change`,
/// `invalid_quantity`, `invalid_reason`, `invalid_settings`, `invalid_instant`; 409
/// `below_promised`.
pub async fn change_stock(call: &mut Call<'_>) -> Result<Reply> {
    let (change, _) = call.json::<StockChange>().await?;
    let command = change.command()?;
    let operation_id = call.identity().staff()?.operation_id(&call.operation_id()?);
    let (app, sku) = (call.app, Sku::new(call.param(0).to_owned()));
    stock::get_stock(&app.catalog_record(), &app.stock(), &sku).await?;
    let (view, replayed) = stock::change_stock(&app.stock(), &sku, command, operation_id).await?;
    let reply = reply(&sku, view)?;
    Ok(if replayed {
        reply.with("Idempotent-Replayed", "true")
    } else {
        reply
    })
}

/// `GET /api/v1/admin/stock/{sku}/movements?limit=&cursor=`: Lists the stock movements of a SKU,
/// newest first.
///
/// # Errors
/// 422 `invalid_limit`, 400 `malformed_cursor`.
pub async fn list_stock_movements(call: &mut Call<'_>) -> Result<Reply> {
    let limit = limit(call)?;
    let before = decode_cursor(call)?
        .map(|cursor| cursor.parse().map_err(|_| malformed_cursor()))
        .transpose()?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let sku = Sku::new(call.param(0).to_owned());
    let movements = call
        .app
        .stock_ledgers()
        .movements(&sku, before, limit)
        .await?;
    let oldest = movements.last().map(|movement| movement.seq);
    let next_cursor = oldest
        .filter(|oldest| *oldest > 1)
        .map(|oldest| encode_cursor(&oldest.to_string()));
    let data = movements
        .into_iter()
        .map(|movement| MovementView {
            seq: movement.seq,
            at: instant(movement.at),
            actor: movement
                .operation_id
                .as_deref()
                .and_then(StaffName::of_operation),
            operation_id: movement.operation_id,
            events: movement.events.into_iter().map(told).collect(),
        })
        .collect();
    Reply::json(200, &Movements { data, next_cursor })
}

/// `GET /api/v1/admin/stock/{sku}/check`: Compares the stock of a SKU with the sum of its
/// movements.
///
/// # Errors
/// Fails if the object does not answer.
pub async fn check_stock(call: &mut Call<'_>) -> Result<Reply> {
    let sku = Sku::new(call.param(0).to_owned());
    let found = call.app.stock_ledgers().check(&sku).await?;
    Reply::json(200, &CheckupView::of(&sku, found))
}

/// `POST /api/v1/admin/stock/{sku}/repair`: Sets the stock of a SKU to the sum of its movements,
/// and returns the difference found.
///
/// # Errors
/// Fails if the object does not answer.
pub async fn repair_stock(call: &mut Call<'_>) -> Result<Reply> {
    let sku = Sku::new(call.param(0).to_owned());
    let found = call.app.stock_ledgers().repair(&sku).await?;
    Reply::json(200, &CheckupView::of(&sku, found))
}

fn reply(sku: &Sku, view: View) -> Result<Reply> {
    let numbers = Numbers::of(view);
    Reply::json(200, &StockLevelView { sku, numbers })
}

/// Converts an event of the object to the API's form: `{"held": {…}}` becomes
/// `{"event": "held", …}`.
fn told(event: Value) -> Value {
    let Value::Object(event) = event else {
        return event;
    };
    let Some((name, Value::Object(mut fields))) = event.into_iter().next() else {
        return Value::Null;
    };
    fields.insert("event".to_owned(), name.into());
    fields.into()
}

impl StockChange {
    fn command(self) -> Result<Command> {
        let commands = [
            self.receive.map(|quantity| {
                let quantity = read_quantity("receive", &quantity)?;
                Ok(Command::Receive { quantity })
            }),
            self.adjust.map(|Adjustment { by, reason }| {
                let by = read_difference("adjust.by", &by)?;
                Ok(Command::Adjust { by, reason })
            }),
            self.write_off.map(|Units { quantity, reason }| {
                let quantity = read_quantity("write_off.quantity", &quantity)?;
                Ok(Command::WriteOff { quantity, reason })
            }),
            self.r#return.map(|Units { quantity, reason }| {
                let quantity = read_quantity("return.quantity", &quantity)?;
                Ok(Command::Return { quantity, reason })
            }),
            self.configure.map(|rules| {
                let settings = rules.settings()?;
                Ok(Command::Configure { settings })
            }),
        ];
        let mut given = commands.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(command), None) => command,
            _ => Err(Error::invalid(
                "change",
                Code::OneChange,
                "Must contain exactly one of receive, adjust, write_off, return and configure.",
            )),
        }
    }
}

impl Rules {
    fn settings(self) -> Result<Settings> {
        let defaults = Settings::default();
        Ok(Settings {
            low_threshold: read_setting("low_threshold", self.low_threshold.as_ref())?
                .unwrap_or(defaults.low_threshold),
            backorder_cap: read_setting("backorder_cap", self.backorder_cap.as_ref())?
                .unwrap_or(defaults.backorder_cap),
            promise_at: self.promise_at.as_deref().map(read_instant).transpose()?,
            purchase_limit: read_setting("purchase_limit", self.purchase_limit.as_ref())?,
        })
    }
}

fn read_quantity(field: &'static str, number: &Number) -> Result<u32> {
    let most = i64::from(MAX_QUANTITY);
    whole(number, 1..=most).ok_or_else(|| {
        let detail = format!("Must be a whole number from 1 to {most}.");
        Error::invalid(field, Code::InvalidQuantity, detail)
    })
}

fn read_difference(field: &'static str, number: &Number) -> Result<i32> {
    let most = i64::from(MAX_QUANTITY);
    whole(number, most.saturating_neg()..=most)
        .filter(|by| *by != 0)
        .ok_or_else(|| {
            let detail = format!("Must be a whole number from -{most} to {most}, other than 0.");
            Error::invalid(field, Code::InvalidQuantity, detail)
        })
}

/// Reads a number; the object decides whether it is acceptable.
fn read_setting(name: &str, number: Option<&Number>) -> Result<Option<u32>> {
    let Some(number) = number else {
        return Ok(None);
    };
    let setting = whole(number, 0..=MAX_QUANTITY.into());
    setting.map(Some).ok_or_else(|| {
        let detail = format!("Must be a whole number up to {MAX_QUANTITY}.");
        Error::invalid(format!("configure.{name}"), Code::InvalidSettings, detail)
    })
}

fn read_instant(text: &str) -> Result<Timestamp> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| Timestamp::from_millis(at.timestamp_millis()))
        .map_err(|_| {
            Error::invalid(
                "configure.promise_at",
                Code::InvalidInstant,
                "Must be an RFC 3339 timestamp such as 2026-11-20T07:15:00Z.",
            )
        })
}

impl Numbers {
    fn of(view: View) -> Self {
        Self {
            on_hand: view.on_hand,
            held: view.held,
            reserved: view.reserved,
            committed: view.committed,
            available: view.available,
            low_threshold: view.settings.low_threshold,
            backorder_cap: view.settings.backorder_cap,
            promise_at: view.settings.promise_at.map(instant),
            purchase_limit: view.settings.purchase_limit,
            stock: view.stock,
            version: view.version,
        }
    }
}

impl<'a> CheckupView<'a> {
    fn of(sku: &'a str, found: Checkup<View>) -> Self {
        Self {
            sku,
            consistent: found.consistent,
            wrong_rows: found.wrong_rows,
            stored: Numbers::of(found.stored),
            folded: Numbers::of(found.folded),
        }
    }
}
