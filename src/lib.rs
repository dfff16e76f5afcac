//! The Worker's entry points.

#![cfg_attr(
    test,
    expect(
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        reason = "a test that panics has failed, which is what it is for"
    )
)]

// The Durable Object classes live in `durable`; naming it here links their exports into the Worker.
extern crate durable as _;

pub mod app;
pub mod bounded;
pub mod store;
pub mod web;

use worker::js_sys::futures::future_to_promise;
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::web_sys::Request;
use worker::{
    Context, Env, MessageBatch, Result, ScheduleContext, ScheduledEvent, event, worker_sys,
};

#[event(start)]
fn start() {
    web::http::log::log_panics();
}

/// Entry point of requests. Written out instead of `#[event(fetch)]`, which turns every response
/// into a promise: cached responses are returned at once, because a promise would cost a good part
/// of what such a response costs.
#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen)]
pub fn fetch(request: Request, env: Env, context: worker_sys::Context) -> JsValue {
    let context = Context::new(context);
    if let Some(response) = web::router::serve_kept(&request, &env, &context) {
        return response.into();
    }
    let answer = async move { web::router::serve(request, &env, &context).await };
    future_to_promise(async { Ok(answer.await.map(JsValue::from)?) }).into()
}

#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _context: Context) -> Result<()> {
    web::jobs::queues::consume(&batch, &env).await;
    Ok(())
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    web::jobs::cron::tick(&env).await;
}
