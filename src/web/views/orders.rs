//! An order as shown to its shopper and to staff.

use crate::web::http::call::Call;
use crate::web::views::addresses::AddressView;
use crate::web::views::instant;
use crate::web::views::pricing::{PricedLineView, TermsView, TotalsView};
use durable::Timestamp;
use serde::Serialize;
use shop::customers::permissions::Permission;
use shop::orders::order::{Order, OrderEvent, Refund, RefundStatus};
use shop::orders::progress::{FulfillmentStatus, OrderPaymentStatus};
use shop::orders::records::{Fulfillment, Return, Units};
use shop::orders::transitions::{OrderEventKind, OrderStatus};
use shop::payments::PaymentStatus;
use shop::values::money::{Currency, Money};

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web) struct OrderView<'a> {
    id: &'a str,
    number: String,
    status: OrderStatus,
    payment_status: OrderPaymentStatus,
    fulfillment_status: FulfillmentStatus,
    #[cfg_attr(test, schema(value_type = String))]
    currency: Currency,
    email: &'a str,
    lines: Vec<PricedLineView<'a>>,
    shipping_address: AddressView<'a>,
    billing_address: AddressView<'a>,
    shipping_method: &'a str,
    #[serde(flatten)]
    totals: TotalsView,
    #[serde(flatten)]
    terms: TermsView<'a>,
    payment: PaymentView<'a>,
    fulfillments: Vec<FulfillmentView<'a>>,
    returns: Vec<ReturnView<'a>>,
    refunds: Vec<RefundView<'a>>,
    timeline: Vec<EventView<'a>>,
    status_url: String,
    version: u64,
    created_at: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web) struct PaymentView<'a> {
    /// Only shown to staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    provider: Option<&'static str>,
    status: PaymentStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    url: Option<&'a str>,
    expires_at: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web) struct FulfillmentView<'a> {
    id: &'a str,
    lines: &'a [Units],
    #[cfg_attr(test, schema(required))]
    carrier: Option<&'a str>,
    #[cfg_attr(test, schema(required))]
    tracking_number: Option<&'a str>,
    #[cfg_attr(test, schema(required))]
    tracking_url: Option<&'a str>,
    shipped_at: String,
    #[cfg_attr(test, schema(required))]
    delivered_at: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web) struct ReturnView<'a> {
    id: &'a str,
    lines: &'a [Units],
    restock: bool,
    #[cfg_attr(test, schema(required))]
    reason: Option<&'a str>,
    worth: Money,
    returned_at: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web) struct RefundView<'a> {
    id: &'a str,
    amount: Money,
    status: RefundStatus,
    created_at: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web) struct EventView<'a> {
    event: OrderEventKind,
    /// Staff see a name, if their key has one.
    actor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    subject: Option<&'a str>,
    /// Only shown to staff, because notes are internal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    note: Option<&'a str>,
    at: String,
}

impl<'a> OrderView<'a> {
    pub(in crate::web) fn of(call: &Call<'_>, order: &'a Order) -> Self {
        let for_staff = call.identity().may(Permission::ReadOrders);
        Self {
            id: &order.id,
            number: order.number.to_string(),
            status: order.status,
            payment_status: order.payment_status(),
            fulfillment_status: order.fulfillment_status(),
            currency: order.currency,
            email: &order.email,
            lines: PricedLineView::all_of(&order.lines, &order.terms, order.currency),
            shipping_address: AddressView::of(&order.shipping_address),
            billing_address: AddressView::of(
                order
                    .billing_address
                    .as_ref()
                    .unwrap_or(&order.shipping_address),
            ),
            shipping_method: &order.shipping_method,
            totals: TotalsView::of(&order.totals, order.currency),
            terms: TermsView::of(&order.terms, order.currency),
            payment: PaymentView::of(order, for_staff),
            fulfillments: order.fulfillments.iter().map(FulfillmentView::of).collect(),
            returns: order.returns.iter().map(ReturnView::of).collect(),
            refunds: order.refunds.iter().map(RefundView::of).collect(),
            timeline: order
                .events
                .iter()
                .map(|event| EventView::of(event, for_staff))
                .collect(),
            status_url: call.app.order_links().status(&order.id),
            version: order.version,
            created_at: instant(order.created_at),
        }
    }
}

impl<'a> PaymentView<'a> {
    fn of(order: &'a Order, for_staff: bool) -> Self {
        let payment = &order.payment;
        let public = Self::at(
            order.status,
            payment.status,
            payment.url.as_deref(),
            payment.expires_at,
        );
        Self {
            provider: for_staff.then(|| payment.provider.as_str()),
            ..public
        }
    }

    /// Creates the view. The payment URL is included only while the order can be paid.
    pub(super) fn at(
        order: OrderStatus,
        status: PaymentStatus,
        url: Option<&'a str>,
        expires_at: Timestamp,
    ) -> Self {
        let can_be_paid = status == PaymentStatus::Open && order == OrderStatus::PendingPayment;
        Self {
            provider: None,
            status,
            url: url.filter(|_| can_be_paid),
            expires_at: instant(expires_at),
        }
    }
}

impl<'a> FulfillmentView<'a> {
    fn of(it: &'a Fulfillment) -> Self {
        Self {
            id: &it.id,
            lines: &it.lines,
            carrier: it.tracking.carrier.as_deref(),
            tracking_number: it.tracking.tracking_number.as_deref(),
            tracking_url: it.tracking.tracking_url.as_deref(),
            shipped_at: instant(it.shipped_at),
            delivered_at: it.delivered_at.map(instant),
        }
    }
}

impl<'a> ReturnView<'a> {
    fn of(it: &'a Return) -> Self {
        Self {
            id: &it.id,
            lines: &it.lines,
            restock: it.restock,
            reason: it.reason.as_deref(),
            worth: it.worth,
            returned_at: instant(it.returned_at),
        }
    }
}

impl<'a> RefundView<'a> {
    fn of(it: &'a Refund) -> Self {
        Self {
            id: &it.id,
            amount: it.amount,
            status: it.status,
            created_at: instant(it.created_at),
        }
    }
}

impl<'a> EventView<'a> {
    fn of(it: &'a OrderEvent, for_staff: bool) -> Self {
        Self {
            event: it.happening,
            actor: if for_staff {
                it.actor.as_str()
            } else {
                it.actor.kind()
            },
            subject: it.subject.as_deref(),
            note: it.note.as_deref().filter(|_| for_staff),
            at: instant(it.at),
        }
    }
}
