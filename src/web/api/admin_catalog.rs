//! `/api/v1/admin/catalog`, for staff.

use crate::error::Result;
use crate::shop::ports::Ports;
use crate::shop::publish;
use crate::web::call::Call;
use crate::web::reply::Reply;

/// Largest product CSV, in bytes.
const MAX_CSV_BYTES: usize = 20 * 1024 * 1024;

/// `POST /api/v1/admin/catalog/import` with a Shopify product CSV as `text/csv`.
///
/// # Errors
/// 422 `nothing_to_import`, `sku_taken`; 413, 415.
pub async fn import_products(call: &mut Call<'_>) -> Result<Reply> {
    call.content_type("text/csv")?;
    let csv = call.bytes(MAX_CSV_BYTES).await?;
    let app = call.app;
    let summary = publish::import_products(
        &app.catalog_record(),
        &app.stock(),
        &csv,
        &app.config.currencies,
        app.now,
    )
    .await?;
    Reply::json(200, &summary)
}

/// `POST /api/v1/admin/catalog/publish`
///
/// # Errors
/// 409 `publish_in_progress`.
pub async fn publish_catalog(call: &mut Call<'_>) -> Result<Reply> {
    let app = call.app;
    let summary = publish::publish_catalog(&app.catalog_record(), &app.catalog(), app.now).await?;
    Reply::json(200, &summary)
}
