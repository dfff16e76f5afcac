//! `/api/v1/orders`: placing, reading, shipping and cancelling orders.

use crate::web::api::cart::no_cart;
use crate::web::api::{decode_cursor, encode_cursor, limit, malformed_cursor};
use crate::web::http::call::Call;
use crate::web::http::guard;
use crate::web::http::order_access::{cancel_visible_order, instruction, visible_order};
use crate::web::http::reply::Reply;
use crate::web::views::orders::OrderView;
use serde::{Deserialize, Serialize};
use shop::aftersales::fulfillments::{NewFulfillment, NewReturn};
use shop::aftersales::recorded::Recorded;
use shop::aftersales::{fulfillments, status};
use shop::checkout::place_order;
use shop::checkout::record::Checkout;
use shop::codes::Code;
use shop::customers::permissions::Permission;
use shop::error::{Error, Result};
use shop::orders::order::{Actor, Order};
use shop::orders::ports::OrderPorts;
use shop::orders::record::{OrderFilter, Orders};
use shop::orders::records::{Tracking, Units, record_id_of_key};
use shop::orders::transitions::OrderStatus;
use shop::values::addresses::Address;
use shop::values::ids::{OrderId, QuoteId};

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrder {
    #[cfg_attr(test, schema(value_type = String))]
    quote_id: QuoteId,
    #[serde(default)]
    billing_address: Option<Address>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct StatusChange {
    status: OrderStatus,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Cancellation {
    #[serde(default)]
    note: Option<String>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Shipment {
    #[serde(default)]
    lines: Option<Vec<Units>>,
    #[serde(default)]
    carrier: Option<String>,
    #[serde(default)]
    tracking_number: Option<String>,
    #[serde(default)]
    tracking_url: Option<String>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ReturnedGoods {
    lines: Vec<Units>,
    restock: bool,
    #[serde(default)]
    reason: Option<String>,
}

/// `POST /api/v1/orders {quote_id, billing_address?}` with an `Idempotency-Key`: Places an order.
/// 201 is the new order; 200 with `Idempotent-Replayed` is the order that this key placed before,
/// in its current state. If the shop uses a challenge, send its solution in the header
/// `Challenge-Token`: the response of a Turnstile widget whose action is `checkout`. Orders without
/// one are accepted too, but only a few from each network. A repeat may send the same token or
/// another one.
///
/// # Errors
/// 409 `sold_out`, `contended`, `over_limit`, `promotion_used_up`, `promotion_contended`,
/// `promotion_not_available`, `quote_changed`, `quote_expired`, `cart_in_checkout`; 422
/// `unknown_quote`, `idempotency_key_reused`, `idempotency_key_required`; 429
/// `too_many_pending_orders`, `too_many_unproved_orders`; 503 `checkout_interrupted`,
/// `payments_not_configured`.
pub async fn create_order(call: &mut Call<'_>) -> Result<Reply> {
    let (new, request_hash) = call.json::<NewOrder>().await?;
    let idempotency_key = call.idempotency_key()?.ok_or_else(|| {
        Error::invalid(
            "Idempotency-Key",
            Code::IdempotencyKeyRequired,
            "Send a unique idempotency key with each order.",
        )
    })?;
    if let Some(address) = &new.billing_address {
        let errors = address.errors("billing_address");
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
    }
    call.app.config.check_payments()?;
    let own = call.identity().cart()?.ok_or_else(no_cart)?;
    let checkout = Checkout {
        order_id: OrderId::new(call.app.new_id("ord")?),
        cart_id: own.id,
        idempotency_key,
        request_hash,
        quote_id: new.quote_id,
        billing_address: new.billing_address,
        jitter: call.app.jitter(),
        visitor: guard::visitor(call, &call.header("Challenge-Token").unwrap_or_default()),
    };
    let placed = place_order(call.app, &checkout, &call.app.order_links(), call.app.now).await?;
    if placed.replayed {
        return Ok(whole_order(call, &placed.order, 200)?.with("Idempotent-Replayed", "true"));
    }
    let location = format!("/api/v1/orders/{}", placed.order.id);
    Ok(whole_order(call, &placed.order, 201)?.with("Location", location))
}

/// `GET /api/v1/orders?status=&limit=&cursor=`: Lists orders, newest first: all of them for staff,
/// those of the cart for its holder.
///
/// # Errors
/// 401 `credentials_required`, 422 `unknown_status`, 400 `malformed_cursor`.
pub async fn list_orders(call: &mut Call<'_>) -> Result<Reply> {
    let cart_id = if call.identity().may(Permission::ReadOrders) {
        None
    } else {
        let own = call.identity().cart()?.ok_or(Error::Unauthorized {
            code: Code::CredentialsRequired,
        })?;
        Some(own.id)
    };
    let limit = limit(call)?;
    let filter = OrderFilter {
        cart_id,
        status: call
            .query("status")
            .map(|word| read_status(&word))
            .transpose()?,
        number: None,
        before: decode_cursor(call)?.map(order_of_cursor).transpose()?,
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
    };
    let found = call.app.orders().orders(&filter).await?;
    let next_cursor = found
        .last()
        .filter(|_| found.len() == limit)
        .map(|order| encode_cursor(&order.id));
    let data = found
        .iter()
        .map(|order| OrderView::of(call, order))
        .collect();
    Reply::json(200, &OrderList { data, next_cursor })
}

/// `GET /api/v1/orders/{id}`: Returns an order. Requires its `Order-Token`, from the link to the
/// order, its `Cart-Token` or a staff key.
///
/// # Errors
/// 404 for anyone else.
pub async fn get_order(call: &mut Call<'_>) -> Result<Reply> {
    let order = visible_order(call).await?;
    whole_order(call, &order, 200)
}

/// `PUT /api/v1/orders/{id}/status {status, note?}`: Confirms or cancels an order.
///
/// # Errors
/// 404; 409 `transition_not_allowed` with the allowed transitions; 412 `stale_version`.
pub async fn set_order_status(call: &mut Call<'_>) -> Result<Reply> {
    let (change, _) = call.json::<StatusChange>().await?;
    let by = Actor::Staff(call.identity().staff()?);
    let instruction = instruction(call, by, change.note)?;
    let (app, order_id) = (call.app, &call.order_id());
    let order =
        status::set_order_status(app, order_id, change.status, instruction, app.now).await?;
    whole_order(call, &order, 200)
}

/// `POST /api/v1/orders/{id}/cancel {note?}`: Cancels an order. It may stay pending until the
/// payment provider has answered.
///
/// # Errors
/// 404; 409 `transition_not_allowed` with the allowed transitions; 412 `stale_version`.
pub async fn cancel_order(call: &mut Call<'_>) -> Result<Reply> {
    let cancellation = if call.header("Content-Type").is_some() {
        call.json::<Cancellation>().await?.0
    } else {
        Cancellation::default()
    };
    let order = cancel_visible_order(call, cancellation.note).await?;
    whole_order(call, &order, 200)
}

/// `POST /api/v1/orders/{id}/fulfillments {lines?, carrier?, tracking_number?, tracking_url?}`:
/// Creates a fulfilment of the given units, or of all that are left.
///
/// # Errors
/// 404; 409 `transition_not_allowed`; 422 `invalid_quantity`, `invalid_url`, `too_long`,
/// `control_character`, `idempotency_key_reused`.
pub async fn create_fulfillment(call: &mut Call<'_>) -> Result<Reply> {
    let (shipment, _) = call.json::<Shipment>().await?;
    let new = NewFulfillment {
        lines: shipment.lines,
        tracking: Tracking {
            carrier: shipment.carrier,
            tracking_number: shipment.tracking_number,
            tracking_url: shipment.tracking_url,
        },
    };
    let id = new_record_id(call, "ful")?;
    let (app, order_id) = (call.app, &call.order_id());
    let by = call.identity().staff()?;
    let recorded = fulfillments::create_fulfillment(app, order_id, &id, new, &by, app.now).await?;
    recorded_order(call, &recorded)
}

/// `POST /api/v1/orders/{id}/fulfillments/{fulfillment_id}/delivered`: Marks a fulfilment as
/// delivered. The last one completes the order.
///
/// # Errors
/// 404; 409 `transition_not_allowed`.
pub async fn deliver_fulfillment(call: &mut Call<'_>) -> Result<Reply> {
    let (order_id, id) = (&call.order_id(), call.param(1));
    let by = call.identity().staff()?;
    let order =
        fulfillments::deliver_fulfillment(call.app, order_id, id, &by, call.app.now).await?;
    whole_order(call, &order, 200)
}

/// `POST /api/v1/orders/{id}/returns {lines, restock, reason?}`: Records returned units, to be sold
/// again or not.
///
/// # Errors
/// 404; 409 `transition_not_allowed`; 422 `invalid_quantity`, `idempotency_key_reused`.
pub async fn create_return(call: &mut Call<'_>) -> Result<Reply> {
    let (goods, _) = call.json::<ReturnedGoods>().await?;
    let new = NewReturn {
        lines: goods.lines,
        restock: goods.restock,
        reason: goods.reason,
    };
    let id = new_record_id(call, "ret")?;
    let (app, order_id) = (call.app, &call.order_id());
    let by = call.identity().staff()?;
    let recorded = fulfillments::create_return(app, order_id, &id, new, &by, app.now).await?;
    recorded_order(call, &recorded)
}

/// Returns the ID of the record that the call creates, derived from its `Idempotency-Key`.
///
/// # Errors
/// 422 `idempotency_key_required`.
pub fn new_record_id(call: &Call<'_>, prefix: &str) -> Result<String> {
    match call.idempotency_key()? {
        Some(key) => Ok(record_id_of_key(prefix, &call.order_id(), &key)),
        None => call.app.new_id(prefix),
    }
}

/// Reads the order ID in a cursor. Cursors of earlier versions contain a sequential number instead.
fn order_of_cursor(text: String) -> Result<OrderId> {
    if text.starts_with("ord_") {
        return Ok(OrderId::new(text));
    }
    Err(malformed_cursor())
}

fn read_status(word: &str) -> Result<OrderStatus> {
    durable::json::read_value(word.into())
        .map_err(|_| Error::invalid("status", Code::UnknownStatus, "Unknown order status."))
}

fn whole_order(call: &Call<'_>, order: &Order, status: u16) -> Result<Reply> {
    let reply = Reply::json(status, &OrderView::of(call, order))?;
    Ok(reply.with("ETag", format!("\"{}\"", order.version)))
}

/// Returns 201 with an order to which this call has added a record, or 200 if an earlier call had
/// added it.
///
/// # Errors
/// Fails if the response can't be serialized.
pub fn recorded_order(call: &Call<'_>, recorded: &Recorded) -> Result<Reply> {
    if recorded.replayed {
        return Ok(whole_order(call, &recorded.order, 200)?.with("Idempotent-Replayed", "true"));
    }
    whole_order(call, &recorded.order, 201)
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct OrderList<'a> {
    data: Vec<OrderView<'a>>,
    #[cfg_attr(test, schema(required))]
    next_cursor: Option<String>,
}
