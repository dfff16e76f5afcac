//! `/api/v1/admin/payments`, for staff: how the payment provider is.

use crate::error::Result;
use crate::shop::breaker::Breaker;
use crate::shop::ports::ProviderHealth;
use crate::web::api::instant;
use crate::web::call::Call;
use crate::web::reply::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct HealthView {
    /// `closed`: it is asked; `open`: it failed and is left alone; `half_open`: one call is on its way to see.
    state: &'static str,
    retry_at: Option<String>,
    changed_at: Option<String>,
    last_error: Option<String>,
}

/// `GET /api/v1/admin/payments/provider`
///
/// # Errors
/// When the database does not answer.
pub async fn get_payment_provider(call: &mut Call<'_>) -> Result<Reply> {
    let health = call.app.provider_health().health().await?;
    let (state, retry_at) = match health.breaker {
        Breaker::Closed { .. } => ("closed", None),
        Breaker::Open { until, .. } => ("open", Some(instant(until))),
        Breaker::HalfOpen { until, .. } => ("half_open", Some(instant(until))),
    };
    let view = HealthView {
        state,
        retry_at,
        changed_at: health.changed_at.map(instant),
        last_error: health.last_error,
    };
    Reply::json(200, &view)
}
