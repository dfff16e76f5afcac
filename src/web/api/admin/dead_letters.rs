//! `/api/v1/admin/dead-letters`, for staff: messages that failed for good, to be replayed or
//! discarded.

use crate::web::api::{List, decode_cursor, encode_cursor, limit};
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::views::instant;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::operations::dead_letters::{
    DeadLetter, DeadLetters, Failure, LetterStatus, discard_dead_letter, replay_dead_letter,
    replay_dead_letters,
};
use shop::payments::inbox::Inbox;
use shop::settlement::ports::SettlementPorts;

/// `GET /api/v1/admin/dead-letters?status=dead|replayed|discarded&limit=&cursor=`: Lists dead
/// letters, newest first.
///
/// # Errors
/// 422 `invalid_status`, `invalid_limit`; 400 `malformed_cursor`.
pub async fn list_dead_letters(call: &mut Call<'_>) -> Result<Reply> {
    let status = status_of(call)?;
    let limit = limit(call)?;
    let after = decode_cursor(call)?;
    let letters = call.app.dead_letters();
    let wanted = u32::try_from(limit.saturating_add(1)).map_err(Error::internal)?;
    let mut found = letters.letters(status, after.as_deref(), wanted).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found
        .last()
        .filter(|_| more)
        .map(|last| encode_cursor(&last.id));
    let total = letters.count(status).await?;
    Reply::json(
        200,
        &List {
            data: found.iter().map(LetterView::of).collect(),
            next_cursor,
            total: usize::try_from(total).map_err(Error::internal)?,
        },
    )
}

/// `GET /api/v1/admin/dead-letters/{id}`: Returns a dead letter with every failure and the event it
/// is about.
///
/// # Errors
/// 404.
pub async fn get_dead_letter(call: &mut Call<'_>) -> Result<Reply> {
    let letters = call.app.dead_letters();
    let letter = letters
        .letter(call.param(0))
        .await?
        .ok_or(Error::NotFound("dead letter"))?;
    let history = letters.history(&letter.body).await?;
    let kept = call.app.inbox().event(&letter.body).await?;
    let event = kept.and_then(|kept| durable::json::read(&kept.payload).ok());
    Reply::json(
        200,
        &InspectedView {
            letter: LetterView::of(&letter),
            history: history.iter().map(FailureView::of).collect(),
            event,
        },
    )
}

/// `POST /api/v1/admin/dead-letters/{id}/replay`: Queues a dead letter again.
///
/// # Errors
/// 404; 409 `already_resolved`.
pub async fn replay_letter(call: &mut Call<'_>) -> Result<Reply> {
    let letter = replay_dead_letter(
        &call.app.dead_letters(),
        &call.app.queues(),
        call.param(0),
        call.identity().staff()?.as_str(),
        call.app.now,
    )
    .await?;
    Reply::json(200, &LetterView::of(&letter))
}

/// `POST /api/v1/admin/dead-letters/replay`: Queues all dead letters again, up to 500, and returns
/// their number.
///
/// # Errors
/// Fails if a queue refuses a message; those before it have been sent.
pub async fn replay_letters(call: &mut Call<'_>) -> Result<Reply> {
    let replayed = replay_dead_letters(
        &call.app.dead_letters(),
        &call.app.queues(),
        call.identity().staff()?.as_str(),
        call.app.now,
    )
    .await?;
    Reply::json(200, &json!({"replayed": replayed}))
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::web::api) struct Discard {
    reason: String,
}

/// `POST /api/v1/admin/dead-letters/{id}/discard {reason}`: Discards a dead letter, with a reason.
///
/// # Errors
/// 404; 409 `already_resolved`; 422 `invalid_reason`.
pub async fn discard_letter(call: &mut Call<'_>) -> Result<Reply> {
    let (discard, _) = call.json::<Discard>().await?;
    let letter = discard_dead_letter(
        &call.app.dead_letters(),
        call.param(0),
        call.identity().staff()?.as_str(),
        &discard.reason,
        call.app.now,
    )
    .await?;
    Reply::json(200, &LetterView::of(&letter))
}

fn status_of(call: &Call<'_>) -> Result<LetterStatus> {
    let Some(word) = call.query("status") else {
        return Ok(LetterStatus::Dead);
    };
    LetterStatus::deserialize(Value::from(word)).map_err(|_| {
        Error::invalid(
            "status",
            Code::InvalidStatus,
            "Must be dead, replayed or discarded.",
        )
    })
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct LetterView<'a> {
    id: &'a str,
    queue: &'a str,
    message: &'a str,
    attempts: u32,
    #[cfg_attr(test, schema(required))]
    last_error: Option<&'a str>,
    buried_at: String,
    status: LetterStatus,
    #[cfg_attr(test, schema(required))]
    resolved_at: Option<String>,
    #[cfg_attr(test, schema(required))]
    resolved_by: Option<&'a str>,
    #[cfg_attr(test, schema(required))]
    reason: Option<&'a str>,
}

impl<'a> LetterView<'a> {
    fn of(letter: &'a DeadLetter) -> Self {
        let resolution = letter.resolution.as_ref();
        Self {
            id: &letter.id,
            queue: &letter.queue,
            message: &letter.body,
            attempts: letter.attempts,
            last_error: letter.last_error.as_deref(),
            buried_at: instant(letter.buried_at),
            status: letter.status,
            resolved_at: letter.resolved_at.map(instant),
            resolved_by: resolution.map(|resolution| resolution.actor.as_str()),
            reason: resolution.and_then(|resolution| resolution.reason.as_deref()),
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct FailureView<'a> {
    at: String,
    error: &'a str,
}

impl<'a> FailureView<'a> {
    fn of(failure: &'a Failure) -> Self {
        Self {
            at: instant(failure.at),
            error: &failure.error,
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct InspectedView<'a> {
    #[serde(flatten)]
    letter: LetterView<'a>,
    history: Vec<FailureView<'a>>,
    #[cfg_attr(test, schema(required))]
    event: Option<Value>,
}
