//! `/api/v1/orders/{id}/refunds`, for staff.

use crate::web::api::orders::{new_record_id, recorded_order};
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use serde::Deserialize;
use shop::aftersales::refunds;
use shop::aftersales::refunds::AskedRefund;
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::values::money::Money;

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct NewRefund {
    #[serde(default)]
    amount: Option<Money>,
    #[serde(default)]
    reason: Option<String>,
}

/// `POST /api/v1/orders/{id}/refunds {amount?, reason?}` with an `Idempotency-Key`: Refunds all
/// that is left, or the given amount. It does not restock; record a return for that.
///
/// # Errors
/// 404; 409 `refund_exceeds_captured`, `payment_disputed`, `transition_not_allowed`; 422
/// `invalid_amount`, `invalid_currency`, `idempotency_key_required`, `idempotency_key_reused`.
pub async fn create_refund(call: &mut Call<'_>) -> Result<Reply> {
    let (new, _) = call.json::<NewRefund>().await?;
    let asked = AskedRefund {
        amount: new.amount,
        reason: new.reason,
    };
    call.idempotency_key()?.ok_or_else(|| {
        let detail = "Send a unique idempotency key with each refund.";
        Error::invalid("Idempotency-Key", Code::IdempotencyKeyRequired, detail)
    })?;
    let id = new_record_id(call, "re")?;
    let (app, order_id) = (call.app, &call.order_id());
    let by = call.identity().staff()?;
    let recorded = refunds::create_refund(app, order_id, &id, asked, &by, app.now).await?;
    recorded_order(call, &recorded)
}
