//! `/api/v1/orders/{id}/status`, for clients that wait for a change of an order.

use crate::web::http::answers::names;
use crate::web::http::call::Call;
use crate::web::http::order_access::OrderAccess;
use crate::web::http::reply::Reply;
use crate::web::views::order_status::OrderStatusView;
use shop::error::{Error, Result};
use shop::orders::standing::OrderStandings;
use shop::values::ids;

/// `GET /api/v1/orders/{id}/status`: Returns the current status of an order. Requires its
/// `Order-Token`, its `Cart-Token` or a staff key. Made for polling: with `If-None-Match`, the
/// response is 304 until something has changed. When many clients poll at once, an answer can be
/// two seconds old.
///
/// # Errors
/// 404 for anyone else; 503 `overloaded` when too many clients poll.
pub async fn get_order_status(call: &mut Call<'_>) -> Result<Reply> {
    let access = OrderAccess::of(call)?;
    let order_id = call.order_id();
    if !ids::is_id("ord", &order_id) {
        return Err(Error::NotFound("order"));
    }
    let standing = call.app.order_standings().standing(&order_id).await?;
    let standing = standing
        .filter(|it| access.opens(&it.cart_id, it.created_at, call.app.now))
        .ok_or(Error::NotFound("order"))?;
    let reply = Reply::json(200, &OrderStatusView::of(&order_id, &standing))?;
    let etag = reply.etag();
    let known = call.header("If-None-Match");
    let reply = if known.is_some_and(|tags| names(&tags, &etag)) {
        Reply::empty(304)
    } else {
        reply
    };
    Ok(reply.with("ETag", etag))
}
