//! The status page of an order, for whoever has its link.

use crate::error::Result;
use crate::shop::money::Money;
use crate::shop::orders::{Happening, Order, OrderEvent, Payment, Status};
use crate::shop::payments::PaymentStatus;
use crate::shop::ports::{Orders, Ports};
use crate::web::api::instant;
use crate::web::api::orders::visible_order;
use crate::web::call::Call;
use crate::web::pages::checkout::totals;
use crate::web::pages::layout::{Visit, page_with};
use crate::web::reply::Reply;
use maud::{Markup, html};

/// Seconds until the page of a pending order looks again.
const REFRESH_SECS: u32 = 3;

/// `GET /orders/{id}?token=`
///
/// # Errors
/// 404 for anyone without the link or the cart.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call)?;
    let order_id = call.param(0).to_owned();
    let order = visible_order(call, &order_id).await?;
    let payment = call.app.orders().payment(&order_id).await?;
    let timeline = call.app.orders().timeline(&order_id).await?;
    let unfinished = call.query("payment").is_some();
    let head = html! {
        meta name="robots" content="noindex";
        meta name="referrer" content="no-referrer";
        @if order.status == Status::PendingPayment && !unfinished { meta http-equiv="refresh" content=(REFRESH_SECS); }
    };
    let title = format!("Order {}", order.number);
    Ok(page_with(
        200,
        &visit,
        &title,
        &head,
        &order_page(&order, payment.as_ref(), &timeline),
    ))
}

fn order_page(order: &Order, payment: Option<&Payment>, timeline: &[OrderEvent]) -> Markup {
    html! {
        h1 { "Order " (order.number) }
        p class="status" data-status=(status_word(order.status)) { (status_sentence(order.status)) }
        @if order.status == Status::PendingPayment { (pay_link(payment)) }
        ul class="lines" {
            @for line in &order.lines {
                li { div { (line.name()) } span class="price" { (Money::new(line.line_total, order.currency)) } }
            }
        }
        (totals(&order.totals, order.currency))
        p { "To " (order.shipping_address.name) ", " (order.shipping_address.line1) ", " (order.shipping_address.city) ", " (order.shipping_address.country) }
        h2 { "What happened" }
        ol class="timeline" {
            @for event in timeline {
                li { (happening_sentence(event.happening)) " " time datetime=(instant(event.at)) { (instant(event.at)) } }
            }
        }
        p class="quiet" { "Keep the address of this page: it is the way back to your order." }
    }
}

fn pay_link(payment: Option<&Payment>) -> Markup {
    match payment {
        Some(Payment {
            url: Some(url),
            status: PaymentStatus::Open,
            ..
        }) => html! { p { a class="button" href=(url) { "Pay now" } } },
        Some(Payment {
            status: PaymentStatus::Processing,
            ..
        }) => html! { p { "Your payment is on its way; this can take some days." } },
        _ => {
            html! { p { "The payment link follows in a moment; this page looks again by itself." } }
        }
    }
}

const fn status_word(status: Status) -> &'static str {
    match status {
        Status::PendingPayment => "pending_payment",
        Status::Confirmed => "confirmed",
        Status::Expired => "expired",
        Status::Cancelled => "cancelled",
        Status::PaymentReview => "payment_review",
    }
}

const fn status_sentence(status: Status) -> &'static str {
    match status {
        Status::PendingPayment => "Waiting for your payment",
        Status::Confirmed => "Confirmed. Thank you!",
        Status::Expired => "Expired: it was not paid in time. Nothing was charged.",
        Status::Cancelled => "Cancelled. Nothing was charged.",
        Status::PaymentReview => "We are looking at your payment and will be in touch.",
    }
}

const fn happening_sentence(happening: Happening) -> &'static str {
    match happening {
        Happening::Placed => "Placed",
        Happening::PaymentProcessing => "Payment on its way",
        Happening::Paid => "Paid",
        Happening::PaidWrongAmount => "Paid with another amount",
        Happening::SessionExpired => "Payment time ran out",
        Happening::PaymentRefused => "Payment refused",
        Happening::OutOfStock => "Sold out before it could be paid",
    }
}
