//! The pages of an order, for whoever has its link: status and invoice.

use crate::app::brand::SHOP_NAME;
use crate::web::assets::kept_address;
use crate::web::http::call::{Call, Form};
use crate::web::http::order_access::{cancel_visible_order, visible_order};
use crate::web::http::order_token;
use crate::web::http::reply::Reply;
use crate::web::pages::layout::page_with;
use crate::web::pages::lookup::code_form;
use crate::web::pages::purchase::{label, quote_lines, shipping, totals};
use crate::web::pages::visit::{PageContext, order_path};
use crate::web::views::order_status::status_tag;
use maud::{Markup, html};
use shop::checkout::freezing::is_being_placed;
use shop::error::{Error, Result};
use shop::orders::links::{opens_by_query, status_path};
use shop::orders::order::{Actor, Order, OrderEvent, RefundStatus};
use shop::orders::ports::OrderPorts;
use shop::orders::progress::OrderPaymentStatus;
use shop::orders::record::Orders;
use shop::orders::records::Fulfillment;
use shop::orders::standing::{PAUSES_SECS, WATCHED_SECS};
use shop::orders::transitions::{OrderEventKind, OrderStatus};
use shop::payments::PaymentStatus;
use shop::values::money::Money;

/// Form field that names the page to show after an order was cancelled.
pub(crate) const LEADS_TO: &str = "then";

/// Value of that field for the cart.
pub(crate) const CART: &str = "cart";

/// Seconds until the page of a pending order is reloaded, in browsers without a script.
const REFRESH_SECS: u32 = 3;

/// `GET /orders/{id}`: the order, for whoever has followed its link or holds its cart. Everyone
/// else, whether or not the order exists, gets the page that exchanges the token of a link for a
/// cookie.
///
/// # Errors
/// Fails if the order can't be read.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    if call.query("token").is_some() {
        return without_token(call).await;
    }
    let order = match visible_order(call).await {
        Err(Error::NotFound(_)) if call.identity().holds_link_of(&call.order_id()) => {
            return show_unplaced(call).await;
        }
        Err(Error::NotFound(_)) => return show_closed(call).await,
        order => order?,
    };
    let visit = PageContext::of_or_in(call, order.currency).await;
    let looks_again = order.status == OrderStatus::PendingPayment;
    let title = (visit.texts().order_number)(order.number);
    let content = order_page(call, &visit, &order).await?;
    Ok(private_page(&visit, &title, looks_again, &content))
}

/// Redirects links of earlier versions, which carry their token in the query, where logs record it.
/// The browser gets the URL without the token and a cookie in its place.
async fn without_token(call: &Call<'_>) -> Result<Reply> {
    let there = Reply::see_other(order_token::address_without(call))
        .with("Cache-Control", "no-store")
        .with("Referrer-Policy", "no-referrer");
    let id = &call.order_id();
    if !call.identity().holds_old_link_of(id) {
        return Ok(there);
    }
    // An order that is not placed yet was created a moment ago.
    let order = call.app.orders().order(id).await?;
    let opens = order.is_none_or(|order| opens_by_query(order.created_at, call.app.now));
    Ok(if opens {
        order_token::keep_open(there, call, id)
    } else {
        there
    })
}

async fn show_closed(call: &Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let texts = visit.texts();
    let content = html! {
        section data-opens-at=(visit.link(&format!("{}/open", status_path(&call.order_id())))) {
            (code_form(&visit, texts.open_your_order, &Form(vec![]), &[]))
            p class="narrow-page quiet" { a href=(visit.link("/orders")) { (texts.find_your_order) } }
        }
    };
    Ok(private_page(&visit, texts.open_your_order, false, &content))
}

/// `POST /orders/{id}/open` with the `token` of its link: returns 204 with the cookie that keeps
/// the order accessible.
///
/// # Errors
/// 404 for any other token.
pub async fn open(call: &mut Call<'_>) -> Result<Reply> {
    let form = call.form().await?;
    let id = &call.order_id();
    if !call.app.order_links().is_token_of(id, form.get("token")) {
        return Err(Error::NotFound("order"));
    }
    let opened = Reply::empty(204).with("Cache-Control", "no-store");
    Ok(order_token::keep_open(opened, call, id))
}

/// Shows the state of an order that is not placed. Its link works from the moment its cart is
/// frozen. Until it is placed, the holder of the cart sees a waiting page; if it failed, the cart,
/// which can be changed again.
async fn show_unplaced(call: &Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let (app, order_id) = (call.app, &call.order_id());
    let is_awaited = match call.identity().cart()? {
        Some(own) => is_being_placed(app, &own.id, order_id, app.now).await?,
        None => false,
    };
    if !is_awaited {
        return Ok(Reply::see_other(visit.link("/cart")));
    }
    let texts = visit.texts();
    let content = html! {
        article class="order" id="order" data-pauses=(pauses()) data-watched=(WATCHED_SECS) {
            h1 class="status" { (texts.status_unplaced) }
            p { (texts.payment_link_follows) }
        }
    };
    Ok(private_page(&visit, texts.status_unplaced, true, &content))
}

/// `GET /orders/{id}/invoice`: a complete invoice on one printable page; a proforma invoice until
/// the order is paid.
///
/// # Errors
/// 404 for anyone without the link or the cart.
pub async fn show_invoice(call: &mut Call<'_>) -> Result<Reply> {
    if call.query("token").is_some() {
        return without_token(call).await;
    }
    let order = visible_order(call).await?;
    let visit = PageContext::of_or_in(call, order.currency).await;
    let content = invoice_page(&visit, &order);
    let title = invoice_title(&visit, &order);
    Ok(private_page(&visit, &title, false, &content))
}

/// `POST /orders/{id}/cancel`: cancels the order, then shows it again. Its cart can be changed
/// again.
///
/// # Errors
/// 404 for anyone without the link or the cart; 409 once part of it has shipped.
pub async fn cancel(call: &mut Call<'_>) -> Result<Reply> {
    let form = call.form().await;
    let leads_to_cart = form.is_ok_and(|form| form.get(LEADS_TO) == CART);
    let visit = PageContext::of(call).await?;
    let order = match cancel_visible_order(call, None).await {
        // The order failed before it was placed, or part of it has shipped: both are shown.
        Err(Error::NotFound(_)) if leads_to_cart => {
            return Ok(Reply::see_other(visit.link("/cart")));
        }
        Err(Error::Conflict { .. }) if leads_to_cart => {
            return Ok(Reply::see_other(order_path(&visit, &call.order_id())));
        }
        order => order?,
    };
    if leads_to_cart && order.status.is_dead() {
        return Ok(Reply::see_other(visit.link("/cart")));
    }
    Ok(Reply::see_other(order_path(&visit, &order.id)))
}

/// Renders a page that belongs to one reader. Its URL is not sent to other sites, and a token in it
/// is exchanged before the page is read. With a script it refreshes itself (`/js/waiting.js`);
/// without, the browser reloads it.
fn private_page(visit: &PageContext, title: &str, looks_again: bool, content: &Markup) -> Reply {
    let head = html! {
        meta name="robots" content="noindex";
        meta name="referrer" content="no-referrer";
        script src=(kept_address("/js/open-order.js")) {}
        @if looks_again { script type="module" src=(kept_address("/js/waiting.js")) {} noscript { meta http-equiv="refresh" content=(REFRESH_SECS); } }
    };
    page_with(200, visit, title, &head, content).with("Referrer-Policy", "no-referrer")
}

async fn order_page(call: &Call<'_>, visit: &PageContext, order: &Order) -> Result<Markup> {
    let texts = visit.texts();
    let lines = quote_lines(call, visit, &order.lines, order.currency).await;
    let waits = (order.status == OrderStatus::PendingPayment).then(pauses);
    let status = format!("/api/v1{}/status", status_path(&order.id));
    let tag = status_tag(order)?;
    Ok(html! {
        article class="order" id="order" data-pauses=[waits] data-watched=(WATCHED_SECS) data-asks=(status) data-tag=(tag) {
            p class="eyebrow" { ((texts.order_number)(order.number)) }
            h1 class="status" data-status=(status_word(order.status)) { (status_sentence(visit, order)) }
            @if order.status == OrderStatus::PendingPayment { (pay_link(visit, order)) }
            div class="checkout" {
                div {
                    (lines)
                    (parcels(visit, &order.fulfillments))
                    (timeline(visit, order))
                }
                aside class="summary" aria-labelledby="summary" {
                    h2 id="summary" { (texts.order_summary) }
                    (totals(visit, &order.totals, &order.terms, order.currency))
                    h2 { (texts.ship_to) }
                    (label(visit, &order.shipping_address))
                    div { (shipping(visit, &order.terms.shipping)) }
                    @if let Some(billing) = &order.billing_address { h2 { (texts.billed_to) } (label(visit, billing)) }
                    p {
                        a href=(visit.link(&format!("{}/invoice", status_path(&order.id)))) {
                            @if order.is_invoiced() { (texts.invoice) } @else { (texts.proforma) }
                        }
                    }
                    @if can_be_cancelled(order) { (cancel_form(visit, order)) }
                }
            }
            p class="quiet" { (texts.keep_this_address) }
        }
    })
}

/// Returns the seconds between requests of a waiting page, in the form that its script reads.
fn pauses() -> String {
    PAUSES_SECS.map(|secs| secs.to_string()).join(" ")
}

fn cancel_form(visit: &PageContext, order: &Order) -> Markup {
    let texts = visit.texts();
    html! {
        form method="post" action=(visit.link(&format!("{}/cancel", status_path(&order.id)))) {
            button class="secondary wide" {
                @if order.status == OrderStatus::PendingPayment { (texts.cancel_and_change) } @else { (texts.cancel_order) }
            }
        }
    }
}

fn invoice_title(visit: &PageContext, order: &Order) -> String {
    let texts = visit.texts();
    if order.is_invoiced() {
        (texts.invoice_number)(order.number)
    } else {
        (texts.proforma_of)(order.number)
    }
}

fn invoice_page(visit: &PageContext, order: &Order) -> Markup {
    let texts = visit.texts();
    let money = |amount| visit.money(Money::new(amount, order.currency));
    let billing = order
        .billing_address
        .as_ref()
        .unwrap_or(&order.shipping_address);
    html! {
        article class="invoice" {
            h1 { (invoice_title(visit, order)) }
            p { (SHOP_NAME) " · " (visit.instant(order.created_at)) }
            p class="status" { (payment_sentence(visit, order)) }
            @if !order.is_invoiced() { p { (texts.proforma_note) } }
            div class="parties" {
                section { h2 { (texts.billed_to) } (label(visit, billing)) }
                section { h2 { (texts.ship_to) } (label(visit, &order.shipping_address)) }
            }
            div class="table" tabindex="0" role="region" aria-label=(texts.items) {
                table {
                    thead {
                        tr {
                            th scope="col" { (texts.item) } th scope="col" { (texts.sku) } th scope="col" { (texts.quantity) } th scope="col" { (texts.each) }
                            th scope="col" { (texts.discount) } th scope="col" { (texts.tax) } th scope="col" { (texts.amount) }
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
            }
            (totals(visit, &order.totals, &order.terms, order.currency))
            @for refund in order.refunds.iter().filter(|it| it.status != RefundStatus::Failed) {
                p { ((texts.refund_of)(&visit.money(refund.amount))) ", " (visit.instant(refund.created_at)) }
            }
            p class="paperless" { a href=(visit.link(&status_path(&order.id))) { (texts.back_to_order) } }
        }
    }
}

fn pay_link(visit: &PageContext, order: &Order) -> Markup {
    let texts = visit.texts();
    let payment = &order.payment;
    match (&payment.url, payment.status) {
        _ if order.is_cancel_requested() => html! { p { (texts.being_cancelled) } },
        (Some(url), PaymentStatus::Open) => {
            html! { p { a class="button" href=(url) { (texts.pay_now) } } }
        }
        (_, PaymentStatus::Processing) => html! { p { (texts.payment_takes_days) } },
        _ => html! { p { (texts.payment_link_follows) } },
    }
}

fn parcels(visit: &PageContext, parcels: &[Fulfillment]) -> Markup {
    html! {
        @if !parcels.is_empty() {
            h2 { (visit.texts().parcels) }
            ul class="parcels" { @for parcel in parcels { li { (parcel_line(visit, parcel)) } } }
        }
    }
}

fn parcel_line(visit: &PageContext, parcel: &Fulfillment) -> Markup {
    let texts = visit.texts();
    let carrier = parcel.tracking.carrier.as_deref().unwrap_or(texts.parcel);
    let number = parcel
        .tracking
        .tracking_number
        .as_deref()
        .unwrap_or_default();
    html! {
        p {
            strong { bdi { (carrier) } } " "
            @match &parcel.tracking.tracking_url {
                Some(url) => a href=(url) rel="noreferrer" { @if number.is_empty() { (texts.track_parcel) } @else { (number) } },
                None => span { (number) },
            }
        }
        p class="quiet" {
            @for (at, units) in parcel.lines.iter().enumerate() {
                @if at > 0 { ", " } (units.quantity) " × " (units.sku)
            }
        }
        p {
            @match parcel.delivered_at {
                Some(at) => { (texts.delivered) " " (visit.instant(at)) },
                None => { (texts.on_its_way_since) " " (visit.instant(parcel.shipped_at)) },
            }
        }
    }
}

fn timeline(visit: &PageContext, order: &Order) -> Markup {
    html! {
        h2 { (visit.texts().what_happened) }
        ol class="timeline" { @for event in &order.events { (timeline_line(visit, event)) } }
    }
}

fn timeline_line(visit: &PageContext, event: &OrderEvent) -> Markup {
    let texts = visit.texts();
    let by_shopper = event.actor == Actor::Shopper && event.happening != OrderEventKind::Placed;
    html! {
        li {
            span { ((texts.happening)(event.happening)) @if by_shopper { " " (texts.by_you) } }
            (visit.instant(event.at))
        }
    }
}

/// Returns true if the page offers to cancel; the use case decides again.
fn can_be_cancelled(order: &Order) -> bool {
    match order.status {
        OrderStatus::PendingPayment => {
            !order.is_cancel_requested() && order.payment.status != PaymentStatus::Processing
        }
        OrderStatus::Confirmed => order.fulfillments.is_empty(),
        _ => false,
    }
}

const fn status_word(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::PendingPayment => "pending_payment",
        OrderStatus::Confirmed => "confirmed",
        OrderStatus::Completed => "completed",
        OrderStatus::Expired => "expired",
        OrderStatus::Cancelled => "cancelled",
        OrderStatus::PaymentReview => "payment_review",
    }
}

fn status_sentence(visit: &PageContext, order: &Order) -> &'static str {
    let texts = visit.texts();
    let captured = order.payment.captured.is_some();
    match order.status {
        OrderStatus::PendingPayment => texts.status_pending,
        OrderStatus::Confirmed => texts.status_confirmed,
        OrderStatus::Completed => texts.status_completed,
        OrderStatus::Expired if captured => texts.status_paid_late,
        OrderStatus::Expired => texts.status_expired,
        OrderStatus::Cancelled if captured => texts.status_cancelled_refund,
        OrderStatus::Cancelled => texts.status_cancelled,
        OrderStatus::PaymentReview => texts.status_review,
    }
}

fn payment_sentence(visit: &PageContext, order: &Order) -> &'static str {
    let texts = visit.texts();
    match order.payment_status() {
        OrderPaymentStatus::Paid => texts.invoice_paid,
        OrderPaymentStatus::Refunded => texts.invoice_refunded,
        OrderPaymentStatus::ChargedBack => texts.invoice_charged_back,
        OrderPaymentStatus::PartiallyRefunded => texts.invoice_partly_refunded,
        OrderPaymentStatus::Failed => texts.invoice_not_due,
        OrderPaymentStatus::Preparing
        | OrderPaymentStatus::Open
        | OrderPaymentStatus::Processing => texts.invoice_unpaid,
    }
}
