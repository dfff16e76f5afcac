//! `/api/v1/admin/catalog`, for staff: imports, exports, publishes.

use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use serde::Deserialize;
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::inventory::ports::StockPorts;
use shop::publishing::import::options::ImportOptions;
use shop::publishing::publish::record::{Publish, PublishState};
use shop::publishing::publish::steps;
use shop::publishing::{export, import, publish};
use shop::values::clock::Clock;
use shop::values::ids::ProductId;
use std::time::Duration;
use worker::Delay;

/// Maximum size in bytes of a window of a product CSV.
const MAX_CSV_BYTES: usize = 8 * 1024 * 1024;

/// Maximum length in bytes of the name of an import.
const MAX_IMPORT_ID_BYTES: usize = 64;

/// `POST /api/v1/admin/catalog/import?import=&first_line=&last=&dry_run=&stock=&from_unit=` with a
/// Shopify product CSV as `text/csv`: Imports products. The body is the whole file, or a window of
/// it: the header row and some rows. The response says how many bytes were processed; the next
/// window begins after them. Only a window with `last=true`, the default, is read to its end. A
/// response with `next_unit` has processed no bytes yet: send the same window again with that value
/// as `from_unit`.
///
/// # Errors
/// 422 `nothing_to_import`, `invalid_import`; 409 `publish_in_progress`, `products_changed`; 413,
/// 415.
pub async fn import_products(call: &mut Call<'_>) -> Result<Reply> {
    check_type(call)?;
    let options = read_options(call)?;
    let csv = call.bytes(MAX_CSV_BYTES).await?;
    let app = call.app;
    let summary = import::import_products(
        &app.catalog_record(),
        &app.stock(),
        &csv,
        &options,
        &app.config.channel.currencies,
        || app.new_id("prod").map(ProductId::new),
        app.now,
    )
    .await?;
    Reply::json(200, &summary)
}

/// `GET /api/v1/admin/catalog/export?after=`: Exports a page of all products as `text/csv`.
/// `Next-After` names the next page.
///
/// # Errors
/// 400 `malformed_cursor`; 409 `export_outdated`.
pub async fn export_products(call: &mut Call<'_>) -> Result<Reply> {
    let after = match call.query("after") {
        None => None,
        Some(after) => Some(
            after
                .parse()
                .map_err(|_| crate::web::api::malformed_cursor())?,
        ),
    };
    let app = call.app;
    let page = export::export_products(
        &app.catalog_record(),
        &app.stock(),
        &app.config.channel.currencies,
        after,
    )
    .await?;
    let reply = Reply::file("text/csv; charset=utf-8", page.csv);
    Ok(match page.next {
        Some(next) => reply.with("Next-After", next.to_string()),
        None => reply,
    })
}

/// `POST /api/v1/admin/catalog/publish`: Publishes the catalog. 200 with the publish once it has
/// ended, 202 while it goes on. A publish already in progress is joined.
///
/// # Errors
/// Fails if a store fails; sending the request again continues the publish.
pub async fn publish_catalog(call: &mut Call<'_>) -> Result<Reply> {
    let (record, copy, queues) = call.app.publish_ports();
    let mut publish = publish::publish_catalog(&record, &copy, &queues, call.app.now).await?;
    if publish.state == PublishState::Running && publish.listing {
        // Everything is written, but the pointer was switched less than a second ago.
        Delay::from(Duration::from_secs(1)).await;
        let now = call.app.clock();
        publish = publish::continue_publish(&record, &copy, &queues, publish.seq, now).await?;
    }
    reply(&publish)
}

/// `GET /api/v1/admin/catalog/publishes/{seq}`: Returns the progress of a publish.
///
/// # Errors
/// 404.
pub async fn get_publish(call: &mut Call<'_>) -> Result<Reply> {
    let publish = steps::get_publish(&call.app.publish_record(), seq_of(call)?).await?;
    reply(&publish)
}

/// `DELETE /api/v1/admin/catalog/publishes/{seq}`: Cancels the publish in progress.
///
/// # Errors
/// 404; 409 `publish_ended`.
pub async fn cancel_publish(call: &mut Call<'_>) -> Result<Reply> {
    let record = call.app.publish_record();
    let publish = publish::cancel_publish(&record, seq_of(call)?, call.app.now).await?;
    reply(&publish)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct Rollback {
    #[serde(default)]
    seq: Option<i64>,
}

/// `POST /api/v1/admin/catalog/rollback {seq?}`: Makes the given version live again, or the
/// previous one.
///
/// # Errors
/// 404; 409 `not_now`, `already_shown`, `version_not_kept`.
pub async fn rollback_catalog(call: &mut Call<'_>) -> Result<Reply> {
    let wanted = if call.header("Content-Type").is_some() {
        call.json::<Rollback>().await?.0
    } else {
        Rollback::default()
    };
    let app = call.app;
    let publish = publish::rollback_catalog(
        &app.publish_record(),
        &app.catalog_copy(),
        wanted.seq,
        app.now,
    )
    .await?;
    reply(&publish)
}

fn reply(publish: &Publish) -> Result<Reply> {
    let status = if publish.state == PublishState::Running {
        202
    } else {
        200
    };
    Reply::json(status, publish)
}

fn seq_of(call: &Call<'_>) -> Result<i64> {
    call.param(0)
        .parse()
        .map_err(|_| Error::NotFound("publish"))
}

/// Accepts the media types that browsers and spreadsheets use for CSV.
fn check_type(call: &Call<'_>) -> Result<()> {
    let known = ["application/csv", "application/vnd.ms-excel"];
    if known.iter().any(|known| call.content_type(known).is_ok()) {
        return Ok(());
    }
    call.content_type("text/csv")
}

fn read_options(call: &Call<'_>) -> Result<ImportOptions> {
    let refused = |field: &str, detail: &str| Error::invalid(field, Code::InvalidImport, detail);
    let flag = |name: &str, default: bool| match call.query(name).as_deref() {
        None => Ok(default),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(refused(name, "Must be true or false.")),
    };
    let number = |name: &str, least: u64, detail: &str| match call.query(name) {
        None => Ok(None),
        Some(text) => match text.parse::<u64>() {
            Ok(number) if number >= least => Ok(Some(number)),
            _ => Err(refused(name, detail)),
        },
    };
    let import_id = match call.query("import") {
        None => call.app.new_id("imp")?,
        Some(id) if (1..=MAX_IMPORT_ID_BYTES).contains(&id.len()) => id,
        Some(_) => return Err(refused("import", "Must be 1 to 64 characters long.")),
    };
    Ok(ImportOptions {
        import_id,
        first_line: number(
            "first_line",
            1,
            "Must be a line number of the file, from 1.",
        )?,
        last: flag("last", true)?,
        dry_run: flag("dry_run", false)?,
        set_stock: flag("stock", false)?,
        from_unit: number(
            "from_unit",
            0,
            "Must be the `next_unit` of an earlier response.",
        )?
        .and_then(|unit| usize::try_from(unit).ok())
        .unwrap_or(0),
    })
}
