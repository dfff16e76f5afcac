//! `/api/v1/orders/{id}/status`: what a page that waits for an order asks.

use crate::web::api::orders::PaymentView;
use crate::web::http::answers::names;
use crate::web::http::call::Call;
use crate::web::http::order_access::OrderAccess;
use crate::web::http::reply::Reply;
use serde::Serialize;
use shop::error::{Error, Result};
use shop::orders::order::Order;
use shop::orders::standing::{OrderStanding, OrderStandings};
use shop::orders::transitions::OrderStatus;
use shop::values::ids;

/// `GET /api/v1/orders/{id}/status`: how an order stands, for whoever may see it by `Order-Token`,
/// `Cart-Token` or staff's key. Made to be asked again and again: with `If-None-Match` the answer
/// is 304 until something has changed. Where many ask, it takes two seconds.
///
/// # Errors
/// 404 for anyone else; 503 `overloaded` when too many ask.
pub async fn get_order_status(call: &mut Call<'_>) -> Result<Reply> {
    let access = OrderAccess::of(call)?;
    if !ids::is_id("ord", call.param(0)) {
        return Err(Error::NotFound("order"));
    }
    let standing = call.app.order_standings().standing(call.param(0)).await?;
    let standing = standing
        .filter(|it| access.opens(&it.cart_id, it.created_at, call.app.now))
        .ok_or(Error::NotFound("order"))?;
    let reply = Reply::json(200, &OrderStatusView::of(call.param(0), &standing))?;
    let etag = reply.etag();
    let known = call.header("If-None-Match");
    let reply = if known.is_some_and(|tags| names(&tags, &etag)) {
        Reply::empty(304)
    } else {
        reply
    };
    Ok(reply.with("ETag", etag))
}

/// The tag by which a page of this order asks whether it has changed since.
///
/// # Errors
/// When it can't be written.
pub fn status_tag(order: &Order) -> Result<String> {
    let payment = &order.payment;
    let standing = OrderStanding {
        cart_id: order.cart_id.clone(),
        created_at: order.created_at,
        status: order.status,
        version: order.version,
        payment_status: payment.status,
        payment_url: payment.url.clone(),
        payment_expires_at: payment.expires_at,
    };
    Ok(Reply::json(200, &OrderStatusView::of(&order.id, &standing))?.etag())
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct OrderStatusView<'a> {
    id: &'a str,
    status: OrderStatus,
    payment: PaymentView<'a>,
    version: u64,
}

impl<'a> OrderStatusView<'a> {
    fn of(id: &'a str, it: &'a OrderStanding) -> Self {
        Self {
            id,
            status: it.status,
            payment: PaymentView::at(
                it.status,
                it.payment_status,
                it.payment_url.as_deref(),
                it.payment_expires_at,
            ),
            version: it.version,
        }
    }
}
