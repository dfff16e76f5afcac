//! `/api/v1/stock`: the public availability of SKUs, which never contains a number of units; from a
//! copy, and live.

use crate::web::api::List;
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::views::instant;
use durable::stock::{Availability, PublicStock};
use serde::Serialize;
use shop::catalog::availability::{get_public_stock, list_public_stocks};
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::values::ids::Sku;

/// Maximum number of SKUs in one request.
const MAX_SKUS: usize = 100;

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct StockView<'a> {
    sku: &'a str,
    #[cfg_attr(test, schema(schema_with = crate::web::views::schemas::availability))]
    stock: Availability,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    promise_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    purchase_limit: Option<u32>,
}

/// `GET /api/v1/stock/{sku}`: Returns the availability of a SKU.
///
/// # Errors
/// 404 for a SKU that is not for sale.
pub async fn get_stock(call: &mut Call<'_>) -> Result<Reply> {
    let sku = Sku::new(call.param(0).to_owned());
    let known = get_public_stock(&call.app.catalog(), &call.app.public_stocks(), &sku).await;
    Reply::json(200, &StockView::of(&sku, known.map_err(not_on_sale)?))
}

/// `GET /api/v1/stock?skus=A,B`: Returns the availability of several SKUs, in the order requested.
///
/// # Errors
/// 422 `invalid_skus` for none or too many, `unknown_sku`.
pub async fn list_stocks(call: &mut Call<'_>) -> Result<Reply> {
    let asked = call.query("skus").unwrap_or_default();
    let skus = asked.split(',').filter(|sku| !sku.is_empty());
    let skus: Vec<Sku> = skus.map(|sku| Sku::new(sku.to_owned())).collect();
    if skus.is_empty() || skus.len() > MAX_SKUS {
        let detail = format!("Must be 1 to {MAX_SKUS} SKUs, separated by commas.");
        return Err(Error::invalid("skus", Code::InvalidSkus, detail));
    }
    let (catalog, stocks) = (call.app.catalog(), call.app.public_stocks());
    let list = list_public_stocks(&catalog, &stocks, &skus.iter().collect::<Vec<_>>()).await?;
    let data: Vec<StockView<'_>> = skus
        .iter()
        .zip(list)
        .map(|(sku, stock)| StockView::of(sku, stock))
        .collect();
    let total = data.len();
    Reply::json(
        200,
        &List {
            data,
            next_cursor: None,
            total,
        },
    )
}

/// `GET /api/v1/stock/{sku}/live` with `Upgrade: websocket`: Sends `{"sku", "stock"}` now and
/// whenever the availability changes. `ping` is answered with `pong`; other messages are ignored.
///
/// # Errors
/// 404 for a SKU that is not for sale, 400 `websocket_expected`, 503 `too_many_watchers`.
pub async fn watch_stock(call: &mut Call<'_>) -> Result<Reply> {
    let sku = Sku::new(call.param(0).to_owned());
    let upgrade = call.header("Upgrade").unwrap_or_default();
    if !upgrade.eq_ignore_ascii_case("websocket") {
        return Err(Error::malformed(
            Code::WebsocketExpected,
            "This address accepts WebSocket connections only.",
        ));
    }
    get_public_stock(&call.app.catalog(), &call.app.public_stocks(), &sku)
        .await
        .map_err(not_on_sale)?;
    call.switch_to(call.app.boards().watch(&sku).await?);
    Ok(Reply::empty(101))
}

/// Turns `unknown_sku` into 404, because here the SKU is part of the path.
fn not_on_sale(error: Error) -> Error {
    if error.code() == Code::UnknownSku {
        return Error::NotFound("SKU");
    }
    error
}

impl<'a> StockView<'a> {
    fn of(sku: &'a str, known: PublicStock) -> Self {
        Self {
            sku,
            stock: known.stock,
            promise_at: known.promise_at.map(instant),
            purchase_limit: known.purchase_limit,
        }
    }
}
