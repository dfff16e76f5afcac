//! `/api/v1/admin/findings`, for staff: problems that need a person, and unfinished work that the
//! sweep found.

use crate::web::api::{decode_cursor, encode_cursor, limit, malformed_cursor};
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::views::instant;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::orders::findings;
use shop::orders::findings::{
    Channel, Closing, FindingCount, FindingKind, FindingRecord, FindingStatus, KeptFinding,
    finding_id,
};
use shop::orders::ports::OrderPorts;

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct Findings {
    data: Vec<FindingView>,
    #[cfg_attr(test, schema(required))]
    next_cursor: Option<String>,
    counts: Vec<FindingCount>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct FindingView {
    id: String,
    kind: FindingKind,
    subject: String,
    finished: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    error: Option<String>,
    found_at: String,
    /// Number of times it was found on that day.
    times: u32,
    last_found_at: String,
    /// Channels through which staff could not be notified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    untold: Vec<Channel>,
    /// The closing by staff; `None` means it is still open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    closed: Option<ClosingView>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct ClosingView {
    at: String,
    by: String,
    note: String,
}

/// `GET /api/v1/admin/findings?status=open|closed&limit=&cursor=`: Lists findings, newest first,
/// with the number of each kind in the past month.
///
/// # Errors
/// 400 `malformed_cursor`, 422 `invalid_status`, `invalid_limit`.
pub async fn list_findings(call: &mut Call<'_>) -> Result<Reply> {
    let status = status_of(call)?;
    let limit = limit(call)?;
    let before = decode_cursor(call)?
        .map(|text| text.parse().map_err(|_| malformed_cursor()))
        .transpose()?;
    let record = call.app.findings();
    let rows = u32::try_from(limit).unwrap_or(u32::MAX);
    let found = record.findings(status, before, rows).await?;
    let next_cursor = found
        .last()
        .filter(|_| found.len() == limit)
        .map(|last| encode_cursor(&last.id.to_string()));
    let counts = record.finding_counts().await?;
    let data = found.into_iter().map(FindingView::of).collect();
    Reply::json(
        200,
        &Findings {
            data,
            next_cursor,
            counts,
        },
    )
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::web::api) struct NewClosing {
    /// Note on what was found out or done.
    note: String,
}

/// `POST /api/v1/admin/findings/{id}/close {note}`: Closes a finding, with a note. A closed finding
/// stays as it was first closed.
///
/// # Errors
/// 404; 422 `invalid_note`.
pub async fn close_finding(call: &mut Call<'_>) -> Result<Reply> {
    let (closing, _) = call.json::<NewClosing>().await?;
    let closed = findings::close_finding(
        &call.app.findings(),
        call.param(0),
        call.identity().staff()?.as_str(),
        &closing.note,
        call.app.now,
    )
    .await?;
    Reply::json(200, &FindingView::of(closed))
}

fn status_of(call: &Call<'_>) -> Result<FindingStatus> {
    let Some(word) = call.query("status") else {
        return Ok(FindingStatus::Open);
    };
    FindingStatus::deserialize(Value::from(word))
        .map_err(|_| Error::invalid("status", Code::InvalidStatus, "Must be open or closed."))
}

impl FindingView {
    fn of(kept: KeptFinding) -> Self {
        let finding = kept.finding;
        Self {
            id: finding_id(kept.id),
            closed: kept.closing.map(ClosingView::of),
            times: kept.times,
            last_found_at: instant(kept.last_at),
            untold: kept.untold,
            kind: finding.kind,
            subject: finding.subject,
            finished: finding.error.is_none(),
            error: finding.error,
            found_at: instant(finding.found_at),
        }
    }
}

impl ClosingView {
    fn of(closing: Closing) -> Self {
        Self {
            at: instant(closing.at),
            by: closing.by,
            note: closing.note,
        }
    }
}
