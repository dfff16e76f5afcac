//! `/api/v1/admin/stock/{sku}`, for staff: the numbers that the public never sees.

use crate::error::Result;
use crate::shop::ports::{Ports, StockObjects};
use crate::shop::stock;
use crate::web::call::Call;
use crate::web::reply::Reply;
use durable::stock::View;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Receipt {
    receive: u32,
}

#[derive(Serialize)]
struct StockView<'a> {
    sku: &'a str,
    #[serde(flatten)]
    view: View,
}

/// `GET /api/v1/admin/stock/{sku}`
///
/// # Errors
/// When the object does not answer.
pub async fn get_stock(call: &mut Call<'_>) -> Result<Reply> {
    let view = call.app.stock().view(call.param(0)).await?;
    reply(call.param(0), view)
}

/// `POST /api/v1/admin/stock/{sku} {receive}`: units arrived.
///
/// # Errors
/// 422 `invalid_quantity`.
pub async fn receive_stock(call: &mut Call<'_>) -> Result<Reply> {
    let (receipt, _) = call.json::<Receipt>().await?;
    let operation_id = call.operation_id()?;
    let view = stock::receive_stock(
        &call.app.stock(),
        call.param(0),
        receipt.receive,
        operation_id,
    )
    .await?;
    reply(call.param(0), view)
}

fn reply(sku: &str, view: View) -> Result<Reply> {
    Reply::json(200, &StockView { sku, view })
}
