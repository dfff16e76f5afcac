//! `/api/v1/admin/payments`, for staff: the health of the payment provider, and the provider's
//! state of an order's payment.

use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::views::instant;
use serde::Serialize;
use shop::error::{Error, Result};
use shop::orders::moving::find_order;
use shop::orders::order::Dispute;
use shop::payments::breaker::{Breaker, ProviderHealth};
use shop::payments::{PaymentError, Payments, Session, SessionItem, SessionState};
use shop::settlement::ports::SettlementPorts;
use shop::values::money::Money;

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct ProviderHealthView {
    provider: &'static str,
    state: BreakerState,
    #[cfg_attr(test, schema(required))]
    retry_at: Option<String>,
    #[cfg_attr(test, schema(required))]
    changed_at: Option<String>,
    #[cfg_attr(test, schema(required))]
    last_error: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
enum BreakerState {
    /// Calls go to the provider.
    Closed,
    /// The provider failed and is not called.
    Open,
    /// One call is under way to test whether the provider answers again.
    HalfOpen,
}

/// `GET /api/v1/admin/payments/provider`: Returns the state of the provider that takes new
/// payments, and of its circuit breaker.
///
/// # Errors
/// Fails if the database does not answer.
pub async fn get_payment_provider(call: &mut Call<'_>) -> Result<Reply> {
    let provider = call.app.config.new_payments;
    let health = call.app.provider_health().health(provider).await?;
    let (state, retry_at) = match health.breaker {
        Breaker::Closed { .. } => (BreakerState::Closed, None),
        Breaker::Open { until, .. } => (BreakerState::Open, Some(instant(until))),
        Breaker::HalfOpen { until, .. } => (BreakerState::HalfOpen, Some(instant(until))),
    };
    let view = ProviderHealthView {
        provider: provider.as_str(),
        state,
        retry_at,
        changed_at: health.changed_at.map(instant),
        last_error: health.last_error,
    };
    Reply::json(200, &view)
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct ProviderPaymentView<'a> {
    provider: &'static str,
    session_id: &'a str,
    #[cfg_attr(test, schema(required))]
    payment_ref: Option<&'a str>,
    state: SessionState,
    amount: i64,
    currency: &'a str,
    items: Vec<ProviderItemView>,
    #[cfg_attr(test, schema(required))]
    captured: Option<Money>,
    disputes: &'a [Dispute],
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct ProviderItemView {
    name: String,
    amount: i64,
}

/// `GET /api/v1/admin/payments/{order_id}`: Returns the payment of an order as the provider has it
/// now, line by line, beside the shop's record.
///
/// # Errors
/// 404; 503 `payments_unavailable`.
pub async fn get_payment(call: &mut Call<'_>) -> Result<Reply> {
    let order = find_order(call.app, &call.order_id()).await?;
    let session_id = order.payment.session_id.as_deref();
    let session_id = session_id.ok_or(Error::NotFound("payment session"))?;
    let provider = order.payment.provider;
    let payments = call.app.payments(provider)?;
    let session: Session = payments
        .session(session_id)
        .await
        .map_err(PaymentError::into_error)?;
    let items: Vec<SessionItem> = payments
        .session_items(session_id)
        .await
        .map_err(PaymentError::into_error)?;
    let view = ProviderPaymentView {
        provider: provider.as_str(),
        session_id,
        payment_ref: session.payment_ref.as_deref(),
        state: session.state,
        amount: session.amount,
        currency: &session.currency,
        items: items
            .into_iter()
            .map(|SessionItem { name, amount }| ProviderItemView { name, amount })
            .collect(),
        captured: order.payment.captured,
        disputes: &order.disputes,
    };
    Reply::json(200, &view)
}
