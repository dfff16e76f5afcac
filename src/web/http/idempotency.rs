//! `Idempotency-Key` on the POST requests of the API: storing responses, and replaying them.
//!
//! A request without a key costs nothing here. A response is stored after the work is done and
//! before it is sent. After a crash between the work and the storing, a repeated request does the
//! work again.

use crate::web::http::call::{Call, MAX_BODY_BYTES};
use crate::web::http::log::log_failure;
use crate::web::http::reply::Reply;
use crate::web::http::route::{Keys, Route};
use shop::error::Result;
use shop::operations::idempotency::{IdempotencyKeys, KeptAnswer, KeyedRequest, begin};
use shop::values::ids::digest_of;
use worker::Method;

/// Headers stored with a response; all others are created anew for each request.
const HEADERS: [&str; 4] = ["Cart-Token", "Content-Type", "ETag", "Location"];

/// Answers a call of `route`, once for each key.
///
/// # Errors
/// Those of the handler; 422 `idempotency_key_reused`, 503 `request_under_way`.
pub async fn answer_once(route: &Route, call: &mut Call<'_>) -> Result<Reply> {
    let Some(request) = keyed_request(route, call).await? else {
        return route.answer(call).await;
    };
    let keys = call.app.idempotency_keys();
    if let Some(answer) = begin(&keys, &request, call.app.now).await? {
        let reply = if route.keys == Keys::Again {
            route.answer(call).await?
        } else {
            restored(answer)
        };
        return Ok(reply.with("Idempotent-Replayed", "true"));
    }
    let outcome = route.answer(call).await;
    let noted = match &outcome {
        Ok(reply) => keys.keep(&request, &kept(reply, route.keys)).await,
        Err(_) => keys.release(&request).await,
    };
    if let Err(error) = noted {
        log_failure("answer_not_kept", call.request_id, &error);
    }
    outcome
}

/// Returns what identifies the request; `None` means it has no key, or shows no credentials to
/// which the key could belong.
async fn keyed_request(route: &Route, call: &mut Call<'_>) -> Result<Option<KeyedRequest>> {
    let concerned = route.method == Method::Post && route.is_api() && route.keys != Keys::Own;
    if !concerned {
        return Ok(None);
    }
    let (Some(key), Some(caller)) = (call.idempotency_key()?, call.identity().fingerprint()) else {
        return Ok(None);
    };
    let mut asked = call.url.path().as_bytes().to_vec();
    asked.push(0);
    asked.extend(call.body(MAX_BODY_BYTES).await?);
    Ok(Some(KeyedRequest {
        caller,
        key,
        request_hash: digest_of(&asked),
        request_id: call.request_id.to_owned(),
    }))
}

fn kept(reply: &Reply, keys: Keys) -> KeptAnswer {
    if keys == Keys::Again {
        return KeptAnswer {
            status: reply.status,
            ..KeptAnswer::default()
        };
    }
    let belongs = |(name, value): &(&'static str, String)| {
        HEADERS
            .contains(name)
            .then(|| ((*name).to_owned(), value.clone()))
    };
    KeptAnswer {
        status: reply.status,
        headers: reply.headers.iter().filter_map(belongs).collect(),
        body: String::from_utf8_lossy(&reply.body).into_owned(),
    }
}

fn restored(answer: KeptAnswer) -> Reply {
    let mut reply = Reply::empty(answer.status).with("Cache-Control", "no-store");
    for name in HEADERS {
        if let Some(value) = answer.headers.get(name) {
            reply = reply.with(name, value);
        }
    }
    reply.body = answer.body.into_bytes();
    reply
}
