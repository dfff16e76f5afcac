//! Status of an order for clients that poll it.

use crate::web::http::reply::Reply;
use crate::web::views::orders::PaymentView;
use serde::Serialize;
use shop::error::Result;
use shop::orders::order::Order;
use shop::orders::standing::OrderStanding;
use shop::orders::transitions::OrderStatus;

/// Returns the tag by which a client of this order asks whether it has changed.
///
/// # Errors
/// Fails if it can't be serialized.
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
pub(in crate::web) struct OrderStatusView<'a> {
    id: &'a str,
    status: OrderStatus,
    payment: PaymentView<'a>,
    version: u64,
}

impl<'a> OrderStatusView<'a> {
    pub(in crate::web) fn of(id: &'a str, it: &'a OrderStanding) -> Self {
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
