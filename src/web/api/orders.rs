//! `/api/v1/orders`

use crate::error::{Error, Result};
use crate::shop::checkout::{Checkout, CheckoutStep, place_order};
use crate::shop::money::Currency;
use crate::shop::orders::{Address, Happening, Order, OrderEvent, Payment, Status};
use crate::shop::payments::PaymentStatus;
use crate::shop::ports::{Orders, Ports};
use crate::web::api::cart::{PricedLineView, TotalsView, no_cart};
use crate::web::api::instant;
use crate::web::call::Call;
use crate::web::cart_token::OwnCart;
use crate::web::guard;
use crate::web::reply::Reply;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    quote_id: String,
    #[serde(default)]
    billing_address: Option<Address>,
}

/// `POST /api/v1/orders {quote_id, billing_address?}` with an `Idempotency-Key`: 201 with the new order, 200 and
/// `Idempotent-Replayed` with the order that this key placed before, in its current state.
///
/// # Errors
/// 409 `sold_out`, `contended`, `quote_changed`, `quote_expired`, `cart_in_checkout`; 422 `unknown_quote`,
/// `idempotency_key_reused`, `idempotency_key_required`.
pub async fn create_order(call: &mut Call<'_>) -> Result<Reply> {
    let (new, request_hash) = call.json::<NewOrder>().await?;
    let idempotency_key = call.idempotency_key()?.ok_or_else(|| {
        Error::invalid(
            "Idempotency-Key",
            "idempotency_key_required",
            "Send a key of your own for each order.",
        )
    })?;
    if let Some(address) = &new.billing_address {
        let errors = address.errors("billing_address");
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
    }
    call.app.config.check_payments()?;
    let own = OwnCart::of(call)?.ok_or_else(no_cart)?;
    let checkout = Checkout {
        order_id: call.app.new_id("ord")?,
        cart_id: own.id,
        idempotency_key,
        request_hash,
        quote_id: new.quote_id,
        billing_address: new.billing_address,
        step: CheckoutStep::Started,
    };
    let placed = place_order(call.app, checkout, &call.app.order_links(), call.app.now).await?;
    let reply = order_reply(
        call,
        &placed.order_id,
        if placed.replayed { 200 } else { 201 },
    )
    .await?;
    if placed.replayed {
        return Ok(reply.with("Idempotent-Replayed", "true"));
    }
    Ok(reply.with("Location", format!("/api/v1/orders/{}", placed.order_id)))
}

/// `GET /api/v1/orders/{id}`, for whoever shows its link's `?token=`, its cart's token, or staff's key.
///
/// # Errors
/// 404 for anyone else.
pub async fn get_order(call: &mut Call<'_>) -> Result<Reply> {
    let order_id = call.param(0).to_owned();
    order_reply(call, &order_id, 200).await
}

async fn order_reply(call: &Call<'_>, order_id: &str, status: u16) -> Result<Reply> {
    let order = visible_order(call, order_id).await?;
    let payment = call.app.orders().payment(order_id).await?;
    let timeline = call.app.orders().timeline(order_id).await?;
    let status_url = call.app.order_links().status(order_id);
    let view = OrderView::of(&order, payment.as_ref(), &timeline, status_url);
    Ok(Reply::json(status, &view)?.with("ETag", format!("\"{}\"", order.version)))
}

/// The order, if the caller may see it; whether it exists stays unknown to others.
///
/// # Errors
/// 404.
pub async fn visible_order(call: &Call<'_>, order_id: &str) -> Result<Order> {
    let order = call.app.orders().order(order_id).await?;
    let token = call.query("token").unwrap_or_default();
    let by_link = call.app.order_links().is_token_of(order_id, &token);
    let by_cart = |order: &Order| {
        OwnCart::of(call).is_ok_and(|own| own.is_some_and(|own| own.id == order.cart_id))
    };
    order
        .filter(|order| by_link || by_cart(order) || guard::is_staff(call))
        .ok_or(Error::NotFound("order"))
}

#[derive(Serialize)]
struct OrderView<'a> {
    id: &'a str,
    number: String,
    status: Status,
    payment_status: Option<PaymentStatus>,
    fulfillment_status: &'static str,
    currency: Currency,
    email: &'a str,
    lines: Vec<PricedLineView<'a>>,
    shipping_address: &'a Address,
    billing_address: &'a Address,
    shipping_method: &'a str,
    #[serde(flatten)]
    totals: TotalsView,
    payment: Option<PaymentView<'a>>,
    timeline: Vec<TimelineView>,
    status_url: String,
    version: u64,
    created_at: String,
}

#[derive(Serialize)]
struct PaymentView<'a> {
    status: PaymentStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    expires_at: String,
}

#[derive(Serialize)]
struct TimelineView {
    event: Happening,
    at: String,
}

impl<'a> OrderView<'a> {
    fn of(
        order: &'a Order,
        payment: Option<&'a Payment>,
        timeline: &[OrderEvent],
        status_url: String,
    ) -> Self {
        Self {
            id: &order.id,
            number: order.number.to_string(),
            status: order.status,
            payment_status: payment.map(|payment| payment.status),
            fulfillment_status: "unfulfilled",
            currency: order.currency,
            email: &order.email,
            lines: PricedLineView::all_of(&order.lines, order.currency),
            shipping_address: &order.shipping_address,
            billing_address: order
                .billing_address
                .as_ref()
                .unwrap_or(&order.shipping_address),
            shipping_method: &order.shipping_method,
            totals: TotalsView::of(&order.totals, order.currency),
            payment: payment.map(|payment| PaymentView {
                status: payment.status,
                url: payment
                    .url
                    .as_deref()
                    .filter(|_| payment.status == PaymentStatus::Open),
                expires_at: instant(payment.expires_at),
            }),
            timeline: timeline
                .iter()
                .map(|event| TimelineView {
                    event: event.happening,
                    at: instant(event.at),
                })
                .collect(),
            status_url,
            version: order.version,
            created_at: instant(order.created_at),
        }
    }
}
