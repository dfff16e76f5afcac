//! An order's pages, for whoever has its link: how it stands, and its invoice.

use crate::error::Result;
use crate::shop::fulfillments::Fulfillment;
use crate::shop::money::Money;
use crate::shop::orders::{Actor, Order, OrderEvent, OrderLinks};
use crate::shop::payments::PaymentStatus;
use crate::shop::transitions::{Happening, Status};
use crate::web::api::instant;
use crate::web::api::orders::{cancel_visible_order, visible_order};
use crate::web::call::Call;
use crate::web::pages::checkout::{label, totals};
use crate::web::pages::layout::{SHOP_NAME, Visit, page_with};
use crate::web::reply::Reply;
use durable::Timestamp;
use maud::{Markup, html};

/// Seconds until the page of a pending order looks again.
const REFRESH_SECS: u32 = 3;

/// `GET /orders/{id}?token=`
///
/// # Errors
/// 404 for anyone without the link or the cart.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call)?;
    let order = visible_order(call, call.param(0)).await?;
    let unfinished = call.query("payment").is_some();
    let looks_again = order.status == Status::PendingPayment && !unfinished;
    let content = order_page(&order, &call.app.order_links());
    Ok(private_page(
        &visit,
        &format!("Order {}", order.number),
        looks_again,
        &content,
    ))
}

/// `GET /orders/{id}/invoice?token=`: everything that an invoice says, on one page to print.
///
/// # Errors
/// 404 for anyone without the link or the cart.
pub async fn show_invoice(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call)?;
    let order = visible_order(call, call.param(0)).await?;
    let content = invoice_page(&order, &call.app.order_links());
    let title = format!("Invoice {}", order.number);
    Ok(private_page(&visit, &title, false, &content))
}

/// `POST /orders/{id}/cancel?token=`: cancels, then back to the order; its cart can be changed again.
///
/// # Errors
/// 404 for anyone without the link or the cart; 409 once something of it has left.
pub async fn cancel(call: &mut Call<'_>) -> Result<Reply> {
    let order = cancel_visible_order(call, None).await?;
    Ok(Reply::see_other(
        call.app.order_links().status_path(&order.id),
    ))
}

/// A page that is its reader's alone: the token in its address goes nowhere else.
fn private_page(visit: &Visit, title: &str, looks_again: bool, content: &Markup) -> Reply {
    let head = html! {
        meta name="robots" content="noindex";
        meta name="referrer" content="no-referrer";
        @if looks_again { meta http-equiv="refresh" content=(REFRESH_SECS); }
    };
    page_with(200, visit, title, &head, content)
}

fn order_page(order: &Order, links: &OrderLinks) -> Markup {
    html! {
        h1 { "Order " (order.number) }
        p class="status" data-status=(status_word(order.status)) { (status_sentence(order)) }
        @if order.status == Status::PendingPayment { (pay_link(order)) }
        (lines(order))
        (totals(&order.totals, order.currency))
        h2 { "Shipped to" }
        (label(&order.shipping_address))
        @if !order.fulfillments.is_empty() {
            h2 { "Parcels" }
            ul class="parcels" { @for parcel in &order.fulfillments { li { (parcel_line(parcel)) } } }
        }
        h2 { "What happened" }
        ol class="timeline" { @for event in &order.events { (timeline_line(event)) } }
        p { a href=(links.invoice_path(&order.id)) { "Invoice" } }
        @if can_be_cancelled(order) {
            form method="post" action=(links.cancel_path(&order.id)) {
                button class="quiet" {
                    @if order.status == Status::PendingPayment { "Cancel and change the cart" } @else { "Cancel the order" }
                }
            }
        }
        p class="quiet" { "Keep the address of this page: it is the way back to your order." }
    }
}

fn invoice_page(order: &Order, links: &OrderLinks) -> Markup {
    let money = |amount| Money::new(amount, order.currency);
    let billing = order
        .billing_address
        .as_ref()
        .unwrap_or(&order.shipping_address);
    html! {
        article class="invoice" {
            h1 { "Invoice " (order.number) }
            p { (SHOP_NAME) " · " (time_of(order.created_at)) }
            p class="status" { (payment_sentence(order)) }
            h2 { "Billed to" }
            (label(billing))
            h2 { "Shipped to" }
            (label(&order.shipping_address))
            table {
                thead {
                    tr {
                        th scope="col" { "Item" } th scope="col" { "SKU" } th scope="col" { "Quantity" } th scope="col" { "Each" }
                        th scope="col" { "Discount" } th scope="col" { "Tax" } th scope="col" { "Amount" }
                    }
                }
                tbody {
                    @for line in &order.lines {
                        tr {
                            td { bdi { (line.title) @if !line.variant_title.is_empty() { ", " (line.variant_title) } } }
                            td { (line.sku) } td { (line.quantity) } td { (money(line.unit_price)) }
                            td { (money(line.discount)) } td { (money(line.tax)) } td { (money(line.line_total)) }
                        }
                    }
                }
            }
            (totals(&order.totals, order.currency))
            @for refund in &order.refunds {
                p { "Refund of " (refund.amount) ", " (time_of(refund.created_at)) }
            }
            p class="quiet" { a href=(links.status_path(&order.id)) { "Back to the order" } }
        }
    }
}

fn lines(order: &Order) -> Markup {
    html! {
        ul class="lines" {
            @for line in &order.lines {
                li { div { bdi { (line.name()) } } span class="price" { (Money::new(line.line_total, order.currency)) } }
            }
        }
    }
}

fn pay_link(order: &Order) -> Markup {
    let payment = &order.payment;
    match (&payment.url, payment.status) {
        _ if order.is_cancel_requested() => {
            html! { p { "It is being cancelled; this page looks again by itself." } }
        }
        (Some(url), PaymentStatus::Open) => {
            html! { p { a class="button" href=(url) { "Pay now" } } }
        }
        (_, PaymentStatus::Processing) => {
            html! { p { "Your payment is on its way; this can take some days." } }
        }
        _ => {
            html! { p { "The payment link follows in a moment; this page looks again by itself." } }
        }
    }
}

fn parcel_line(parcel: &Fulfillment) -> Markup {
    let carrier = parcel.tracking.carrier.as_deref().unwrap_or("Shipped");
    let number = parcel
        .tracking
        .tracking_number
        .as_deref()
        .unwrap_or_default();
    html! {
        bdi { (carrier) } " "
        @match &parcel.tracking.tracking_url {
            Some(url) => a href=(url) rel="noreferrer" { @if number.is_empty() { "Follow it" } @else { (number) } },
            None => span { (number) },
        }
        ": "
        @for (at, units) in parcel.lines.iter().enumerate() {
            @if at > 0 { ", " } (units.quantity) " × " (units.sku)
        }
        @match parcel.delivered_at {
            Some(at) => span { ". Delivered " (time_of(at)) },
            None => span { ". On its way since " (time_of(parcel.shipped_at)) },
        }
    }
}

fn timeline_line(event: &OrderEvent) -> Markup {
    html! {
        li {
            (happening_sentence(event.happening))
            @if event.actor == Actor::Shopper && event.happening != Happening::Placed { " by you" }
            " " (time_of(event.at))
        }
    }
}

fn time_of(at: Timestamp) -> Markup {
    html! { time datetime=(instant(at)) { (instant(at)) } }
}

/// What a form may ask; the use case judges again.
fn can_be_cancelled(order: &Order) -> bool {
    match order.status {
        Status::PendingPayment => {
            !order.is_cancel_requested() && order.payment.status != PaymentStatus::Processing
        }
        Status::Confirmed => order.fulfillments.is_empty(),
        _ => false,
    }
}

const fn status_word(status: Status) -> &'static str {
    match status {
        Status::PendingPayment => "pending_payment",
        Status::Confirmed => "confirmed",
        Status::Completed => "completed",
        Status::Expired => "expired",
        Status::Cancelled => "cancelled",
        Status::PaymentReview => "payment_review",
    }
}

fn status_sentence(order: &Order) -> &'static str {
    match order.status {
        Status::PendingPayment => "Waiting for your payment",
        Status::Confirmed => "Confirmed. Thank you!",
        Status::Completed => "Delivered. Thank you!",
        Status::Expired if order.payment.captured.is_some() => {
            "Your payment came late. We are looking for your items, or send the money back."
        }
        Status::Expired => "Expired: it was not paid in time. Nothing was charged.",
        Status::Cancelled if order.payment.captured.is_some() => {
            "Cancelled. What you paid is on its way back."
        }
        Status::Cancelled => "Cancelled. Nothing was charged.",
        Status::PaymentReview => "We are looking at your payment and will be in touch.",
    }
}

fn payment_sentence(order: &Order) -> &'static str {
    match order.payment_status() {
        "paid" => "Paid",
        "refunded" => "Paid and refunded",
        "partially_refunded" => "Paid, and refunded in part",
        "failed" => "Not paid; nothing is due",
        _ => "Not paid yet",
    }
}

const fn happening_sentence(happening: Happening) -> &'static str {
    match happening {
        Happening::Placed => "Placed",
        Happening::HoldLapsed => "Looking for your items again",
        Happening::HeldAnew => "Your items are set aside again",
        Happening::OutOfStock => "Sold out before it could be paid",
        Happening::PaymentProcessing => "Payment on its way",
        Happening::Paid => "Paid",
        Happening::PaidWrongAmount => "Paid with another amount",
        Happening::SessionExpired => "Payment time ran out",
        Happening::PaymentRefused => "Payment refused",
        Happening::CancelRequested => "Cancellation asked for",
        Happening::Cancelled => "Cancelled",
        Happening::Approved => "Payment approved",
        Happening::Rejected => "Payment not accepted",
        Happening::Shipped => "A parcel left",
        Happening::Delivered => "A parcel arrived",
        Happening::Completed => "Everything has arrived",
        Happening::Returned => "Items came back",
        Happening::PaymentFailed => "The payment did not come through",
        Happening::LateAttempt => "Paid late; looking for your items again",
        Happening::ConfirmedLate => "Your items are set aside again",
        Happening::TooLate => "Sold out before the payment came; the money goes back",
        Happening::RefundPromised | Happening::RefundFound => "Money is being sent back",
        Happening::Disputed => "The payment is disputed",
        Happening::Refunded => "Money sent back",
        Happening::RefundFailed => "Money could not be sent back yet",
    }
}
