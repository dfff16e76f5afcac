//! `/api/v1/admin/findings`, for staff: what is for a person to look into, and what the sweep found half done.

use crate::error::Result;
use crate::shop::findings::{Channel, FindingCount, FindingKind, KeptFinding};
use crate::shop::ports::{Orders, Ports};
use crate::web::api::{decode_cursor, encode_cursor, instant, limit, malformed_cursor};
use crate::web::call::Call;
use crate::web::reply::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct Findings {
    data: Vec<FindingView>,
    next_cursor: Option<String>,
    counts: Vec<FindingCount>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct FindingView {
    kind: FindingKind,
    subject: String,
    finished: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    found_at: String,
    /// How often on that day.
    times: u32,
    last_found_at: String,
    /// The channels that could not be told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    untold: Vec<Channel>,
}

/// `GET /api/v1/admin/findings?limit=&cursor=`: the newest first, with how many of each kind there were in a month.
///
/// # Errors
/// 400 `malformed_cursor`, 422 `invalid_limit`.
pub async fn list_findings(call: &mut Call<'_>) -> Result<Reply> {
    let limit = limit(call)?;
    let before = decode_cursor(call)?
        .map(|text| text.parse().map_err(|_| malformed_cursor()))
        .transpose()?;
    let orders = call.app.orders();
    let rows = u32::try_from(limit).unwrap_or(u32::MAX);
    let found = orders.findings(before, rows).await?;
    let next_cursor = found
        .last()
        .filter(|_| found.len() == limit)
        .map(|last| encode_cursor(&last.id.to_string()));
    let counts = orders.finding_counts().await?;
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

impl FindingView {
    fn of(kept: KeptFinding) -> Self {
        let finding = kept.finding;
        Self {
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
